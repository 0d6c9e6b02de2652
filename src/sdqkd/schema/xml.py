"""Trees from and to XML, as NETCONF carries them (RFC 7950 sections 7 and 9).

Elements come from lxml, already parsed safely. Printing builds the text itself, which is several times as fast
as building elements; each element declares its namespace where its module differs from its parent's.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sdqkd.errors import RpcError
from sdqkd.schema import problems
from sdqkd.schema.elements import Element, Reading, is_content
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Entries, Node
from sdqkd.schema.types import member_type, needs_prefixes

_LONG_LIST = 32  # entries of a list that are worth the memory for their texts at once
_ONCE = ()
_KEPT_CHARACTERS = 4096  # of an entry's text, at most: long ones hold lists, whose entries are kept by themselves
_MARKUP = re.compile("[&<>\r]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
# Canonical values of these types never hold markup.
_PLAIN = re.compile("u?int[0-9]+|decimal64|boolean|empty|bits|binary|identityref")

_INSTANCE_NAME = re.compile(
    r"""(?P<literal>'[^']*'|"[^"]*")|(?P<lead>[/\[])(?:(?P<module>[A-Za-z_][\w.\-]*):)?(?P<name>[A-Za-z_][\w.\-]*)"""
)


def decode(schema: Schema, elements: Iterable[Element], *, state: bool = False) -> Container:
    """The tree of these top-level elements. Attributes, comments and processing instructions are ignored.

    State is refused unless `state`. Raises RpcError with tag and path: `unknown-element`, `unknown-namespace`,
    `missing-element` (a list key), `invalid-value`, `bad-element`. Nothing is said of what takes a whole
    tree to judge (mandatory nodes, must, leafref …): that is `validate`.
    """
    listed = list(elements)
    top = listed[0].getparent() if listed else None
    return Decoder(Reading(schema, schema.by_tag, top), state).children(schema.by_tag, listed)


def decode_below(schema: Schema, node: SchemaNode, element: Element, *, state: bool = True) -> Container:
    """The content of `element`, which is an instance of `node`: a notification, the input of an RPC …

    Paths of errors start below it. Raises RpcError as `decode` does.
    """
    below = dataclasses.replace(schema, data=node.children, by_tag=node.by_tag)
    return Decoder(Reading(below, node.by_tag, element), state).children(node.by_tag, element)


class Decoder:
    """Reads one document, or the content of one element. The elements of nodes with a `when` are noted."""

    def __init__(self, reading: Reading, state: bool, conditional: list[Element] | None = None) -> None:
        self.reading = reading
        self.state = state
        self.conditional = [] if conditional is None else conditional

    def children(self, known: Mapping[str, SchemaNode], elements: Iterable[Element]) -> Container:
        """What the elements hold; `known` are the nodes at this place. Raises RpcError as `decode` does."""
        found: dict[str, Any] = {}
        lists: dict[SchemaNode, dict[tuple[str, ...], Container]] = {}
        leaf_lists: dict[SchemaNode, Element] = {}
        empty = False
        chosen: dict[SchemaNode, Element] = {}
        for element in elements:
            node = known.get(element.tag)
            if node is None:
                if is_content(element):
                    raise self.reading.unknown(element, known)
                continue
            if node.choice:
                chosen[node] = element
            if not (node.config or self.state):
                raise problems.is_state(self.reading.schema, self.reading.path_of(element), node)
            if node.has_when:
                self.conditional.append(element)
            if node.kind == "list":
                if node not in lists:
                    lists[node] = {}
                    found[node.member] = Entries(lists[node])
                self._add_entry(node, element, lists[node])
            elif node.kind == "leaf-list":
                leaf_lists[node] = element
                found.setdefault(node.member, []).append(self.reading.value(node, element))
            elif node.member in found:
                raise self._twice(element, node)
            elif node.kind == "container":
                found[node.member] = inside = self._container(node, element)
                empty = empty or inside is None
            else:
                found[node.member] = self.reading.value(node, element)
        for leaf_list, last in leaf_lists.items():
            found[leaf_list.member] = self._values(leaf_list, found[leaf_list.member], last)
        if len(chosen) > 1 and (pair := problems.first_conflict(chosen)):
            raise problems.two_cases(self.reading.schema, self.reading.path_of(chosen[pair[1]]), *pair)
        return Container({name: value for name, value in found.items() if value is not None} if empty else found)

    def _container(self, node: SchemaNode, element: Element) -> Container | None:
        """A container; None if it says nothing."""
        self.reading.refuse_text(element)
        inside = self.children(node.by_tag, element)
        return inside if inside.children or node.presence else None

    def _add_entry(self, node: SchemaNode, element: Element, entries: dict[tuple[str, ...], Container]) -> None:
        self.reading.refuse_text(element)
        inside = self.children(node.by_tag, element)
        if not node.keys:
            entries[(str(len(entries) + 1),)] = inside
            return
        try:
            keys = tuple([str(inside.children[key]) for key in node.keys])
        except KeyError:
            keys = self.reading.keys(node, element)
        if keys in entries:
            raise self._twice(element, node)
        if next(iter(inside.children)) != node.keys[0]:
            inside = Container({**dict(zip(node.keys, keys, strict=True)), **inside.children})
        entries[keys] = inside

    def _values(self, node: SchemaNode, values: list[str], last: Element) -> tuple[str, ...]:
        if node.config and len(set(values)) < len(values):
            times = Counter(values)
            double = next(value for value in values if times[value] > 1)
            above = self.reading.path_of(last)[:-1]
            raise problems.given_twice(self.reading.schema, (*above, (node.member, (double,))), node)
        return tuple(values)

    def _twice(self, element: Element, node: SchemaNode) -> RpcError:
        return problems.given_twice(self.reading.schema, self.reading.path_of(element), node)


