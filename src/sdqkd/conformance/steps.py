"""What each verb of a case does: `STEPS` has them all. A step that is disappointed raises Disappointed."""

from __future__ import annotations

import codecs
import re
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sdqkd.conformance.bench import Bench, greet, retry
from sdqkd.conformance.case import Case, Step
from sdqkd.conformance.expect import Disappointed, Expected, check, check_holds, expected, value_of
from sdqkd.conformance.polite import open_polite
from sdqkd.conformance.replies import Reply, show
from sdqkd.conformance.session import HELLO, HELLO_1_0, Closed, RawSession, Session, Silence
from sdqkd.conformance.ssh import connect, tcp
from sdqkd.conformance.texts import expand
from sdqkd.errors import ProtocolError, SdqkdError, TransportError

SESSION_ID = re.compile(r"id-of-[\w-]+")


class Play:
    """One case being played: its sessions, its saved values, and what it opened."""

    def __init__(self, bench: Bench, case: Case) -> None:
        self.bench = bench
        self._names = bench.names(case)
        self.sessions: dict[str, Session] = {}
        self._spoilt: set[str] = set()  # names of sessions that no other case may use
        self._sockets: list[socket.socket] = []
        self._saved: dict[str, str] = {}

    def do(self, step: Step) -> None:
        """Do one step. Raises Disappointed, Silence, Closed, ProtocolError, TransportError or MissingText."""
        if step.verb not in _WITHOUT_SESSION:
            self.session(step.session)
        STEPS[step.verb](self, step)

    def fill(self, text: str) -> str:
        """Fill the holes of a text; sessions whose ids are asked for are opened."""
        for name in SESSION_ID.findall(text):
            self.session(name.removeprefix("id-of-"))
        ids = {f"id-of-{name}": session.session_id for name, session in self.sessions.items()}
        return expand(text, {**self._names, **ids, **self._saved})

    def session(self, name: str) -> Session:
        """The session of that name, opened in the polite way when it is first named."""
        if name not in self.sessions:
            self.sessions[name] = self.bench.take()
        return self.sessions[name]

    def raw(self, name: str) -> RawSession:
        """The session of that name, not to be used by another case after this one."""
        session = self.session(name)
        self._spoilt.add(name)
        assert isinstance(session, RawSession)
        return session

    def add(self, name: str, session: Session) -> None:
        """Take in a session that is not like the others."""
        self._spoilt.add(name)
        if name in self.sessions:
            self.sessions[name].drop()
        self.sessions[name] = session

    def spoil(self, name: str) -> None:
        """Keep a session from being used by another case."""
        self._spoilt.add(name)

    def forget(self) -> None:
        """Have no sessions any more: the server was restarted."""
        self._spoilt.update(self.sessions)

    def hold(self, opened: socket.socket) -> None:
        """Keep a connection open until the case is over."""
        self._sockets.append(opened)

    def keep(self, saved: Mapping[str, str]) -> None:
        """Remember values under their names."""
        self._saved |= saved

    def end(self, *, good: bool) -> None:
        """Give the sessions back, or drop them where they may be in a strange state."""
        for opened in self._sockets:
            opened.close()
        for name, session in self.sessions.items():
            if good and name not in self._spoilt and isinstance(session, RawSession):
                self.bench.idle.append(session)
            else:
                session.drop()
        self.sessions.clear()


Verb: TypeAlias = Callable[[Play, Step], None]


def _edit(play: Play, step: Step) -> None:
    datastore = step.options.get("datastore", play.bench.work)
    words = (
        f"<{name}>{step.options[name]}</{name}>"
        for name in ("default-operation", "test-option", "error-option")
        if name in step.options
    )
    operation = (
        f"<edit-config><target><{datastore}/></target>{''.join(words)}"
        f"<config>{play.fill(step.value)}</config></edit-config>"
    )
    _exchange(play, step, lambda: play.session(step.session).call(operation), ("ok",))


