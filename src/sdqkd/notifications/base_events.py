"""The notifications of RFC 6470 as trees: what a server tells of itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal, TypeAlias

from sdqkd.schema.diff import Change
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Entries, Node, Path

MODULE = "ietf-netconf-notifications"
MAX_EDITS = 100

Termination: TypeAlias = Literal["closed", "killed", "dropped", "timeout", "bad-hello", "other"]
Datastore: TypeAlias = Literal["running", "startup"]  # of the others RFC 6470 tells nothing
ConfirmEvent: TypeAlias = Literal["start", "cancel", "timeout", "extend", "complete"]
_OPERATIONS = {"add": "create", "remove": "delete", "change": "replace"}


@dataclass(frozen=True, slots=True)
class Client:
    """Whose session it is. `host` is an IP address; anything else is left out."""

    username: str
    session_id: int
    host: str = ""


def config_change(
    schema: Schema,
    changes: Sequence[Change],
    by: Client | None,
    datastore: Datastore = "running",
) -> Container:
    """netconf-config-change: what a client, or the server itself (None), has changed.

    Of more than `MAX_EDITS` changes only the nodes above them are told, as section 2.2 of the RFC allows.
    """
    content: dict[str, Node] = {"changed-by": _changed_by(by), "datastore": datastore}
    edits = [
        Container({"target": target, "operation": operation})
        for target, operation in _edits(schema, changes).items()
    ]
    if edits:
        content["edit"] = Entries({(str(number),): edit for number, edit in enumerate(edits, 1)})
    return _notification("netconf-config-change", content)


def session_start(client: Client) -> Container:
    """netconf-session-start."""
    return _notification("netconf-session-start", _client(client))


def session_end(client: Client, reason: Termination, killed_by: int | None = None) -> Container:
    """netconf-session-end; `killed_by` is the session that did it, if one did."""
    killer = {"killed-by": str(killed_by)} if killed_by is not None and reason == "killed" else {}
    return _notification("netconf-session-end", {**_client(client), **killer, "termination-reason": reason})


def confirmed_commit(event: ConfirmEvent, client: Client | None, timeout_s: int | None = None) -> Container:
    """netconf-confirmed-commit. The timeout goes with start and extend, the client with all but timeout."""
    content: dict[str, Node] = _client(client) if client is not None and event != "timeout" else {}
    content["confirm-event"] = event
    if timeout_s is not None and event in {"start", "extend"}:
        content["timeout"] = str(timeout_s)
    return _notification("netconf-confirmed-commit", content)


def _notification(name: str, content: dict[str, Node]) -> Container:
    return Container({f"{MODULE}:{name}": Container(content)})


def _changed_by(by: Client | None) -> Container:
    return Container({"server": ""} if by is None else _client(by))


def _client(client: Client) -> dict[str, Node]:
    leafs: dict[str, Node] = {"username": client.username, "session-id": str(client.session_id)}
    with contextlib.suppress(ValueError):  # a name, or no network at all
        leafs["source-host"] = str(ip_address(client.host))
    return leafs


def _edits(schema: Schema, changes: Sequence[Change]) -> dict[str, str]:
    """Operations by target; at most `MAX_EDITS`."""
    if len(changes) <= MAX_EDITS:
        edits = dict(edit for change in changes for edit in _edit(schema, change))
        if len(edits) <= MAX_EDITS:
            return {target: operation for target, operation in edits.items() if target}
    above = [change.path[:-1] for change in changes]
    while len(set(above)) > MAX_EDITS:
        longest = max(map(len, above))
        above = [path[:-1] if len(path) == longest else path for path in above]
    targets = (instance(schema, path) for path in _outermost(above))
    return {target: "merge" for target in targets if target}


def _outermost(paths: Iterable[Path]) -> list[Path]:
    known = dict.fromkeys(paths)
    return [path for path in known if not any(path[:length] in known for length in range(len(path)))]


def _edit(schema: Schema, change: Change) -> Iterator[tuple[str, str]]:
    """What one change did. A leaf-list is told by its values; of a list that got another order its parent."""
    node = schema.node(change.path)
    if node.kind == "leaf-list" and isinstance(change.path[-1], str):
        old, new = _values(change.old), _values(change.new)
        for operation, values, others in (("delete", old, new), ("create", new, old)):
            for value in values:
                if value not in others:
                    yield instance(schema, (*change.path[:-1], (change.path[-1], (value,)))), operation
        if set(old) == set(new):
            yield instance(schema, change.path[:-1]), "merge"
    elif node.kind == "list" and isinstance(change.path[-1], str):
        yield instance(schema, change.path[:-1]), "merge"
    else:
        yield instance(schema, change.path), _OPERATIONS[change.op]


def _values(node: Node | None) -> tuple[str, ...]:
    return node if isinstance(node, tuple) else ()


def instance(schema: Schema, path: Path) -> str:
    """A path as the canonical text of an instance-identifier (RFC 7950 section 9.13.3), "" for the root.

    It has no escapes: where a key holds both kinds of quotes, the path ends above the entry.
    """
    parts: list[str] = []
    known = schema.data
    for step in path:
        name, keys = (step, ()) if isinstance(step, str) else step
        node = known[name]
        if any("'" in key and '"' in key for key in keys):
            break
        names = (".",) if node.kind == "leaf-list" else node.keys
        predicates = (f"[{key}={_quoted(value)}]" for key, value in zip(names, keys, strict=False))
        parts.append(f"/{name}{''.join(predicates)}")
        known = node.children
    return "".join(parts)


def _quoted(value: str) -> str:
    return f'"{value}"' if "'" in value else f"'{value}'"
