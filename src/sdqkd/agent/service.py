"""What all sessions of an agent share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sdqkd.agent.access import AccessControl
from sdqkd.agent.answers import Answers
from sdqkd.agent.clock import Clock
from sdqkd.agent.commit_timer import CommitTimer
from sdqkd.agent.notifier import Notifier
from sdqkd.agent.sessions import Sessions
from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.size_limit import MAX_BYTES
from sdqkd.netconf.session import SERVER_MAX_MESSAGE_BYTES
from sdqkd.schema.defaults import DefaultsInUse
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Path


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an agent bears from its clients. Times in seconds; None is for ever."""

    hello_timeout_s: float = 30.0
    rpc_timeout_s: float = 120.0  # from the beginning of a message to its end
    idle_timeout_s: float | None = 3600.0  # between two messages; not for a session that gets notifications
    max_message_bytes: int = SERVER_MAX_MESSAGE_BYTES
    max_waiting_bytes: int = 4 * SERVER_MAX_MESSAGE_BYTES  # of all sessions: received, not yet a whole message
    max_configuration_bytes: int = MAX_BYTES  # of each datastore, roughly as it is kept
    turn_s: float = 0.01  # for the calls of one session, before other sessions have their turn


@dataclass(frozen=True, slots=True)
class Service:
    """What all sessions of an agent share. `name` is the device's, for the logs.

    `namespaces` gives the namespace of each module. `invoke` does the operations of the device's own model, None
    if it has none: see `Operable`.
    """

    name: str
    schema: Schema
    datastores: Datastores
    sessions: Sessions
    capabilities: tuple[str, ...]
    namespaces: Mapping[str, str]
    limits: Limits
    clock: Clock
    commit_timer: CommitTimer
    defaults: DefaultsInUse
    access: AccessControl
    notifier: Notifier
    invoke: Callable[[str, Path, Container], Container] | None = None
    answers: Answers = field(default_factory=Answers)
