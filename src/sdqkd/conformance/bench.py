"""What all cases of one run share: the server, how to log in, its facts, the target model, and idle sessions."""

from __future__ import annotations

import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sdqkd.conformance.case import Case, Target
from sdqkd.conformance.facts import LIBRARY, Facts, modules_of_hello, modules_of_library
from sdqkd.conformance.schemas import Library
from sdqkd.conformance.session import Patience, RawSession
from sdqkd.conformance.ssh import Login, connect
from sdqkd.conformance.texts import expand
from sdqkd.errors import InputError, SdqkdError, TransportError, UnreachableError

T = TypeVar("T")
_RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Bench:
    """One server under test. `idle` are greeted sessions of the first user that the next case may use."""

    login: Login
    second: Login | None
    target: Target
    facts: Facts
    settings: Mapping[str, str]
    patience: Patience
    restart_command: str | None
    library: Library
    idle: deque[RawSession] = field(default_factory=deque)

    def names(self, case: Case) -> dict[str, str]:
        """What texts stand for in a case, but for what only comes up when it is played."""
        given = {f"set.{name}": value for name, value in self.settings.items()}
        known_as = self.settings.get("second-name", self.second.user if self.second else "")
        second = {"second-user": known_as} if self.second else {}
        return {**self.target.texts, **case.names, **given, **second, "work": self.work}

    @property
    def work(self) -> str:
        """The datastore that edits go to: candidate where there is one."""
        return "candidate" if self.facts.offers("candidate") else "running"

    def take(self) -> RawSession:
        """An idle session that the server has not ended, or a new one. Raises SdqkdError."""
        while self.idle:
            session = self.idle.popleft()
            if session.open:
                return session
            session.drop()
        return greet(self.login, self.patience)

    def dismiss(self) -> None:
        """Close all idle sessions."""
        while self.idle:
            self.idle.popleft().drop()

    def prepare(self) -> None:
        """Bring in what the target model must have, and remove what an earlier run left. Raises SdqkdError."""
        self.dismiss()
        session = self.take()
        for setup in self.target.setup:
            found = session.call("<get-config><source><running/></source></get-config>")
            if not found.root.xpath(setup.unless, namespaces=dict(self.target.namespaces)):
                self._edit_running(session, setup.edit)
        self.idle.append(session)
        self.restore()

    def restore(self) -> None:
        """Undo what a case did. Raises SdqkdError if the server does not let us."""
        retry(self._restore, self.patience.close_s)

    def revive(self) -> None:
        """Get a server that does not serve any more to serve again, if we may restart it. Raises SdqkdError."""
        self.dismiss()
        if self.restart_command is not None:
            self.restart()
        self.prepare()

    def _restore(self) -> None:
        session = self.take()
        try:
            if self.work == "candidate":
                _must(session, "<discard-changes/>")
            self._edit_running(session, "${clean}")
        except SdqkdError:
            session.drop()
            raise
        self.idle.append(session)

    def _edit_running(self, session: RawSession, edit: str) -> None:
        config = f"<config>{expand(edit, self.target.texts)}</config>"
        _must(session, f"<edit-config><target><{self.work}/></target>{config}</edit-config>")
        if self.work == "candidate":
            _must(session, "<commit/>")

    def restart(self) -> None:
        """Restart the server and wait until it serves again. Raises TransportError if it does not."""
        assert self.restart_command is not None
        self.dismiss()
        done = subprocess.run(self.restart_command, shell=True, check=False, timeout=60, capture_output=True)  # noqa: S602
        if done.returncode:
            raise UnreachableError(self.login.peer, f"--restart-command fails with {done.returncode}")
        self.idle.append(retry(lambda: greet(self.login, self.patience), self.patience.login_s))


def greet(login: Login, patience: Patience) -> RawSession:
    """A new polite session. Raises TransportError, Silence, Closed or ProtocolError."""
    session = RawSession(connect(login, patience.login_s), patience)
    try:
        session.greet()
    except SdqkdError:
        session.drop()
        raise
    return session


def explore(session: RawSession) -> Facts:
    """Ask a server what it offers. Raises SdqkdError."""
    facts = Facts(session.capabilities, modules_of_hello(session.capabilities))
    if "ietf-yang-library" not in facts.modules and not facts.offers("yang-library"):
        return facts
    containers = f'<yang-library xmlns="{LIBRARY}"/><modules-state xmlns="{LIBRARY}"/>'
    reply = session.call(f'<get><filter type="subtree">{containers}</filter></get>')
    return Facts(session.capabilities, {**facts.modules, **modules_of_library(reply.root)})


def choose(targets: tuple[Target, ...], facts: Facts, name: str | None) -> Target:
    """The target of that name, else the first whose modules the server implements. Raises InputError."""
    known = ", ".join(target.name for target in targets)
    for target in targets:
        if target.name == name or (name is None and set(target.modules) <= set(facts.modules)):
            return target
    if name is not None:
        raise InputError(f"there is no target model '{name}'; there are {known}")
    raise InputError(
        f"the server implements none of the target models {known}; write one for its own (--target FILE)"
    )


def retry(attempt: Callable[[], T], within_s: float) -> T:
    """Try again until it succeeds or the time is up; then raise what the last attempt raised."""
    until = time.monotonic() + within_s
    while True:
        try:
            return attempt()
        except SdqkdError as error:
            if time.monotonic() > until:
                raise
            if isinstance(error, InputError):
                raise
            time.sleep(_RETRY_S)


def _must(session: RawSession, operation: str) -> None:
    reply = session.call(operation)
    if reply.errors:
        raise TransportError("the server", f"does not let the kit clean up: {reply}")
