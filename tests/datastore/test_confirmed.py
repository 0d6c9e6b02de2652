"""Confirmed commits in any order of events agree with a model of a few lines: RFC 6241 section 8.4."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import SmallNode
from tests.datastore.small_requests import place, place_of

from sdqkd.datastore.boot import boot
from sdqkd.datastore.confirmed import Confirmation
from sdqkd.datastore.datastores import Datastores
from sdqkd.errors import RpcError, SdqkdError
from sdqkd.schema.tree import Container
from sdqkd.schema.validate import Validator

VALIDATOR = Validator(SmallNode().schema)
ME, OTHER = 1, 2
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FACTORY = "rack 1"
BROKEN = "broken shelf"  # the device takes everything but this

_sessions = st.sampled_from([ME, OTHER])
_places = st.sampled_from([FACTORY, "rack 2", "rack 3", BROKEN])
_persists = st.sampled_from([None, "t1", "t2"])
_tokens = st.sampled_from(["none", "right", "right", "wrong"])


@dataclass(frozen=True)
class Waiting:
    """What the model knows of a commit that is not confirmed."""

    before: str
    session: int
    token: str | None
    due_s: int


class Refused(Exception):
    """The model would refuse this. Its text is the error-tag."""


class Model:
    """What must be true, with places instead of configurations."""

    def __init__(self, kept: str = FACTORY) -> None:
        self.kept = self.running = kept
        self.candidate: str | None = None
        self.waiting: Waiting | None = None
        self.locked_by: int | None = None

    def edit(self, target: str, wanted: str, session: int, full: bool) -> None:
        if target == "candidate":
            self.candidate = None if wanted == self.running else wanted
            return
        self._demand_lock(session)
        self._become(wanted, full, provisional=self.waiting is not None)

    def commit(
        self, session: int, timeout_s: int | None, persist: str | None, token: str | None, now_s: int, full: bool
    ) -> None:
        self._demand_lock(session)
        self._demand_say(session, token)
        before = self.running
        self._become(self.candidate or self.running, full, provisional=timeout_s is not None)
        self.candidate = None
        if timeout_s is None:
            self.waiting = None
        elif self.waiting is None:
            self.waiting = Waiting(before, session, persist, now_s + timeout_s)
        else:
            token = persist or self.waiting.token
            self.waiting = replace(self.waiting, session=session, token=token, due_s=now_s + timeout_s)

    def cancel(self, session: int, token: str | None) -> None:
        self._demand_say(session, token)
        if self.waiting is None:
            raise Refused("operation-failed")
        self._demand_lock(session)
        self._roll_back()

    def lock(self, session: int) -> None:
        if self.locked_by is not None or (self.waiting and self.waiting.session != session):
            raise Refused("lock-denied")
        self.locked_by = session

    def end_session(self, session: int) -> None:
        if self.locked_by == session:
            self.locked_by = None
        if self.waiting and self.waiting.session == session:
            if self.waiting.token:
                self.waiting = replace(self.waiting, session=0)
            else:
                self._roll_back()

    def expire(self, now_s: int) -> None:
        if self.waiting and now_s >= self.waiting.due_s:
            self._roll_back()

    def _demand_lock(self, session: int) -> None:
        if self.locked_by not in (None, session):
            raise Refused("in-use")

    def _demand_say(self, session: int, token: str | None) -> None:
        if token and (self.waiting is None or self.waiting.token != token):
            raise Refused("invalid-value")
        if not token and self.waiting and (self.waiting.token or self.waiting.session != session):
            raise Refused("in-use")

    def _become(self, wanted: str, full: bool, *, provisional: bool) -> None:
        if full and not provisional and wanted != self.kept:
            raise Refused("resource-denied")
        if wanted == BROKEN != self.running:
            raise Refused("operation-failed")
        self.running = wanted
        if not provisional:
            self.kept = wanted

    def _roll_back(self) -> None:
        assert self.waiting is not None
        self.running = self.waiting.before
        self.waiting = None


class ConfirmedCommits(RuleBasedStateMachine):
    """Two sessions that do what they like, time, a disk that fills and a device that restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.node, self.store, self.model, self.now_s = SmallNode(), MemoryStore(), Model(), 0
        self.datastores = self.start()

    def start(self) -> Datastores:
        return boot(self.node.schema, VALIDATOR, self.node, self.store)

    @rule(datastore=st.sampled_from(["candidate", "candidate", "running"]), wanted=_places, session=_sessions)
    def edit(self, datastore: str, wanted: str, session: int) -> None:
        self.both(
            lambda: self.datastores.edit_config(session, datastore, place(wanted)),  # type: ignore[arg-type]
            lambda: self.model.edit(datastore, wanted, session, self.store.full),
        )

    @rule(session=_sessions, timeout_s=st.none() | st.integers(1, 9), persist=_persists, token=_tokens)
    def commit(self, session: int, timeout_s: int | None, persist: str | None, token: str) -> None:
        confirm = None if timeout_s is None else Confirmation(timeout_s, persist)
        persist_id = self.persist_id(token)
        self.both(
            lambda: self.datastores.commit(session, confirm=confirm, persist_id=persist_id, now_s=self.now_s),
            lambda: self.model.commit(session, timeout_s, persist, persist_id, self.now_s, self.store.full),
        )

    @rule(session=_sessions, token=_tokens)
    def cancel(self, session: int, token: str | None) -> None:
        self.both(lambda: self.datastores.cancel_commit(session, token), lambda: self.model.cancel(session, token))

    @rule(session=_sessions)
    def lock(self, session: int) -> None:
        self.both(lambda: self.datastores.lock(session, "running", NOW), lambda: self.model.lock(session))

    @rule(session=_sessions)
    def end_session(self, session: int) -> None:
        self.datastores.end_session(session)
        self.model.end_session(session)

    @rule(seconds=st.integers(1, 6))
    def wait(self, seconds: int) -> None:
        self.now_s += seconds
        assert self.datastores.due_s == (self.model.waiting.due_s if self.model.waiting else None)
        self.datastores.expire(self.now_s)
        self.model.expire(self.now_s)

    @rule(full=st.sampled_from([False, False, True]))
    def fill_or_clean_the_disk(self, full: bool) -> None:
        self.store.full = full

    @rule()
    def restart(self) -> None:
        self.datastores, self.model = self.start(), Model(self.model.kept)

    @invariant()
    def all_agree(self) -> None:
        model, running = self.model, self.datastores.get_config("running")
        assert place_of(running) == model.running
        assert place_of(self.datastores.get_config("candidate")) == (model.candidate or model.running)
        assert self.node.applied[-1] == running
        assert place_of(_kept(self.store)) == model.kept

    def persist_id(self, token: str) -> str | None:
        if token == "right":
            return self.model.waiting.token if self.model.waiting else None
        return "wrong" if token == "wrong" else None

    def both(self, real: object, model: object) -> None:
        assert _outcome(real) == _outcome(model)


