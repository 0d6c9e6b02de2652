"""What an agent reports of itself: /netconf-state, RFC 6022."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import datetime

from sdqkd.agent.clock import time_text
from sdqkd.agent.sessions import Counters, Session, Sessions, host_of
from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.nacm import Rights
from sdqkd.schema.json import decode
from sdqkd.schema.path import format_path, parse_path
from sdqkd.schema.sources import parts
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Entries, Node, Path, get, put

_MODULE = "ietf-netconf-monitoring"
_TOP = f"{_MODULE}:netconf-state"
_PARTIAL_LOCKS: Path = (_TOP, "datastores", ("datastore", ("running",)), "locks", "partial-lock")
_COUNTER_SIZE = 2**32  # yang:zero-based-counter32


class Monitor:
    """Reads datastores and sessions when it is asked. What never changes is shared by all agents of a schema."""

    def __init__(
        self, datastores: Datastores, sessions: Sessions, capabilities: tuple[str, ...], started: datetime
    ) -> None:
        self._datastores = datastores
        self._sessions = sessions
        self._fixed = _fixed(datastores.schema, capabilities)
        self._started = time_text(started)

    def state(self) -> Container:
        """Give what is so now."""
        changing: dict[str, Node] = {
            "datastores": Container({"datastore": self._datastore_list()}),
            "sessions": Container({"session": _session_list(self._sessions)}),
            "statistics": self._statistics(),
        }
        return Container({_TOP: Container({**self._fixed, **changing})})

    def _datastore_list(self) -> Entries:
        locks = self._datastores.locks
        entries: dict[tuple[str, ...], Container] = {}
        for target in self._datastores.targets:
            children: dict[str, Node] = {"name": target}
            if held := locks.get(target):
                lock = {"locked-by-session": str(held.session), "locked-time": time_text(held.since)}
                children["locks"] = Container({"global-lock": Container(lock)})
            elif target == "running" and self._datastores.partial_locks:
                children["locks"] = Container({"partial-lock": self._partial_locks()})
            entries[(target,)] = Container(children)
        return Entries(entries)

    def _partial_locks(self) -> Entries:
        schema = self._datastores.schema
        entries: dict[tuple[str, ...], Container] = {}
        for number, held in self._datastores.partial_locks.items():
            leafs: dict[str, Node] = {
                "lock-id": str(number),
                "locked-by-session": str(held.session),
                "locked-time": time_text(held.since),
                "select": held.selects,
                "locked-node": tuple(format_path(path, schema) for path in held.nodes),
            }
            entries[(str(number),)] = Container(leafs)
        return Entries(entries)

    def _statistics(self) -> Container:
        sessions = self._sessions
        return Container(
            {
                "netconf-start-time": self._started,
                "in-bad-hellos": _counter(sessions.bad_hellos),
                "in-sessions": _counter(sessions.started),
                "dropped-sessions": _counter(sessions.dropped),
                **_counters(sessions.counters()),
            }
        )


def without_hidden_nodes(schema: Schema, rights: Rights, tree: Container) -> Container:
    """Give state without the names of locked nodes that the user may not read: keys are data, too (RFC 8341)."""
    locks = get(tree, _PARTIAL_LOCKS)
    if not isinstance(locks, Entries):
        return tree
    shown = {keys: _shown_lock(schema, rights, lock) for keys, lock in locks.entries.items()}
    if all(shown[keys] is lock for keys, lock in locks.entries.items()):
        return tree
    return put(schema, tree, _PARTIAL_LOCKS, Entries(shown))


def _shown_lock(schema: Schema, rights: Rights, lock: Container) -> Container:
    nodes = lock.children.get("locked-node")
    if not isinstance(nodes, tuple):
        return lock
    shown = tuple(node for node in nodes if rights.may_read(parse_path(schema, node)))
    if len(shown) == len(nodes):
        return lock
    # The expression that selected the others may name them, too.
    rest = {name: value for name, value in lock.children.items() if name not in ("select", "locked-node")}
    return Container({**rest, "locked-node": shown} if shown else rest)


@functools.cache
def _fixed(schema: Schema, capabilities: tuple[str, ...]) -> dict[str, Node]:
    """Give the parts that never change, each under its name, ready to be shared."""
    schemas = [
        {
            "identifier": part.name,
            "version": part.revision,
            "format": f"{_MODULE}:yang",
            "namespace": module.namespace,
            "location": ["NETCONF"],
        }
        for module, part in parts(schema)
    ]
    document = {_TOP: {"capabilities": {"capability": list(capabilities)}, "schemas": {"schema": schemas}}}
    top = get(decode(schema, document, state=True), (_TOP,))
    assert isinstance(top, Container)
    return dict(top.children)


def _session_list(sessions: Iterable[Session]) -> Entries:
    return Entries({(str(session.id),): _session(session) for session in sessions})


def _session(session: Session) -> Container:
    host = host_of(session.peer)
    return Container(
        {
            "session-id": str(session.id),
            "transport": f"{_MODULE}:netconf-{session.protocol}",
            "username": session.username,
            **({"source-host": host} if host else {}),
            "login-time": time_text(session.login_time),
            **_counters(session.counters),
        }
    )


def _counters(counters: Counters) -> dict[str, str]:
    return {
        "in-rpcs": _counter(counters.in_rpcs),
        "in-bad-rpcs": _counter(counters.in_bad_rpcs),
        "out-rpc-errors": _counter(counters.out_rpc_errors),
        "out-notifications": _counter(counters.out_notifications),
    }


def _counter(value: int) -> str:
    return str(value % _COUNTER_SIZE)
