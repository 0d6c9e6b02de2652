"""edit-config with error-option continue-on-error: RFC 6241 section 7.2.

The whole request is tried first. If it fails it is cut where its elements first branch, the branches are tried in
halves, these in halves again, down to what is wrong: a few mistakes among many elements are found in a few tries.
An element with an operation that speaks of the whole of it (create, replace, delete, remove) is not cut.

Nothing is copied or moved for that: a try leaves out elements of the one request. lxml would change prefixes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from lxml import etree

from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.effort import Effort
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container

# Does the request but for these elements to a tree.
Edit: TypeAlias = Callable[[Container, AbstractSet[etree._Element]], Container]

MAX_TRIES = 1000
MAX_ELEMENTS = 5_000_000  # looked at in all tries
_TOO_MUCH = "too much of this request is wrong: mend it, or send it in pieces"

_OPERATION = "{urn:ietf:params:xml:ns:netconf:base:1.0}operation"


def edit_parts(
    schema: Schema, edit: Edit, tree: Container, config: etree._Element
) -> tuple[Container, tuple[RpcError, ...]]:
    """Give the tree after all parts of the <config> that could be done, and the errors of the others, in order.

    `edit` does the request with default-operation merge or none. Raises RpcError if too much of it is wrong.
    """
    search = _Search(schema, edit, config)
    return search.done(tree), tuple(search.errors)


def listed(error: RpcError | RpcErrors) -> tuple[RpcError, ...]:
    """Give one or several errors as several."""
    return error.errors if isinstance(error, RpcErrors) else (error,)


class _Search:
    """Looks for what is wrong in one request."""

    def __init__(self, schema: Schema, edit: Edit, config: etree._Element) -> None:
        self.errors: list[RpcError] = []
        self._schema = schema
        self._edit = edit
        self._config = config
        self._left_out: set[etree._Element] = set()
        self._tries = Effort(MAX_TRIES, _TOO_MUCH)
        self._elements = Effort(MAX_ELEMENTS, _TOO_MUCH)

    def done(self, tree: Container, branches: Sequence[etree._Element] = ()) -> Container:
        """Give the tree after all that can be done; `branches` are those not left out, if that is known."""
        self._tries.spend(1)
        self._elements.spend(len(branches) + len(self._left_out))
        try:
            return self._edit(tree, self._left_out)
        except (RpcError, RpcErrors) as error:
            if len(branches) < 2:
                branches = self._branches()
            if len(branches) < 2:
                self.errors += listed(error)
                return tree
        half = len(branches) // 2
        tree = self._without(branches[half:], tree, branches[:half])
        return self._without(branches[:half], tree, branches[half:])

    def _without(
        self, others: Sequence[etree._Element], tree: Container, branches: Sequence[etree._Element]
    ) -> Container:
        self._left_out.update(others)
        tree = self.done(tree, branches)
        self._left_out.difference_update(others)
        return tree

    def _branches(self) -> Sequence[etree._Element]:
        """Give the elements where what is not left out first branches; none if it does not."""
        at, keys, known = self._config, list[etree._Element](), self._schema.by_tag
        while at.get(_OPERATION, "merge") in ("merge", "none"):
            children = [child for child in at if isinstance(child.tag, str) and child not in self._left_out]
            branches = [child for child in children if child not in keys]
            if len(branches) != 1:
                return branches
            node = known.get(str(branches[0].tag))
            if node is None:
                return ()
            at, keys, known = branches[0], _key_elements(node, branches[0]), node.by_tag
        return ()


def _key_elements(node: SchemaNode, entry: etree._Element) -> list[etree._Element]:
    tags = {node.children[key].tag for key in node.keys}
    return [child for child in entry if child.tag in tags]
