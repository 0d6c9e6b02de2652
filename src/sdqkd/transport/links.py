"""What a transport and its users know of each other: bytes, their order, and when to hold back."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Link(Protocol):
    """One NETCONF session's way to its peer. A user name here is one that the peer has proved to be."""

    @property
    def username(self) -> str:
        """Name of the user who logged in."""

    @property
    def peer(self) -> str:
        """Address of the other end, `host:port`."""

    @property
    def protocol(self) -> str:
        """What carries it: `ssh` or `tls`."""

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them until they can be sent. On a link that is closed or lost, do nothing."""

    def close(self) -> None:
        """Send what is still kept, then end the link; `link_lost` follows. May be called again."""

    def pause_reading(self) -> None:
        """Deliver nothing more for now, so that the peer has to wait."""

    def resume_reading(self) -> None:
        """Deliver again, beginning with what came meanwhile."""


class Receiver(Protocol):
    """What a transport calls, in this order: `link_made`, any number of `data_received`, `link_lost` once.

    All are plain functions that return at once. One that raises ends its own link and no other.
    """

    def link_made(self, link: Link) -> None:
        """Take the link; it can be written to."""

    def data_received(self, data: bytes) -> None:
        """Take bytes, never empty, as they came."""

    def link_lost(self, error: Exception | None) -> None:
        """Learn that the link is gone; None when one of the two ends closed it properly."""


@runtime_checkable
class FlowControlled(Protocol):
    """A receiver that writes more than its peer may read should be one of these too."""

    def pause_writing(self) -> None:
        """Write no more than must be: the peer does not read what was written."""

    def resume_writing(self) -> None:
        """Write again."""
