"""edit-config with error-option continue-on-error: RFC 6241 section 7.2.

The whole request is tried first. If it fails it is cut where its elements first branch, and each branch is tried
by itself, down to what is wrong. An element with an operation that speaks of the whole of it (create, replace,
delete, remove) is not cut.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TypeAlias

from lxml import etree

from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container

Edit: TypeAlias = Callable[[Container, etree._Element], Container]

_OPERATION = "{urn:ietf:params:xml:ns:netconf:base:1.0}operation"


def edit_parts(
    schema: Schema, edit: Edit, tree: Container, config: etree._Element
) -> tuple[Container, tuple[RpcError, ...]]:
    """Give the tree after all parts of the <config> that could be done, and the errors of the others, in order.

    `edit` does one request, with default-operation merge or none: a tree and a <config> give a tree.
    """
    try:
        return edit(tree, config), ()
    except (RpcError, RpcErrors) as error:
        parts = _parts(schema, config)
        if not parts:
            return tree, listed(error)
    errors: list[RpcError] = []
    for part in parts:
        tree, found = edit_parts(schema, edit, tree, part)
        errors += found
    return tree, tuple(errors)


def listed(error: RpcError | RpcErrors) -> tuple[RpcError, ...]:
    """Give one or several errors as several."""
    return error.errors if isinstance(error, RpcErrors) else (error,)


def _parts(schema: Schema, config: etree._Element) -> Sequence[etree._Element]:
    """Cut a <config> where it first branches; none if it does not."""
    trunk = [config]
    keys: list[list[etree._Element]] = [[]]
    known = schema.by_tag
    while True:
        children = [child for child in trunk[-1] if isinstance(child.tag, str)]
        branches = [child for child in children if child not in keys[-1]]
        if trunk[-1].get(_OPERATION, "merge") not in ("merge", "none") or not branches:
            return ()
        if len(branches) > 1:
            return [_part(trunk, keys, branch) for branch in branches]
        node = known.get(str(branches[0].tag))
        if node is None:
            return ()
        trunk.append(branches[0])
        keys.append(_key_elements(node, branches[0]))
        known = node.by_tag


def _key_elements(node: SchemaNode, entry: etree._Element) -> list[etree._Element]:
    tags = {node.children[key].tag for key in node.keys}
    return [child for child in entry if child.tag in tags]


def _part(
    trunk: Sequence[etree._Element], keys: Sequence[Sequence[etree._Element]], branch: etree._Element
) -> etree._Element:
    """Copy a <config> with one branch only. Prefixes may stand in values, so all declarations are kept."""
    part = copy.deepcopy(branch)
    for element, key_elements in zip(reversed(trunk), reversed(keys), strict=True):
        attributes = {str(name): str(value) for name, value in element.attrib.items()}
        # The stubs do not know that the default namespace stands under None.
        parent = element.makeelement(element.tag, attributes, element.nsmap)  # type: ignore[arg-type]
        parent.extend([*(copy.deepcopy(key) for key in key_elements), part])
        part = parent
    return part
