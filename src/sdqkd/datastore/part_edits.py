"""edit-config with error-option continue-on-error: RFC 6241 section 7.2.

The whole request is tried first. If it fails it is cut where its elements first branch, the branches are tried in
halves, these in halves again, down to what is wrong: a few mistakes among many elements are found in a few tries.
An element with an operation that speaks of the whole of it (create, replace, delete, remove) is not cut.

Nothing is copied or moved for that: a try looks at some elements of the one request. lxml would change prefixes.
Others may have their turn between two tries, since all together can take seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from lxml import etree

from sdqkd.datastore.steps import Steps
from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.attributes import marks_defaults
from sdqkd.schema.edit import Part
from sdqkd.schema.effort import Effort
from sdqkd.schema.elements import holds_text, is_content
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container

# Does the request, or a part of it, to a tree.
Edit: TypeAlias = Callable[[Container, Part | None], Steps[Container]]

MAX_TRIES = 400  # each may ask libyang
MAX_ELEMENTS = 500_000  # looked at in all tries; in the order of half a second
_TOO_MUCH = "too much of this request is wrong: mend it, or send it in pieces"

_OPERATION = "{urn:ietf:params:xml:ns:netconf:base:1.0}operation"


def edit_parts(
    schema: Schema, edit: Edit, tree: Container, config: etree._Element
) -> Steps[tuple[Container, tuple[RpcError, ...]]]:
    """Give the tree after all parts of the <config> that could be done, and the errors of the others, in order.

    `edit` does the request with default-operation merge or none. Raises RpcError if too much of it is wrong.
    """
    search = _Search(schema, edit, config)
    edited = yield from search.done(tree)
    return edited, tuple(search.errors)


def listed(error: RpcError | RpcErrors) -> tuple[RpcError, ...]:
    """Give one or several errors as several."""
    return error.errors if isinstance(error, RpcErrors) else (error,)


@dataclass(frozen=True, slots=True)
class _Branching:
    """An element that holds several others: `branches`, beside the keys of the entry that it is."""

    at: etree._Element
    keys: Sequence[etree._Element]
    branches: Sequence[etree._Element]


class _Search:
    """Looks for what is wrong in one request."""

    def __init__(self, schema: Schema, edit: Edit, config: etree._Element) -> None:
        self.errors: list[RpcError] = []
        self._schema = schema
        self._edit = edit
        self._config = config
        self._tries = Effort(MAX_TRIES, _TOO_MUCH)
        self._elements = Effort(MAX_ELEMENTS, _TOO_MUCH)

    def done(
        self, tree: Container, tried: Part | None = None, branching: _Branching | None = None
    ) -> Steps[Container]:
        """Give the tree after all that can be done of the request, or of the part that is to be tried.

        `branching` is where this part branches, if that is known.
        """
        self._tries.spend(1)
        self._elements.spend(len(branching.branches) if branching else 0)
        try:
            return (yield from self._edit(tree, tried))
        except (RpcError, RpcErrors) as error:
            if tried is None:
                tried = Part({}, marks_defaults(self._config))
            if branching is None or len(branching.branches) < 2:
                branching = self._branching(tried)
            if len(branching.branches) < 2:
                self.errors += listed(error)
                return tree
        for branches in _halves(branching.branches):
            yield
            only = Part({**tried.children, branching.at: [*branching.keys, *branches]}, tried.marks_defaults)
            tree = yield from self.done(tree, only, replace(branching, branches=branches))
        return tree

    def _branching(self, tried: Part) -> _Branching:
        """Give where a part of the request first branches; without branches if it does not."""
        at, keys, known = self._config, list[etree._Element](), self._schema.by_tag
        while at.get(_OPERATION, "merge") in ("merge", "none"):
            among = tried.children.get(at)
            if among is None and holds_text(at):
                break  # nothing in it can be right
            branches = [child for child in at if is_content(child)] if among is None else among
            branches = [child for child in branches if child not in keys]
            if len(branches) != 1:
                return _Branching(at, keys, branches)
            node = known.get(str(branches[0].tag))
            if node is None:
                break
            at, keys, known = branches[0], _key_elements(node, branches[0]), node.by_tag
        return _Branching(at, keys, ())


def _halves(branches: Sequence[etree._Element]) -> tuple[Sequence[etree._Element], Sequence[etree._Element]]:
    half = len(branches) // 2
    return branches[:half], branches[half:]


def _key_elements(node: SchemaNode, entry: etree._Element) -> list[etree._Element]:
    tags = {node.children[key].tag for key in node.keys}
    return [child for child in entry if child.tag in tags]