def _apply(play: Play, step: Step) -> None:
    """Edit the work datastore, and commit if that is candidate: whichever refuses first gives the answer."""
    session, work = play.session(step.session), play.bench.work
    edit = f"<edit-config><target><{work}/></target><config>{play.fill(step.value)}</config></edit-config>"

    def send() -> Reply:
        reply = session.call(edit)
        return reply if reply.errors or work == "running" else session.call("<commit/>")

    _exchange(play, step, send, ("ok",))


def _get(play: Play, step: Step) -> None:
    options = step.options
    parts = ""
    if "filter" in options:
        parts = f'<filter type="subtree">{play.fill(options["filter"])}</filter>'
    elif "xpath" in options:
        declared = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in play.bench.target.namespaces.items())
        select = play.fill(options["xpath"]).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
        parts = f'<filter {declared} type="xpath" select="{select}"/>'
    if "with-defaults" in options:
        namespace = "urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults"
        parts += f'<with-defaults xmlns="{namespace}">{options["with-defaults"]}</with-defaults>'
    datastore = play.fill(step.value)
    operation = (
        f"<get>{parts}</get>"
        if datastore == "state"
        else f"<get-config><source><{datastore}/></source>{parts}</get-config>"
    )
    _exchange(play, step, lambda: play.session(step.session).call(operation), ("data",))


def _rpc(play: Play, step: Step) -> None:
    if isinstance(step.value, list):
        operations = [play.fill(one) for one in step.value]
        replies = play.raw(step.session).call_all(operations)
        for reply in replies:
            _judge(play, step, reply, ("ok", "data"))
        return
    operation, attributes = play.fill(step.value), play.fill(step.options.get("attributes", ""))
    _exchange(play, step, lambda: play.session(step.session).call(operation, attributes), ("ok", "data"))


def _commit(play: Play, step: Step) -> None:
    if play.bench.work == "candidate":
        _exchange(play, step, lambda: play.session(step.session).call("<commit/>"), ("ok",))


def _message(play: Play, step: Step) -> None:
    session, message = play.raw(step.session), play.fill(step.value)

    def send() -> Reply | None:
        session.send_message(message, step.options.get("chunk-bytes"))
        return session.next_reply() if _waits(step) else None

    _exchange(play, step, send, ("ok", "data"))


def _reply(play: Play, step: Step) -> None:
    session = play.raw(step.session)
    _exchange(play, step, session.next_reply, ("ok", "data"))


def _waits(step: Step) -> bool:
    return step.options.get("expect") not in ("nothing", ["nothing"])


def _exchange(play: Play, step: Step, send: Callable[[], Reply | None], default: tuple[str, ...]) -> None:
    """Send and judge the answer; with `within` again and again until it is as wanted or the time is up."""

    def attempt() -> None:
        try:
            answer = send()
        except (Closed, ProtocolError):
            if "closed" not in _wanted(play, step, default).outcomes:
                raise
            play.spoil(step.session)
            return
        if answer is not None:
            _judge(play, step, answer, default)

    retry(attempt, step.options.get("within", 0))


def _judge(play: Play, step: Step, reply: Reply, default: tuple[str, ...]) -> None:
    play.keep(check(reply, _wanted(play, step, default), play.bench.target.namespaces))


def _wanted(play: Play, step: Step, default: tuple[str, ...]) -> Expected:
    return expected(step.options, default, play.fill)


