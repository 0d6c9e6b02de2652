"""Which host key a device shows, before anybody trusts it: nothing of ours is sent, not even a user name."""

from __future__ import annotations

import asyncio

import asyncssh

from sdqkd.errors import UnreachableError
from sdqkd.transport.keys import public_text
from sdqkd.transport.socket_link import address, printable
from sdqkd.transport.ssh_client import TIMEOUT_S


async def shown_host_key(host: str, port: int, timeout_s: float = TIMEOUT_S) -> str:
    """Ask a device for its host key and hang up: `ssh-ed25519 AAAA…`. Raises UnreachableError."""
    peer = address(host, port)
    try:
        async with asyncio.timeout(timeout_s):
            key = await asyncssh.get_server_host_key(host, port, config=None)
    except TimeoutError:
        raise UnreachableError(peer, f"no host key within {timeout_s:g} s") from None
    except (asyncssh.Error, OSError, ValueError) as error:
        raise UnreachableError(peer, f"shows no host key: {printable(error)}") from None
    if key is None:
        raise UnreachableError(peer, "shows no host key")
    return public_text(key)
