"""Random trees and values of a schema, by a given source of chance: right one by one, seldom right as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from sdqkd.schema.table import SchemaNode, Type, read_table
from sdqkd.schema.tree import Container, Entries, Node, is_void
from sdqkd.schema.types import INTEGER_LIMITS, canonical

DATA = Path(__file__).parent / "data"
# Here, not only a fixture: hypothesis prints the arguments of a law, and this one would be too long.
SCHEMA = read_table((DATA / "sdqkd_bindings" / "schema" / "fixture.json").read_text("utf-8"), (DATA,))

_CHARACTERS = "abcXYZ 019-_/é☃😀\t\n\r<>&'\"[]"
_TEXTS = ["", "a", "it's", '"', "<&>", "]]>", "'\"\\", " a ", "/x:y[z='1']", "&amp;", "\r\n"]
_INSTANCES = [
    "/fixture:box/label",
    "/fixture:box/fixture-more:label",
    "/fixture:rows/row[name='a']/cell[x='1'][y='z']",
]


def children(known: Mapping[str, SchemaNode], rng: Random, density: float = 0.5) -> Container:
    """A container with some of the known configuration nodes, at most one case of each choice."""
    found: dict[str, Node] = {}
    cases: dict[str, str] = {}
    nodes = [node for node in known.values() if node.config and node.kind != "anydata"]
    rng.shuffle(nodes)
    for node in nodes:
        steps = [choice.partition("/") for choice in node.choice]
        if rng.random() > density or any(cases.get(name, case) != case for name, _, case in steps):
            continue
        value = _node(node, rng)
        if not is_void(node, value):
            found[node.member] = value
            cases.update({name: case for name, _, case in steps})
    return Container(found)


def _node(node: SchemaNode, rng: Random) -> Node:
    if node.kind == "leaf":
        return value(node.type, rng)
    if node.kind == "leaf-list":
        return tuple(dict.fromkeys(value(node.type, rng) for _ in range(rng.randrange(5))))
    if node.kind == "container":
        return children(node.children, rng)
    inside = {member: child for member, child in node.children.items() if member not in node.keys}
    entries = {}
    for _ in range(rng.randrange(5)):
        keys = tuple(value(node.children[key].type, rng) for key in node.keys)
        named = dict(zip(node.keys, keys, strict=True))
        entries[keys] = Container({**named, **children(inside, rng).children})
    return Entries(entries)


def value(leaf_type: Type | None, rng: Random) -> str:
    """A canonical value."""
    assert leaf_type is not None
    while True:
        try:
            return canonical(leaf_type, written(leaf_type, rng))
        except ValueError:
            continue


def changed(tree: Container, rng: Random, keys: tuple[str, ...] = ()) -> Container:
    """The tree with lists and leaf-lists in another order and some nodes left out; the first `keys` stay."""
    result: dict[str, Node] = {}
    for at, (name, node) in enumerate(tree.children.items()):
        if at < len(keys):
            result[name] = node
        elif isinstance(node, Container):
            inside = changed(node, rng)
            if inside.children or not node.children:
                result[name] = inside
        elif isinstance(node, Entries):
            order = [key for key in rng.sample(list(node.entries), len(node.entries)) if rng.random() < 0.8]
            if order:
                result[name] = Entries({key: changed(node.entries[key], rng, key) for key in order})
        elif isinstance(node, tuple):
            result[name] = tuple(rng.sample(node, len(node)))
        elif rng.random() < 0.8:
            result[name] = node
    return Container(result)


def written(leaf_type: Type, rng: Random) -> str:
    """What somebody may write for a type, in many spellings; not always a value of it."""
    base = leaf_type.base
    if leaf_type.target is not None:
        return written(leaf_type.target, rng)
    if base == "union":
        return written(rng.choice(leaf_type.types), rng)
    if base in INTEGER_LIMITS:
        low, high = INTEGER_LIMITS[base]
        number = rng.choice([low - 1, low, high, high + 1, rng.randint(low, high), rng.randint(-12, 120)])
        return rng.choice(["{}", "{:+}", "{:05}", " {}\n"]).format(number)
    return _OTHERS[base](leaf_type, rng)


def _decimal(leaf_type: Type, rng: Random) -> str:
    whole = rng.choice([rng.randrange(200), rng.randrange(10**16), 9223372036854775])
    return rng.choice(["{}{}", "{}{}.{:03}", "{}{}.{}"]).format(
        rng.choice(["", "-", "+"]), whole, rng.randrange(1000)
    )


def _bits(leaf_type: Type, rng: Random) -> str:
    return " ".join(rng.choices([*leaf_type.bits, "zz"], k=rng.randrange(4)))


def _binary(leaf_type: Type, rng: Random) -> str:
    return "".join(rng.choices("ABcd09+/", k=4 * rng.randrange(4))) + rng.choice(["", "AA==", "AAA=", "A"])


def _string(leaf_type: Type, rng: Random) -> str:
    if leaf_type.name in _SHAPES:
        return _SHAPES[leaf_type.name](rng)
    if leaf_type.patterns:
        return "".join(rng.choices("abc", k=rng.randint(1, 3))) + rng.choice(["", "-1", "-23", "x", "-१"])
    return rng.choice([*_TEXTS, "".join(rng.choices(_CHARACTERS, k=rng.randrange(9)))])


_OTHERS: dict[str, Callable[[Type, Random], str]] = {
    "decimal64": _decimal,
    "boolean": lambda leaf_type, rng: rng.choice(["true", "false", "True", "1", ""]),
    "empty": lambda leaf_type, rng: "",
    "enumeration": lambda leaf_type, rng: rng.choice([*leaf_type.enums, "none of them"]),
    "bits": _bits,
    "binary": _binary,
    "identityref": lambda leaf_type, rng: rng.choice(
        [*sorted(leaf_type.identities), "fixture-types:COLOUR", "NONE"]
    ),
    "instance-identifier": lambda leaf_type, rng: rng.choice(_INSTANCES),
    "string": _string,
}


def _hex(rng: Random, *lengths: int, between: str) -> str:
    return between.join("".join(rng.choices("0123456789abcdefABCDEF", k=length)) for length in lengths)


def _time(rng: Random) -> str:
    day = f"20{rng.randrange(100):02}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    hour = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(61):02}"
    # Not -00:01 to -00:59: there libyang loses the sign.
    zone = rng.choice(["Z", f"{rng.choice('+-')}{rng.randint(1, 13):02}:{rng.randrange(60):02}", "+00:30"])
    return f"{day}T{hour}{rng.choice(['', '.5', '.250', '.000001'])}{zone}"


def _ipv4(rng: Random) -> str:
    return ".".join(str(rng.randrange(256)) for _ in range(4))


def _ipv6(rng: Random) -> str:
    if rng.random() < 0.2:
        return f"::ffff:{_ipv4(rng)}"
    parts = [rng.choice(["0", "0000", "1", "ABcd", "00f0"]) for _ in range(8)]
    return ":".join(parts) if rng.random() < 0.5 else ":".join(parts[: rng.randint(1, 5)]) + "::" + parts[7]


def _domain(rng: Random) -> str:
    return ".".join(_hex(rng, rng.randint(2, 6), between="") for _ in range(rng.randint(1, 3)))


_SHAPES: dict[str, Callable[[Random], str]] = {
    "uuid": lambda rng: _hex(rng, 8, 4, 4, 4, 12, between="-"),
    "mac-address": lambda rng: _hex(rng, 2, 2, 2, 2, 2, 2, between=":"),
    "hex-string": lambda rng: _hex(rng, *[2] * rng.randint(1, 5), between=":"),
    "date-and-time": _time,
    "ipv4-address": _ipv4,
    "ipv6-address": _ipv6,
    "ipv4-prefix": lambda rng: f"{_ipv4(rng)}/{rng.randrange(33)}",
    "ipv6-prefix": lambda rng: f"{_ipv6(rng)}/{rng.randrange(129)}",
    "domain-name": _domain,
    "uri": lambda rng: rng.choice(["urn:", "https://", "x-1+2:"]) + _domain(rng),
    "name": lambda rng: "".join(rng.choices("abz-09", k=rng.randint(1, 12))),
}