class _Tags(NamedTuple):
    """How a node is printed. `start` lacks its `>`, so that a value can add the prefix that it needs."""

    start: str
    end: str
    plain: bool
    prefixed: bool


@functools.cache
def _tags(node: SchemaNode) -> _Tags:
    # A member name holds its module exactly where the namespace changes.
    namespace = f' xmlns="{node.namespace}"' if ":" in node.member else ""
    # Without a type it is anydata, whose text is XML already.
    plain = node.type is None or bool(_PLAIN.fullmatch(node.type.base))
    prefixed = node.type is not None and needs_prefixes(node.type)
    return _Tags(f"<{node.name}{namespace}", f"</{node.name}>", plain, prefixed)


def encode(schema: Schema, tree: Container) -> bytes:
    """The top-level elements of `tree` in UTF-8, one after the other; keys first in each list entry.

    KeyError if the tree holds a member that the schema does not know.
    """
    printer = Printer(schema)
    printer.children(schema.data, tree.children)
    return printer.text().encode()


def encode_one(schema: Schema, node: SchemaNode, value: Node) -> bytes:
    """One node as a document of its own: a notification, a node from inside a tree; every entry of a list."""
    printer = Printer(schema)
    printer.node(node, value, "" if ":" in node.member else f' xmlns="{node.namespace}"')
    return printer.text().encode()


def escape(text: str) -> str:
    """Text as the content of an element. A carriage return would not survive unescaped."""
    return _MARKUP.sub(lambda match: _ESCAPES[match[0]], text) if _MARKUP.search(text) else text


def in_quotes(escaped: str) -> str:
    """Escaped text as the value of a double-quoted attribute, which also would lose line ends and tabs."""
    return escaped.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")


@functools.lru_cache(maxsize=4096)
def _identity(schema: Schema, module: str, value: str) -> tuple[str, str]:
    """What to declare for an identity as the value of a node of `module`, and how to write it."""
    own, _, name = value.partition(":")
    if own == module:
        return "", name
    prefix = _prefixes(schema)[own]
    return f' xmlns:{prefix}="{schema.namespace_of(own)}"', f"{prefix}:{name}"


@functools.lru_cache(maxsize=64)
def _prefixes(schema: Schema) -> Mapping[str, str]:
    return {module.name: module.prefix for module in schema.modules}


