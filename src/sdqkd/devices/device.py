"""What every kind of device is to an agent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Path


class Device(Protocol):
    """Hardware with a model. `running` is always a whole valid tree of `schema`."""

    @property
    def name(self) -> str:
        """Its name in the network, for logs."""
        ...

    @property
    def schema(self) -> Schema:
        """The model set that it implements."""
        ...

    def factory(self) -> Container:
        """Give the configuration that it is delivered with: what it is and which parts it has."""
        ...

    def check(self, proposed: Container) -> None:
        """Raise RpcError(s) if the hardware cannot do what is proposed. Changes nothing."""
        ...

    def apply(self, running: Container) -> None:
        """Make the hardware do what running says. Raises nothing for a tree that `check` accepted."""
        ...

    def state(self) -> Container:
        """Give what the hardware reports now: config-false nodes and the keys of the entries above them."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """A device that says itself when its state may have changed, so that nobody needs to ask again and again."""

    def watch(self, listener: Callable[[], None]) -> Callable[[], None] | None:
        """Call `listener` whenever the state may be another than when it was asked for last.

        It must return at once, and ask for the state later. Gives what ends it, or None if what is behind this
        device cannot say.
        """
        ...


@runtime_checkable
class Operable(Protocol):
    """A device whose model has operations of its own: RPCs and actions (RFC 7950 sections 7.14 and 7.15)."""

    def invoke(self, operation: str, at: Path, parameters: Container) -> Container:
        """Do `operation`, a `module:name`, of the node at `at`, () for an RPC; give its output, empty for none.

        The parameters fit the model, and defaults are filled in; `must` and `when` among them were not judged. It
        must return at once. Raises RpcError(s) if the device cannot do it.
        """
        ...


def watch(backend: object, listener: Callable[[], None]) -> Callable[[], None] | None:
    """Watch what is behind a device, if that can be watched; see `Watchable`."""
    return backend.watch(listener) if isinstance(backend, Watchable) else None
