"""What all sessions of an agent share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sdqkd.agent.access import AccessControl
from sdqkd.agent.clock import Clock
from sdqkd.agent.commit_timer import CommitTimer
from sdqkd.agent.sessions import Sessions
from sdqkd.datastore.datastores import Datastores
from sdqkd.netconf.session import SERVER_MAX_MESSAGE_BYTES
from sdqkd.schema.table import Schema


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an agent bears from a client. Times in seconds."""

    hello_timeout_s: float = 30.0
    max_message_bytes: int = SERVER_MAX_MESSAGE_BYTES


@dataclass(frozen=True, slots=True)
class Service:
    """What all sessions of an agent share. `name` is the device's, for the logs.

    `namespaces` gives the namespace of each module.
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
    access: AccessControl
