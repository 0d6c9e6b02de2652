"""Two receivers joined in memory: no sockets, no event loop, the same order every time.

Bytes are delivered before `write` returns, but never inside another delivery: a receiver is not entered again
while it works. An exception of a receiver comes out of the call that caused the delivery.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sdqkd.transport.links import FlowControlled, Receiver

_HIGH_WATER_BYTES = 64 * 1024


def pair(server: Receiver, client: Receiver, username: str = "noc") -> tuple[MemoryLink, MemoryLink]:
    """Join two receivers; return the server's link and the client's. Both have been told `link_made`."""
    todo = _Todo()
    to_client, to_server = MemoryLink(username, "client", todo), MemoryLink(username, "server", todo)
    to_client.join(owner=server, peer=to_server)
    to_server.join(owner=client, peer=to_client)
    todo.add(lambda: server.link_made(to_client))
    todo.add(lambda: client.link_made(to_server))
    todo.run()
    return to_client, to_server


class _Todo:
    """What is to be done, one after the other."""

    def __init__(self) -> None:
        self._steps: deque[Callable[[], None]] = deque()
        self._running = False

    def add(self, step: Callable[[], None]) -> None:
        self._steps.append(step)

    def run(self) -> None:
        if self._running:
            return
        self._running = True
        try:
            while self._steps:
                self._steps.popleft()()
        finally:
            self._running = False


class MemoryLink:
    """One end's view of the pair. It passes for SSH."""

    protocol = "ssh"

    def __init__(self, username: str, peer: str, todo: _Todo) -> None:
        self.username = username
        self.peer = peer
        self._todo = todo
        self._inbox: deque[bytes] = deque()  # written by the peer, not yet delivered to the owner
        self._reading = True
        self._closed = False  # by either end: nothing more may be written
        self._peer_told_to_pause = False

    def join(self, owner: Receiver, peer: MemoryLink) -> None:
        """Say whose link this is, and which is the other end's."""
        self._owner, self._other = owner, peer

    def write(self, data: bytes) -> None:
        """Send bytes to the other end."""
        if self._closed or not data:
            return
        self._other._inbox.append(bytes(data))
        self._todo.add(self._other._deliver)
        self._todo.add(self._other._tell_peer)
        self._todo.run()

    def close(self) -> None:
        """End both ends' links, after what was written has been delivered."""
        if self._closed:
            return
        self._closed = self._other._closed = True
        self._other._reading = True
        for end in (self._other, self):
            self._todo.add(end._end)
        self._todo.run()

    def pause_reading(self) -> None:
        """Keep what the other end writes."""
        self._reading = False

    def resume_reading(self) -> None:
        """Deliver what was kept."""
        self._reading = True
        self._todo.add(self._deliver)
        self._todo.add(self._tell_peer)
        self._todo.run()

    def _deliver(self) -> None:
        while self._inbox and self._reading:
            self._owner.data_received(self._inbox.popleft())

    def _tell_peer(self) -> None:
        """Let the other end's receiver know when too much of what it wrote is kept here, and when not any more."""
        full = sum(map(len, self._inbox)) > _HIGH_WATER_BYTES
        receiver = self._other._owner
        if full == self._peer_told_to_pause or not isinstance(receiver, FlowControlled):
            return
        self._peer_told_to_pause = full
        if full:
            receiver.pause_writing()
        else:
            receiver.resume_writing()

    def _end(self) -> None:
        self._deliver()
        self._inbox.clear()
        self._owner.link_lost(None)
