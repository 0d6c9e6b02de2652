"""A data tree as XPath sees it: a document of places, made as far as an expression looks.

The root has the top-level nodes as children. Each list entry, leaf-list value, container and leaf is an element,
in the order in which the tree is printed; a leaf with a value has one text child. There are no attributes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence

from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node, Path, Step

_TEXT = ""  # stands for the member of a leaf's text


class _Below:
    """The children of a place that are made, all of a member or single entries, and their order."""

    __slots__ = ("entries", "made", "order")

    def __init__(self) -> None:
        self.made: dict[str, list[Place]] = {}
        self.entries: dict[str, dict[tuple[str, ...], Place]] = {}
        self.order: dict[str, int] | None = None


class Place:
    """One node of a document: two are the same node if they are the same object.

    `above` and `node` are None for the root only; `value` is a leaf's text, else a container.
    """

    __slots__ = ("above", "below", "is_text", "item", "node", "step", "value")

    def __init__(self, above: Place | None, node: SchemaNode | None, step: Step, value: str | Container) -> None:
        self.above = above
        self.node = node
        self.step = step
        self.value = value
        self.is_text = False
        self.item = -1  # the number in its list, where it is known
        self.below: _Below | None = None

    def __repr__(self) -> str:
        return f"<Place {self.path()}>"

    @property
    def member(self) -> str:
        """The name under which the parent holds it."""
        return self.step if isinstance(self.step, str) else self.step[0]

    def path(self) -> Path:
        """Where it is in the tree; a text is where its leaf is."""
        steps: list[Step] = []
        at: Place | None = self
        while at is not None and at.above is not None:
            if not at.is_text:
                steps.append(at.step)
            at = at.above
        return tuple(reversed(steps))


class Document:
    """A tree, as places. `top` are the schema nodes that can be at its top, those of data if not said."""

    def __init__(self, schema: Schema, tree: Container, top: Mapping[str, SchemaNode] | None = None) -> None:
        self.schema = schema
        self.root = Place(None, None, "", tree)
        self._top = schema.data if top is None else top

    def known(self, place: Place) -> Mapping[str, SchemaNode]:
        """The schema nodes that can be children."""
        return self._top if place.node is None else place.node.children

    def names(self, place: Place) -> Iterable[str]:
        """The members of a container, an entry or the root, the keys of an entry first."""
        value = place.value
        if isinstance(value, str):
            return ()
        keys = place.node.keys if place.node is not None else ()
        if keys and tuple(value.children)[: len(keys)] != keys:
            return dict.fromkeys((*(key for key in keys if key in value.children), *value.children))
        return value.children

    def child(self, place: Place, member: str) -> Node | None:
        """What a container, an entry or the root holds under a name."""
        return None if isinstance(place.value, str) else place.value.children.get(member)

    def members(self, place: Place, member: str) -> list[Place]:
        """The children of one name: entries of a list, values of a leaf-list, or the one node."""
        below = place.below
        if below is not None and member in below.made:
            return below.made[member]
        value = self.child(place, member)
        if value is None:
            return []
        below = self._below(place)
        below.made[member] = found = self._made(place, below, self.known(place)[member], value)
        return found

    def entry(self, place: Place, node: SchemaNode, keys: tuple[str, ...]) -> Place | None:
        """One entry of a list by its keys, without a look at the others."""
        below = self._below(place)
        member = node.member
        entries = below.entries.get(member)
        if entries is None:
            entries = {made.step[1]: made for made in below.made.get(member, ()) if isinstance(made.step, tuple)}
            below.entries[member] = entries
        if keys not in entries:
            value = self.child(place, member)
            if not isinstance(value, Entries) or keys not in value.entries:
                return None
            entries[keys] = Place(place, node, (member, keys), value.entries[keys])
        return entries[keys]

    def text(self, place: Place) -> Place | None:
        """The text of a leaf."""
        if place.is_text or not isinstance(place.value, str) or not place.value:
            return None
        made = self._below(place).made
        if _TEXT not in made:
            made[_TEXT] = [Place(place, place.node, _TEXT, place.value)]
            made[_TEXT][0].is_text = True
        return made[_TEXT][0]

    def children(self, place: Place) -> Sequence[Place]:
        """All children, in order."""
        if isinstance(place.value, str):
            text = self.text(place)
            return () if text is None else (text,)
        return [child for member in self.names(place) for child in self.members(place, member)]

    def descendants(
        self,
        place: Place,
        spend: Callable[[int], None] = lambda steps: None,
        *,
        name: str | None = None,
        texts: bool = True,
    ) -> list[Place]:
        """All below, in order; with `name`, at least those elements of that name and what is above them.

        `spend` hears how many they are, before they are too many.
        """
        found: list[Place] = []
        if name is None:
            self._collect(place, found, spend, texts)
        else:
            self._collect_towards(place, name, found, spend)
        return found

    def _collect(self, place: Place, found: list[Place], spend: Callable[[int], None], texts: bool) -> None:
        children = self.children(place)
        spend(len(children))
        for child in children:
            found.append(child)
            if isinstance(child.value, Container) or (texts and not child.is_text):
                self._collect(child, found, spend, texts)

    def _collect_towards(self, place: Place, name: str, found: list[Place], spend: Callable[[int], None]) -> None:
        known = self.known(place)
        for member in self.names(place):
            node = known[member]
            deeper = name in names_below(node)
            if deeper or node.name == name:
                children = self.members(place, member)
                spend(len(children))
                for child in children:
                    found.append(child)
                    if deeper:
                        self._collect_towards(child, name, found, spend)

    def order(self, place: Place) -> tuple[tuple[int, int], ...]:
        """A key that sorts places into document order."""
        parts = []
        at = place
        while at.above is not None:
            parts.append(self._rank(at, at.above))
            at = at.above
        return tuple(reversed(parts))

    def _below(self, place: Place) -> _Below:
        if place.below is None:
            place.below = _Below()
        return place.below

    def _made(self, place: Place, below: _Below, node: SchemaNode, value: Node) -> list[Place]:
        name = node.member
        if isinstance(value, Entries):
            single = below.entries.pop(name, {})
            found = [
                single.get(keys) or Place(place, node, (name, keys), entry)
                for keys, entry in value.entries.items()
            ]
        elif isinstance(value, tuple):
            found = [Place(place, node, (name, (text,)), text) for text in value]
        else:
            return [Place(place, node, name, value)]
        for item, made in enumerate(found):
            made.item = item
        return found

    def _rank(self, place: Place, above: Place) -> tuple[int, int]:
        """Where a place stands among its siblings."""
        if place.is_text:
            return 0, 0
        below = self._below(above)
        if below.order is None:
            below.order = {member: at for at, member in enumerate(self.names(above))}
        rank = below.order.get(place.member, len(below.order))
        return rank, 0 if isinstance(place.step, str) else self._item(place, above, *place.step)

    def _item(self, place: Place, above: Place, member: str, keys: tuple[str, ...]) -> int:
        if place.item < 0:
            # It was looked up by its keys. Where one has to be ordered others will be too.
            value = self.child(above, member)
            assert isinstance(value, Entries)
            made = self._below(above).entries[member]
            for item, known in enumerate(value.entries):
                if known in made:
                    made[known].item = item
        return place.item


@functools.cache
def names_below(node: SchemaNode) -> frozenset[str]:
    """The names of all nodes that can be below a node."""
    found: set[str] = set()
    for child in node.children.values():
        found |= {child.name} | names_below(child)
    return frozenset(found)
