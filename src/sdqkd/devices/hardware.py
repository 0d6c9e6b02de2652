"""Factory configuration is hardware: it cannot be configured away, changed or multiplied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Entries, Node, Path


def raise_all(errors: Sequence[RpcError]) -> None:
    """Raise the one error, or all of them as RpcErrors; nothing if there is none."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise RpcErrors(errors)


def hardware_changes(schema: Schema, factory: Container, proposed: Container) -> Iterator[RpcError]:
    """What `proposed` does to the factory configuration that no hardware can follow.

    Every node of the factory configuration must stay, leafs with their values, and a list that it fills gets
    no further entries. What the factory configuration does not mention is free.
    """
    return _changes(schema, factory, proposed, ())


def _changes(schema: Schema, factory: Node, proposed: Node | None, at: Path) -> Iterator[RpcError]:
    if proposed is factory:
        return
    if proposed is None:
        yield _refusal(schema, at, "it comes with the hardware and cannot be deleted")
    elif isinstance(factory, Container) and isinstance(proposed, Container):
        for name, node in factory.children.items():
            yield from _changes(schema, node, proposed.children.get(name), (*at, name))
    elif isinstance(factory, Entries) and isinstance(proposed, Entries):
        yield from _changed_entries(schema, factory, proposed, at)
    elif factory != proposed:
        yield _refusal(schema, at, f"it comes with the hardware and stays '{factory}'")


def _changed_entries(schema: Schema, factory: Entries, proposed: Entries, at: Path) -> Iterator[RpcError]:
    name = str(at[-1])
    for keys, entry in factory.entries.items():
        yield from _changes(schema, entry, proposed.entries.get(keys), (*at[:-1], (name, keys)))
    for keys in proposed.entries:
        if keys not in factory.entries:
            yield _refusal(schema, (*at[:-1], (name, keys)), "the hardware has no such part")


def _refusal(schema: Schema, at: Path, message: str) -> RpcError:
    return RpcError("operation-failed", message, path=format_path(at, schema), app_tag="factory-hardware")
