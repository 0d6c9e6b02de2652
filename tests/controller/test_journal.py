from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.controller import journal
from sdqkd.controller.journal import (
    Begin,
    Committing,
    Confirmed,
    Decision,
    Editing,
    End,
    Entry,
    InDoubt,
    Locking,
    Record,
    Remark,
    Result,
    Reverted,
    Saved,
    from_json,
    text_of,
)
from sdqkd.controller.journal_state import Folding, fold, open_transactions
from sdqkd.errors import JournalError

BEGIN = Begin("t1", "n", "noc", {"devices": []}, {"a": [], "b": []}, {}, {})
TEXT = st.text(max_size=8)
DEVICE = st.sampled_from(["a", "b"])
OPTIONAL = st.none() | TEXT
RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(Locking, st.just("t1"), DEVICE, st.none() | st.integers(1, 9), OPTIONAL),
    st.builds(Editing, st.just("t1"), DEVICE),
    st.builds(Committing, st.just("t1"), DEVICE, OPTIONAL, OPTIONAL),
    st.builds(Result, st.just("t1"), DEVICE, st.sampled_from(["edit", "commit"]), TEXT),
    st.builds(Decision, st.just("t1"), st.sampled_from(["CONFIRM", "ABORT"]), TEXT),
    st.builds(Confirmed, st.just("t1"), DEVICE, TEXT),
    st.builds(Reverted, st.just("t1"), DEVICE, TEXT),
    st.builds(Saved, st.just("t1"), DEVICE, TEXT),
    st.builds(InDoubt, st.just("t1"), DEVICE, TEXT.filter(bool), TEXT),
    st.builds(Remark, TEXT, TEXT, st.dictionaries(TEXT, TEXT, max_size=2)),
)


def entries(*records: Record) -> list[Entry]:
    return [Entry(number, "now", 1, record, "") for number, record in enumerate(records, 1)]


@given(RECORDS | st.just(BEGIN) | st.builds(End, st.just("t1"), st.sampled_from(["done", "refused"]), TEXT))
def test_a_record_survives_its_text(record: Record) -> None:
    assert from_json(json.loads(text_of(record))) == record


@pytest.mark.parametrize(
    "document", [{}, {"record": "Surprise"}, {"record": "Editing", "txid": "t"}, {"record": "End", "x": 1}]
)
def test_what_is_no_record_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(JournalError, match="the journal"):
        from_json(document)


@given(st.lists(RECORDS, max_size=12))
def test_whatever_follows_a_beginning_it_is_open_until_its_end(records: list[Record]) -> None:
    (transaction,) = open_transactions(entries(BEGIN, *records))
    assert (transaction.txid, transaction.devices.keys()) == ("t1", {"a", "b"})
    decisions = [record.verdict for record in records if isinstance(record, Decision)]
    assert transaction.verdict == (decisions[-1] if decisions else None)
    assert open_transactions(entries(BEGIN, *records, End("t1", "done"))) == ()
    assert fold(entries(BEGIN, *records, End("t1", "done")))["t1"].status == "done"


@given(st.lists(RECORDS, max_size=12))
def test_no_token_and_no_session_is_forgotten(records: list[Record]) -> None:
    (transaction,) = open_transactions(entries(BEGIN, *records))
    for record in records:
        if isinstance(record, Committing):
            device = transaction.devices[record.device]
            assert device.committing
            assert not record.persist or record.persist in device.persists
        if isinstance(record, Locking) and record.session_id is not None:
            assert (record.session_id, record.login_time) in transaction.devices[record.device].sessions


@given(st.lists(RECORDS, max_size=12))
def test_a_device_in_doubt_stays_so_until_it_is_read_back(records: list[Record]) -> None:
    (transaction,) = open_transactions(entries(BEGIN, *records))
    for name in "ab":
        kinds = (InDoubt, Confirmed, Reverted)
        last = next((r for r in reversed(records) if isinstance(r, kinds) and r.device == name), None)
        assert (name in transaction.in_doubt) == isinstance(last, InDoubt)


@given(st.lists(RECORDS, max_size=12), st.integers(0, 13))
def test_taken_in_two_parts_is_the_same_and_what_was_given_before_stays(records: list[Record], at: int) -> None:
    all_of_them = entries(BEGIN, *records)
    folding = Folding(ended=False)
    folding.take(all_of_them[:at])
    before, copy = folding.open, open_transactions(all_of_them[:at])
    folding.take(all_of_them[at:])
    assert folding.open == open_transactions(all_of_them)
    assert before == copy


@given(st.lists(RECORDS, max_size=4))
def test_one_that_ended_can_be_forgotten_with_all_that_is_said_of_it_later(records: list[Record]) -> None:
    folding = Folding(ended=False)
    folding.take(entries(BEGIN, End("t1", "done"), *records))
    assert folding.open == ()
    assert folding.all == {}
    assert folding.last == 2 + len(records)


def test_records_of_what_never_began_or_began_twice_are_refused() -> None:
    with pytest.raises(JournalError, match="entry 1 of the journal: the transaction t1 never began"):
        fold(entries(Editing("t1", "a")))
    with pytest.raises(JournalError, match="entry 2 of the journal: the transaction t1 begins twice"):
        fold(entries(BEGIN, BEGIN))


def test_an_entry_vouches_for_all_that_is_in_it() -> None:
    plain = ("before", 1, "now", 1, "{}")
    changed = [("other", *plain[1:]), ("before", 2, *plain[2:]), (*plain[:2], "then", 1, "{}")]
    changed += [(*plain[:3], 2, "{}"), (*plain[:4], "{ }")]
    hashes = {journal.chained(*plain), *(journal.chained(*one) for one in changed)}
    assert len(hashes) == 6
