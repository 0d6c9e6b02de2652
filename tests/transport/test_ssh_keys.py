from __future__ import annotations

from typing import Any

import pytest
from tests.transport.peers import tcp_server
from tests.transport.test_ssh_client import free_port, ssh_server

from sdqkd.errors import UnreachableError
from sdqkd.transport.ssh_keys import shown_host_key


async def test_a_device_shows_its_host_key_to_anybody(keys: Any) -> None:
    async with ssh_server(keys) as port:
        assert await shown_host_key("127.0.0.1", port) == keys.host


async def test_who_shows_none_is_named() -> None:
    with pytest.raises(UnreachableError, match=r"^127\.0\.0\.1:\d+: shows no host key"):
        await shown_host_key("127.0.0.1", free_port())


async def test_who_says_nothing_is_not_awaited_for_ever() -> None:
    async with tcp_server(b"", hang_up=False) as port:
        with pytest.raises(UnreachableError, match="no host key within"):
            await shown_host_key("127.0.0.1", port, timeout_s=0.2)
