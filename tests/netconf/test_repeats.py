"""A request that was read before is read the same way again, but for its message-id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.errors import RpcError
from sdqkd.netconf.messages import Reply, Rpc, parse_reply, parse_rpc, reply
from sdqkd.netconf.repeats import MAX_ANSWER_BYTES, MAX_BYTES, ROOM, LastAnswer, Repeats
from sdqkd.netconf.xml import BASE, parse

GET = "<get-config><source><running/></source></get-config>"


def call(message_id: str, content: str = GET, more: str = "", quote: str = '"') -> bytes:
    return f'<rpc xmlns="{BASE}"{more} message-id={quote}{message_id}{quote}>{content}</rpc>'.encode()


def read(repeats: Repeats, message: bytes) -> Rpc:
    """Read as a session does."""
    text, known = repeats.find(message)
    if known is not None:
        return known
    rpc, refusal = parse_rpc(parse(message))
    if text is not None and refusal is None:
        repeats.keep(text, rpc)
    return rpc


def test_the_same_request_has_the_same_elements_and_its_own_message_id() -> None:
    repeats = Repeats()
    first = read(repeats, call("1", more=' a="x"'))
    second = read(repeats, call("urn:uuid:2", more=' a="x"'))
    assert second.operation is first.operation
    assert second.message_id == "urn:uuid:2"
    assert reply(second, b"") == reply(parse_rpc(parse(call("urn:uuid:2", more=' a="x"')))[0], b"")


def test_a_declaration_and_a_prefix_are_no_hindrance() -> None:
    messages = [
        f'<?xml version="1.0" encoding="UTF-8"?><nc:rpc xmlns:nc="{BASE}" message-id="{number}"><nc:get/></nc:rpc>'
        for number in "12"
    ]
    repeats = Repeats()
    first, second = (read(repeats, message.encode()) for message in messages)
    assert second.operation is first.operation


@pytest.mark.parametrize(
    "other",
    [
        call("1", GET.replace("running", "candidate")),
        call("1", more=' a="x"'),
        call("1").replace(b"<source>", b"<source >"),
        call("1", quote="'"),
        call("&#49;"),
        call(" 1"),
    ],
)
def test_another_request_is_another(other: bytes) -> None:
    repeats = Repeats()
    first = read(repeats, call("1"))
    assert read(repeats, other).operation is not first.operation


@pytest.mark.parametrize(
    "hidden",
    [
        b'<rpc xmlns="%b" a=" message-id="><x message-id="7"/></rpc>' % BASE.encode(),
        b'<rpc xmlns="%b"><get message-id="7"/></rpc>' % BASE.encode(),
        b'<!-- <rpc message-id="7"> --><rpc xmlns="%b"><get/></rpc>' % BASE.encode(),
        b'<get message-id="7"/>',
    ],
)
def test_a_message_id_somewhere_else_is_none(hidden: bytes) -> None:
    assert Repeats().find(hidden) == (None, None)


def test_edits_and_long_requests_are_not_kept() -> None:
    repeats = Repeats()
    for content in ("<edit-config/>", f"<get>{' ' * MAX_BYTES}</get>"):
        assert read(repeats, call("1", content)).operation is not read(repeats, call("2", content)).operation


def test_the_requests_that_were_used_last_are_kept() -> None:
    repeats = Repeats()
    often, seldom = read(repeats, call("1")), read(repeats, call("1", "<get/>"))
    for number in range(ROOM):
        read(repeats, call("1", f"<get><a{number}/></get>"))
        assert read(repeats, call("1")).operation is often.operation
    assert read(repeats, call("1", "<get/>")).operation is not seldom.operation


@given(st.text(max_size=8), st.text(max_size=8))
def test_it_is_read_as_it_would_be_without(first: str, second: str) -> None:
    repeats = Repeats()
    for message in map(call, (first, second)):
        try:
            plain = parse_rpc(parse(message))[0]
        except (RpcError, UnicodeEncodeError):
            with pytest.raises(RpcError):
                read(repeats, message)
            continue
        found = read(repeats, message)
        assert (found.message_id, found.attributes, found.prefixes, found.name) == (
            plain.message_id, plain.attributes, plain.prefixes, plain.name,
        )  # fmt: skip


def answer(message_id: str, content: str = "<data><a xmlns='urn:a'>1</a></data>") -> bytes:
    return f'<rpc-reply xmlns="{BASE}" message-id="{message_id}">{content}</rpc-reply>'.encode()


def heard(last: LastAnswer, message: bytes) -> Reply:
    """Read as a client's session does."""
    text, known = last.find(message)
    if known is not None:
        return known
    read = parse_reply(message, {})
    if text is not None:
        last.keep(text, read)
    return read


def test_the_same_answer_again_has_the_same_elements_and_its_own_message_id() -> None:
    last = LastAnswer()
    first, second = heard(last, answer("1")), heard(last, answer("22"))
    assert second.message_id == "22"
    assert second.data is not None
    assert second.data is first.data


def test_another_answer_is_read_and_takes_the_place_of_the_last() -> None:
    last = LastAnswer()
    first = heard(last, answer("1"))
    other = heard(last, answer("2", "<data><a xmlns='urn:a'>2</a></data>"))
    assert other.data is not None
    assert other.data[0].text == "2"
    assert heard(last, answer("3")).data is not first.data


@pytest.mark.parametrize("content", ["<ok/>", f"<data><a>{'x' * MAX_ANSWER_BYTES}</a></data>"])
def test_answers_without_data_and_long_ones_are_not_kept(content: str) -> None:
    last = LastAnswer()
    first = heard(last, answer("1", content))
    assert heard(last, answer("2", content)).content != first.content or first.content == ()
