"""What the links over sockets do alike: join writes, make a receiver wait, give up on a peer that never reads.

What is written while data are being received goes out together at the end: one packet for many answers.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sdqkd.errors import SessionLostError
from sdqkd.transport.links import FlowControlled, Receiver

_SHOWN = 200  # characters of what a peer or the system says that an error repeats
_JOINED_BYTES = 64 * 1024
_CLOSE_TIMEOUT_S = 30.0  # for a closing peer to take some more of the rest, or to agree; then we go without

_log = logging.getLogger(__name__)


def address(host: str, port: int) -> str:
    """Write `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def peer_of(connection: Any) -> str:
    """Give the address of the other end of a transport or an SSH connection."""
    return address(*(connection.get_extra_info("peername") or ("unknown", 0))[:2])


def printable(error: object) -> str:
    """Give an error's text, part of which the peer may have written, fit for a terminal and a log."""
    text = str(error)[:_SHOWN]
    return "".join(character if character.isprintable() else "?" for character in text)


def no_connection(error: OSError) -> str:
    """Say why no TCP connection came about."""
    if isinstance(error, socket.gaierror):
        return f"the name cannot be resolved: {error.strerror}"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there: does the program run, is the port right?"
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "there is no route to it"
    return f"no connection: {os.strerror(error.errno) if error.errno else printable(error)}"


def log_failure(message: str, peer: str, error: Exception) -> None:
    """Log what failed and where; the text of an exception is left out: it may hold a part of a configuration."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error(f"{message}: %s\n%s", peer, type(error).__name__, where)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a link waits for a peer that does not read, and how much it keeps for it.

    A peer that takes something now and then is a slow one, and is waited for.
    """

    unread_timeout_s: float = 60.0
    max_unread_bytes: int = 64 * 2**20  # over this nothing more is added; a single reply may be larger


class SocketLink(ABC):
    """A Link over a socket. Subclasses send, abort and say what waits to be sent."""

    def __init__(self, receiver: Receiver, username: str, peer: str, patience: Patience) -> None:
        self.username = username
        self.peer = peer
        self.made = False
        self._receiver = receiver
        self._patience = patience
        self._lost = False
        self._joined: list[bytes] | None = None
        self._joined_bytes = 0
        self._delivering = False
        self._flush_due = False
        self._too_much = False
        self._sent_bytes = 0
        self._full: set[str] = set()  # what keeps us from writing, such as the socket's buffer
        self._watch: asyncio.TimerHandle | None = None
        self._closing = False

    # What a Receiver calls

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them until the peer makes room."""
        if self._full and self._is_too_much():
            return
        if self._joined is None:
            self._count_and_send(data)
            return
        self._joined.append(data)
        self._joined_bytes += len(data)
        if self._joined_bytes > _JOINED_BYTES:
            self._flush()

    # What a subclass has

    @abstractmethod
    def abort(self, error: Exception | None = None) -> None:
        """End the link at once; what is not sent is lost. The receiver hears of the error."""

    @abstractmethod
    def _send(self, data: bytes) -> None:
        """Send, or keep. The link is neither closing nor lost."""

    @abstractmethod
    def _unsent_bytes(self) -> int:
        """How much waits in our memory for the peer to read."""

    def _more_comes(self) -> bool:
        """Whether more of what has arrived already will be delivered before anything else happens."""
        return False

    # What a subclass calls

    def hold(self, reason: str) -> None:
        """Ask the receiver to write no more, for one reason of possibly several."""
        first = not self._full
        self._full.add(reason)
        if not first or self._lost:
            return
        if self._watch is None:
            self._look_again(self._patience.unread_timeout_s)
        if self.made and isinstance(self._receiver, FlowControlled):
            self._tell(self._receiver.pause_writing)

    def let_go(self, reason: str) -> None:
        """Take a reason away; without any, the receiver may write again."""
        was_full = bool(self._full)
        self._full.discard(reason)
        if not was_full or self._full or self._lost:
            return
        if not self._closing:
            self._stop_watch()
        if self.made and isinstance(self._receiver, FlowControlled):
            self._deliver(self._receiver.resume_writing)

    def _make(self) -> None:
        """Give the receiver its link."""
        self.made = True
        self._deliver(self._receiver.link_made, self)
        if self._full and isinstance(self._receiver, FlowControlled):
            self._tell(self._receiver.pause_writing)

    def _lose(self, error: Exception | None) -> None:
        """Tell the receiver, once, whoever ended the link."""
        if self._lost:
            return
        self._lost = True
        self._joined = None
        self._stop_watch()
        if self.made:
            self._tell(self._receiver.link_lost, error)

    def _deliver(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call the receiver; what it writes to this, and to what else has arrived already, goes out in one go."""
        nested, self._delivering = self._delivering, True
        if self._joined is None:
            self._joined = []
        self._tell(callback, *arguments)
        self._delivering = nested
        if nested or self._flush_due:
            return
        if self._more_comes():
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush_at_last)
        else:
            self._flush()

    def _flush_at_last(self) -> None:
        self._flush_due = False
        self._flush()

    def _flush(self) -> None:
        """Send what was joined. A write after this goes out at once, or with the next delivery."""
        joined, self._joined, self._joined_bytes = self._joined, None, 0
        if joined:
            self._count_and_send(b"".join(joined))

    def _watch_closing(self) -> None:
        """End without the peer's consent if a closing peer does not even read."""
        self._closing = True
        self._stop_watch()
        self._look_again(_CLOSE_TIMEOUT_S)

    # For itself

    def _count_and_send(self, data: bytes) -> None:
        if data and not self._lost and not self._closing:
            self._sent_bytes += len(data)
            self._send(data)

    def _is_too_much(self) -> bool:
        if not self._too_much and self._unsent_bytes() > self._patience.max_unread_bytes:
            self._too_much = True  # the receiver is in the middle of writing: it hears of the end a moment later
            reason = f"leaves more than {self._patience.max_unread_bytes} bytes unread"
            asyncio.get_running_loop().call_soon(self._give_up, reason)
        return self._too_much

    def _look_again(self, after_s: float) -> None:
        taken = self._sent_bytes - self._unsent_bytes()
        self._watch = asyncio.get_running_loop().call_later(after_s, self._look, after_s, taken)

    def _look(self, after_s: float, taken_before: int) -> None:
        """See whether the peer has taken anything since the last time."""
        if self._sent_bytes - self._unsent_bytes() > taken_before:
            self._look_again(after_s)
        elif self._closing:
            self.abort()
        else:
            self._give_up(f"has read nothing for {after_s:g} s")

    def _give_up(self, what: str) -> None:
        if not self._lost:
            _log.warning("%s (user %r) %s: its session is ended", self.peer, self.username, what)
            self.abort(SessionLostError(self.peer, f"the peer {what}"))

    def _stop_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Call the receiver; if it fails, its link ends and nobody else's."""
        try:
            callback(*arguments)
        except Exception as error:
            log_failure("a session with %s failed and was ended", self.peer, error)
            if not self._lost:
                self.abort()