def _kept(store: MemoryStore) -> Container:
    kept = store.load()
    assert kept is not None
    return kept


def _outcome(action: object) -> str:
    try:
        action()  # type: ignore[operator]
    except RpcError as error:
        return error.tag
    except Refused as refusal:
        return str(refusal)
    return "ok"


TestConfirmedCommits = ConfirmedCommits.TestCase
TestConfirmedCommits.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


@pytest.fixture
def shaky(datastores: Datastores, node: SmallNode) -> Datastores:
    """Moved to rack 2 until confirmed; the device will not go back to rack 1."""
    datastores.edit_config(ME, "candidate", place("rack 2"))
    datastores.commit(ME, confirm=Confirmation(5), now_s=0)
    take = node.apply

    def stick(running: Container) -> None:
        if place_of(running) == FACTORY:
            raise SdqkdError("the shelf is stuck")
        take(running)

    node.apply = stick  # type: ignore[method-assign]
    return datastores


def test_a_device_that_does_not_go_back_is_said(shaky: Datastores, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RpcError, match=r"running is as before the commit, .* the shelf is stuck") as refused:
        shaky.cancel_commit(ME)
    assert refused.value.tag == "operation-failed"
    assert "the shelf is stuck" in caplog.text
    assert place_of(shaky.get_config("running")) == FACTORY
    assert shaky.due_s is None


@pytest.mark.parametrize("end", ["timeout", "session"])
def test_where_nobody_waits_for_an_answer_the_log_says_it(
    shaky: Datastores, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    event = shaky.expire(5) if end == "timeout" else shaky.end_session(ME)
    assert event == ("timeout" if end == "timeout" else "cancel")
    assert "the shelf is stuck" in caplog.text
    assert place_of(shaky.get_config("running")) == FACTORY


def test_each_step_tells_what_it_meant(datastores: Datastores) -> None:
    assert datastores.commit(ME) is None
    assert datastores.commit(ME, confirm=Confirmation(5, "t1")) == "start"
    assert datastores.commit(OTHER, confirm=Confirmation(5), persist_id="t1") == "extend"
    assert datastores.end_session(OTHER) is None
    assert datastores.commit(ME, persist_id="t1") == "complete"
    datastores.commit(ME, confirm=Confirmation(5))
    assert datastores.cancel_commit(ME) == "cancel"
    datastores.commit(ME, confirm=Confirmation(5))
    assert datastores.expire(4.9) is None
    assert datastores.expire(5) == "timeout"
    assert datastores.expire(6) is None


def test_a_token_is_never_shown(datastores: Datastores) -> None:
    confirm = Confirmation(5, "swordfish")
    datastores.commit(ME, confirm=confirm)
    with pytest.raises(RpcError) as refused:
        datastores.commit(OTHER, persist_id="swordfisch")
    assert "swordfi" not in f"{confirm!r} {refused.value!r} {vars(datastores)!r}"


def test_a_confirmation_that_cannot_be_kept_can_be_tried_again(datastores: Datastores, store: MemoryStore) -> None:
    datastores.edit_config(ME, "candidate", place("rack 2"))
    datastores.commit(ME, confirm=Confirmation(5))
    assert len(store.saved) == 1
    store.full = True
    with pytest.raises(RpcError, match="No space left"):
        datastores.commit(ME)
    store.full = False
    assert datastores.commit(ME) == "complete"
    assert [place_of(tree) for tree in store.saved if tree] == ["rack 1", "rack 2"]


def test_to_confirm_what_was_there_before_takes_no_place(datastores: Datastores, store: MemoryStore) -> None:
    datastores.edit_config(ME, "candidate", place("rack 2"))
    datastores.commit(ME, confirm=Confirmation(5))
    store.full = True
    datastores.edit_config(ME, "candidate", place(FACTORY))
    assert datastores.commit(ME) == "complete"
    assert place_of(datastores.get_config("running")) == FACTORY