class Printer:
    """Prints nodes of one schema, one after the other. `marks` are attributes, with a space before each."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._prefixes = _prefixes(schema)
        self._pieces: list[str] = []

    def text(self) -> str:
        """All that was printed."""
        return "".join(self._pieces)

    def children(self, known: Mapping[str, SchemaNode], children: Mapping[str, Node]) -> None:
        """Print nodes by member name; `known` are the schema nodes at this place."""
        for member, value in children.items():
            if isinstance(value, str):
                self._leaf(known[member], _tags(known[member]), value, "")
            else:
                self.node(known[member], value)

    def start(self, node: SchemaNode, marks: str = "") -> None:
        """Print a start tag."""
        self._pieces.append(f"{_tags(node).start}{marks}>")

    def end(self, node: SchemaNode) -> None:
        """Print an end tag."""
        self._pieces.append(_tags(node).end)

    def node(self, node: SchemaNode, value: Node, marks: str = "") -> None:
        """Print a node with all that it holds."""
        tags = _tags(node)
        if isinstance(value, str):
            self._leaf(node, tags, value, marks)
        elif isinstance(value, tuple):
            for item in value:
                self._leaf(node, tags, item, marks)
        elif isinstance(value, Entries):
            keep = len(value.entries) >= _LONG_LIST
            for entry in value.entries.values():
                self.entry(node, entry, marks, keep=keep)
        else:
            self._pieces.append(f"{tags.start}{marks}>")
            self.children(node.children, value.children)
            self._pieces.append(tags.end)

    def entry(self, node: SchemaNode, entry: Container, marks: str = "", *, keep: bool = False) -> None:
        """Print one entry of a list, its keys first.

        From the second time on its text is kept with it, from the first if wanted: an entry never changes.
        """
        before = printed = getattr(entry, "printed", None)
        if not printed or printed[0] is not node or printed[1] is not self.schema:
            printed = node, self.schema, self._text_of(node, entry)
            if node.config and len(printed[2]) <= _KEPT_CHARACTERS:
                object.__setattr__(entry, "printed", printed if keep or before is not None else _ONCE)
        if marks:
            start = len(_tags(node).start)
            self._pieces += (printed[2][:start], marks, printed[2][start:])
        else:
            self._pieces.append(printed[2])

    def _text_of(self, node: SchemaNode, entry: Container) -> str:
        tags, children = _tags(node), entry.children
        if node.keys and tuple(children)[: len(node.keys)] != node.keys:
            children = {**{key: children[key] for key in node.keys}, **children}
        before, self._pieces = self._pieces, [tags.start, ">"]
        self.children(node.children, children)
        self._pieces.append(tags.end)
        text, self._pieces = self.text(), before
        return text

    def _leaf(self, node: SchemaNode, tags: _Tags, value: str, marks: str) -> None:
        if tags.prefixed:
            declared, value = self.prefixed(node, value)
            self._pieces.append(f"{tags.start}{declared}{marks}>{value}{tags.end}")
        elif tags.plain:
            self._pieces.append(f"{tags.start}{marks}>{value}{tags.end}")
        else:
            self._pieces.append(f"{tags.start}{marks}>{escape(value)}{tags.end}")

    def prefixed(self, node: SchemaNode, value: str) -> tuple[str, str]:
        """What an element must declare for the prefixes in this value of `node`, and the value with them."""
        assert node.type is not None
        base = node.type.base
        if base not in {"identityref", "instance-identifier"}:
            base = member_type(node.type, value).base
        if base == "instance-identifier":
            return self._instance(value)
        if base != "identityref":
            return "", escape(value)
        return _identity(self.schema, node.module, value)

    def declare(self, module: str) -> str:
        """The attribute that binds the module's own prefix."""
        return f' xmlns:{self._prefixes[module]}="{self.schema.namespace_of(module)}"'

    def prefix(self, module: str) -> str:
        """The module's own prefix, as `declare` binds it."""
        return self._prefixes[module]

    def _instance(self, value: str) -> tuple[str, str]:
        """An instance-identifier with a prefix on every name, as XML wants it (RFC 7950 section 9.13.2)."""
        modules: dict[str, None] = {}
        module = ""

        def prefix(match: re.Match[str]) -> str:
            nonlocal module
            if match["literal"]:
                return match[0]
            module = match["module"] or module
            modules[module] = None
            return f"{match['lead']}{self._prefixes[module]}:{match['name']}"

        text = _INSTANCE_NAME.sub(prefix, value)
        return "".join(map(self.declare, modules)), escape(text)
