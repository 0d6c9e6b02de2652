"""Every name that a document about a schema may hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sdqkd.schema.table import Schema, SchemaNode


def vocabulary(schema: Schema) -> frozenset[str]:
    """The names of all nodes, parameters, operations and notifications, prefixes and namespaces."""
    tops = [*schema.data.values(), *schema.notifications.values()]
    for rpc in schema.rpcs.values():
        tops += (rpc.input, rpc.output)
    modules = {text for module in schema.modules for text in (module.prefix, module.namespace)}
    return frozenset({*modules, *(rpc.name for rpc in schema.rpcs.values()), *_names(tops)})


def _names(nodes: Iterable[SchemaNode]) -> Iterator[str]:
    for node in nodes:
        yield node.name
        yield from _names(node.children.values())
        yield from _names(node.operations.values())
