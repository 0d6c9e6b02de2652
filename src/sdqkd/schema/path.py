"""Instance paths as text, as RFC 7951 section 6.11 and libyang write them.

/etsi-qkd-sdn-node:qkd_node/qkd_links/qkd_link[qkdl_id='…']/sdqkd-qkd-node:oper-status
"""

from __future__ import annotations

import re

from sdqkd.errors import RpcError
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Path, Step

_NAME = re.compile(r"/\s*([A-Za-z_][\w.\-]*(?::[A-Za-z_][\w.\-]*)?)")
_PREDICATE = re.compile(
    r"""\[\s*(?:(?P<position>[1-9][0-9]*)|(?P<name>\.|[A-Za-z_][\w.:\-]*)\s*=\s*"""
    r"""(?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"))\s*\]""",
    re.DOTALL,
)


def format_path(path: Path, schema: Schema) -> str:
    """The text of `path`; "/" for the empty path. KeyError if the schema does not know it."""
    known = schema.data
    parts = []
    for step in path:
        name = step if isinstance(step, str) else step[0]
        parts.append("/" + name)
        if isinstance(step, tuple):
            parts.append(predicates(known[name], step[1]))
        known = known[name].children
    return "".join(parts) or "/"


def predicates(node: SchemaNode, keys: tuple[str, ...]) -> str:
    """The bracketed part of a path step: keys of a list entry, value of a leaf-list, or position."""
    if node.kind == "leaf-list":
        return f"[.={quote(keys[0])}]"
    if not node.keys:
        return f"[{keys[0]}]"
    return "".join(f"[{name}={quote(value)}]" for name, value in zip(node.keys, keys, strict=True))


def quote(value: str) -> str:
    """A key value between quotes: single ones unless it holds one; then double, with `\\"` and `\\\\`."""
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_path(schema: Schema, text: str) -> Path:
    """Read an instance path; "/" is the empty path. A list without predicates stands for the whole list.

    Raises RpcError: `unknown-element` for a name that the schema does not have, `invalid-value` for wrong
    syntax, `missing-element` if only some of the keys are given.
    """
    if text.strip() == "/":
        return ()
    known = schema.data
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _NAME.match(text, at)
        if match is None:
            raise _syntax(text, at)
        node = known.get(match[1])
        if node is None:
            raise RpcError("unknown-element", f"the model has no '{match[1]}' here", path=text)
        given, at = _given(text, match.end())
        steps.append((node.member, _keys(node, given, text)) if given else node.member)
        known = node.children
    if not steps:
        raise _syntax(text, 0)
    return tuple(steps)


def read_predicates(node: SchemaNode, text: str) -> tuple[str, ...]:
    """The key values in predicates alone, such as `[name='a'][port='1']`. Raises RpcError."""
    given, at = _given(text.strip(), 0)
    if at < len(text.strip()):
        raise _syntax(text, at)
    return _keys(node, given, text)


def _given(text: str, at: int) -> tuple[dict[str, str], int]:
    """The predicates that start at `at`, by name ("" for a position), and where they end."""
    given: dict[str, str] = {}
    while at < len(text) and text[at] == "[":
        match = _PREDICATE.match(text, at)
        if match is None:
            raise _syntax(text, at)
        if match["position"]:
            given[""] = match["position"]
        elif match["single"] is not None:
            given[match["name"]] = match["single"]
        else:
            given[match["name"]] = re.sub(r"\\(.)", r"\1", match["double"], flags=re.DOTALL)
        at = match.end()
    return given, at


def _keys(node: SchemaNode, given: dict[str, str], text: str) -> tuple[str, ...]:
    names = (".",) if node.kind == "leaf-list" else node.keys or ("",)
    # A key may carry its module's name, as an XPath would write it.
    by_name = {name.rpartition(":")[2]: value for name, value in given.items()}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise RpcError("missing-element", f"the key '{missing[0]}' of {node.name} is missing", path=text)
    if len(by_name) > len(names):
        raise RpcError("invalid-value", f"{node.name} has no other keys than {', '.join(names)}", path=text)
    return tuple(by_name[name] for name in names)


def _syntax(text: str, at: int) -> RpcError:
    return RpcError("invalid-value", f"not an instance path: {text!r} is wrong at {text[at:][:20]!r}")