def _notification(play: Play, step: Step) -> None:
    """Wait for a notification that is as wanted.

    `yes`: among others, as a server may send more than a case knows of; `first`: before all others; `none`: it
    must not come.
    """
    session = play.session(step.session)
    play.spoil(step.session)
    wanted, namespaces = _wanted(play, step, ()), play.bench.target.namespaces
    until = time.monotonic() + step.options.get("within", play.bench.patience.close_s)
    last: SdqkdError = Disappointed("no notification came")
    while True:
        try:
            found = session.next_notification(until - time.monotonic())
            check_holds(found, wanted.holds, namespaces)
        except Silence:
            if step.value == "none":
                return
            raise last from None
        except Disappointed as error:
            last = error
            if step.value == "first":
                raise
        else:
            break
    if step.value == "none":
        raise Disappointed(f"this should not have come: {show(found)}")
    play.keep({name: value_of(found, xpath, namespaces) for name, xpath in wanted.save.items()})


def _bytes(play: Play, step: Step) -> None:
    data = codecs.decode(play.fill(step.value), "unicode_escape").encode("latin-1")
    play.raw(step.session).send_bytes(data)


def _open(play: Play, step: Step) -> None:
    bench, options = play.bench, step.options
    login = bench.second if options.get("user") == "second" else bench.login
    assert login is not None
    try:
        if options.get("client") == "ncclient":
            play.add(step.session, open_polite(login, bench.patience))
            return
        within_s = options.get("within", bench.patience.login_s)
        session = RawSession(connect(login, within_s), bench.patience)
        play.add(step.session, session)
        hello, base = _hello(play, options)
        session.greet(hello, base, [play.fill(one) for one in options.get("burst", ())])
    except (TransportError, Closed):
        if not options.get("refused"):
            raise
        return
    if options.get("refused") is True:
        raise Disappointed("the server lets this session in")
    wanted, namespaces = _wanted(play, step, ()), bench.target.namespaces
    check_holds(session.server_hello, wanted.holds, namespaces)
    play.keep({name: value_of(session.server_hello, xpath, namespaces) for name, xpath in wanted.save.items()})


def _hello(play: Play, options: Mapping[str, Any]) -> tuple[str | None, Any]:
    base = str(options.get("base", "1.1"))
    hello = options.get("hello", HELLO if base == "1.1" else HELLO_1_0)
    return (None if hello == "none" else play.fill(hello)), base


def _drop(play: Play, step: Step) -> None:
    play.spoil(step.session)
    play.sessions[step.session].drop()


def _closed(play: Play, step: Step) -> None:
    play.spoil(step.session)
    within_s = float(play.fill(str(step.options.get("within", play.bench.patience.close_s))))
    if not play.session(step.session).closed(within_s):
        raise Disappointed(f"the server does not end the session in {within_s:g} s")


def _tcp(play: Play, step: Step) -> None:
    for _ in range(int(step.value)):
        play.hold(tcp(play.bench.login, play.bench.patience.login_s))


def _wait(play: Play, step: Step) -> None:
    time.sleep(float(step.value))


def _crowd(play: Play, step: Step) -> None:
    """Open sessions until the server refuses one; that many must not all be let in."""
    limit = int(play.fill(str(step.value)))
    try:
        for number in range(limit + 1):
            play.add(f"crowd-{number}", greet(play.bench.login, play.bench.patience))
    except (TransportError, Closed):
        return
    raise Disappointed(f"the server lets in {limit + 1} sessions more")


def _restart(play: Play, step: Step) -> None:
    play.forget()
    for session in play.sessions.values():
        session.drop()
    play.sessions.clear()
    play.bench.restart()


def _schema(play: Play, step: Step) -> None:
    play.bench.library.examine(str(step.value), play.session(step.session))


STEPS: Mapping[str, Verb] = {
    "edit": _edit,
    "apply": _apply,
    "get": _get,
    "rpc": _rpc,
    "commit": _commit,
    "message": _message,
    "reply": _reply,
    "notification": _notification,
    "bytes": _bytes,
    "open": _open,
    "drop": _drop,
    "closed": _closed,
    "tcp": _tcp,
    "wait": _wait,
    "crowd": _crowd,
    "restart": _restart,
    "schema": _schema,
}
_WITHOUT_SESSION = frozenset({"open", "drop", "closed", "tcp", "wait", "crowd", "restart"})
