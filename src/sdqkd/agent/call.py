"""What an operation gets, and what a row of a table of operations says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sdqkd.agent.parameters import Parameters
from sdqkd.agent.service import Service
from sdqkd.agent.sessions import Session
from sdqkd.datastore.nacm import Rights
from sdqkd.datastore.steps import Steps
from sdqkd.schema.tree import Container

OK = b"<ok/>"


@dataclass(frozen=True, slots=True)
class Call:
    """One operation to be done: for whom, on what, with which parameters."""

    service: Service
    session: Session
    parameters: Parameters

    @property
    def rights(self) -> Rights:
        """What the user may do: every change must ask."""
        return self.service.access.rights(self.session.username)

    def readable(self, tree: Container) -> Container:
        """Give what the user may read of a tree: every answer with data must ask."""
        return self.service.access.readable(self.session.username, tree)


# The content of the reply, or the steps to it where they can take longer than others may have to wait.
Handler: TypeAlias = Callable[[Call], bytes | Steps[bytes]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table. `changes`: whether it can change more than its own session.

    `repeats`: whether its answer depends on the request, the rights and the configurations alone.
    Of its parameters those in `lists` may come more than once.
    """

    handler: Handler
    parameters: tuple[str, ...] | None = ()  # None: the handler reads them, from `Parameters.operation`
    changes: bool = True
    lists: tuple[str, ...] = ()
    repeats: bool = False
