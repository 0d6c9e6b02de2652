"""What asyncssh does for each login or packet and NETCONF has no use for, left out. Figures: docs/decisions/0005.

This reaches into asyncssh where it has no interface. So every part is looked for before it is touched: an asyncssh
that has changed is left as it is, slower and as right. Tests tell when a part is not found any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from asyncssh.channel import SSHChannel, SSHServerChannel
from asyncssh.connection import SSHConnection, SSHServerConnection
from asyncssh.packet import SSHPacketLogger

from sdqkd.transport.ssh_packets import has_method as _has
from sdqkd.transport.ssh_packets import take_short_way

_MSG_IGNORE = 2
_OFTEN_S = 1.0
_HUGE_PACKET = 2**31


# Whether each part was found.
SENDS_NO_IGNORE = _has(SSHConnection, "send_packet", "pkttype", "args", "handler")
KEEPS_OPTIONS = _has(SSHServerConnection, "reload_config")
LOGS_NO_PACKETS = all(
    _has(SSHPacketLogger, name, "pkttype", "pktid", "packet", "note")
    for name in ("log_sent_packet", "log_received_packet")
)
KEEPS_TIMERS = _has(SSHConnection, "_reset_keepalive_timer")
REFUSES_VARIABLES = _has(SSHServerChannel, "_process_env_request", "packet")


def make_lean(connection: Any) -> None:
    """Leave out some things on a new connection.

    An empty packet before each packet: it hides the last block of a CBC cipher, and only AEAD ciphers are spoken
    here. Options made anew for each user who logs in: ours are the same for all, and cost 6 KiB a connection. A
    new timer for each packet that comes, to notice when none does: once a second is enough. What is logged of
    each packet when debugging.
    """
    if SENDS_NO_IGNORE:
        connection.send_packet = partial(_send_packet, connection.send_packet)
    if KEEPS_OPTIONS and isinstance(connection, SSHServerConnection):
        connection.reload_config = _keep_config  # type: ignore[method-assign]
    if KEEPS_TIMERS:
        connection._reset_keepalive_timer = partial(_reset_seldom, connection, connection._reset_keepalive_timer)
    if log_no_packets(connection):
        take_short_way(connection)


def log_no_packets(handler: Any) -> bool:
    """Put nothing together for a log of packets; for a connection or a channel. Tells whether that can be."""
    if LOGS_NO_PACKETS:
        handler.log_sent_packet = handler.log_received_packet = _log_nothing
    return LOGS_NO_PACKETS


def _log_nothing(*_: Any) -> None:
    pass


def _reset_seldom(connection: Any, reset: Callable[[], None]) -> None:
    timer: asyncio.TimerHandle | None = getattr(connection, "_keepalive_timer", None)
    interval_s: float = getattr(connection, "_keepalive_interval", 0.0)
    if timer is None or timer.when() - asyncio.get_running_loop().time() < interval_s - _OFTEN_S:
        reset()


def _send_packet(send: Callable[..., None], pkttype: int, *args: bytes, **keywords: Any) -> None:
    if pkttype != _MSG_IGNORE:
        send(pkttype, *args, **keywords)


async def _keep_config() -> None:
    pass


def refuse_variables(channel: Any) -> None:
    """Keep no environment variables: a peer may send them without end."""
    if REFUSES_VARIABLES:
        channel._process_env_request = lambda packet: False


def pause_socket(connection: Any, pause: bool) -> None:
    """Read nothing from a peer that does not read, so that it cannot ask for more; or read again."""
    transport = getattr(connection, "_transport", None)
    if transport is not None and not transport.is_closing():
        (transport.pause_reading if pause else transport.resume_reading)()


def more_comes(connection: Any) -> bool:
    """Whether asyncssh holds more of what came in with the packet that it delivers now."""
    return bool(getattr(connection, "_inpbuf", b""))


def exchanges_keys(connection: Any) -> bool:
    """Whether what is written now is kept until the peer has agreed on new keys."""
    return not getattr(connection, "_kex_complete", True)


def socket_buffer_bytes(connection: Any) -> int:
    """How much waits for the peer to take it from the socket."""
    transport = getattr(connection, "_transport", None)
    return transport.get_write_buffer_size() if transport is not None else 0


def packet_bytes(channel: SSHChannel[bytes]) -> int:
    """How long a packet the peer says that it takes; huge if that cannot be known."""
    size = getattr(channel, "_send_pktsize", None)
    return size if isinstance(size, int) else _HUGE_PACKET
