import contextlib
import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.errors import FramingError
from sdqkd.netconf.framing import END_OF_MESSAGE, Framer, frame_chunks, frame_eom

CASES = json.loads((Path(__file__).parent / "cases" / "framing.json").read_text())
LIMIT = 40
MIB = 2**20

messages = st.lists(st.binary(min_size=1, max_size=300), max_size=6)
xml_messages = st.lists(
    st.binary(max_size=300).filter(lambda data: END_OF_MESSAGE not in data + END_OF_MESSAGE[:-1]), max_size=6
)
cuts = st.lists(st.integers(min_value=0, max_value=2500), max_size=12)


def framer(framing: str, limit: int = 64 * MIB) -> Framer:
    made = Framer(limit)
    if framing == "chunks":
        made.use_chunks()
    return made


def pieces(data: bytes, at: list[int]) -> list[bytes]:
    places = [0, *sorted(min(place, len(data)) for place in at), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def drain(receiver: Framer) -> list[bytes]:
    return list(iter(receiver.next_message, None))


@pytest.mark.parametrize("step", [1, 3, 1000], ids=["byte by byte", "3 bytes", "at once"])
@pytest.mark.parametrize(
    ("framing", "case"),
    [pytest.param(framing, case, id=f"{framing}: {case['name']}") for framing in CASES for case in CASES[framing]],
)
def test_case(framing: str, case: dict, step: int) -> None:
    receiver, data = framer(framing, LIMIT), case["input"].encode()
    got, error = [], None
    try:
        for start in range(0, len(data), step):
            receiver.receive_data(data[start : start + step])
            while (message := receiver.next_message()) is not None:
                got.append(message.decode())
    except FramingError as caught:
        error = str(caught)
    assert got == case["messages"]
    assert (error is None) == ("error" not in case)
    assert case.get("error", "") in (error or "")
    if error is None:
        assert receiver.mid_message == case.get("mid_message", False)


@given(messages, cuts)
def test_chunks_come_out_as_they_went_in(sent: list[bytes], at: list[int]) -> None:
    receiver, got = framer("chunks"), []
    for piece in pieces(b"".join(map(frame_chunks, sent)), at):
        receiver.receive_data(piece)
        got += drain(receiver)
    assert got == sent
    assert not receiver.mid_message


@given(xml_messages, cuts)
def test_marked_messages_come_out_as_they_went_in(sent: list[bytes], at: list[int]) -> None:
    receiver, got = framer("eom"), []
    for piece in pieces(b"".join(map(frame_eom, sent)), at):
        receiver.receive_data(piece)
        got += drain(receiver)
    assert got == sent


@given(st.binary(min_size=1, max_size=300), st.lists(st.integers(1, 299), max_size=8))
def test_a_message_may_be_cut_into_chunks_anywhere(sent: bytes, at: list[int]) -> None:
    receiver = framer("chunks")
    chunks = [b"\n#%d\n%b" % (len(piece), piece) for piece in pieces(sent, at) if piece]
    receiver.receive_data(b"".join(chunks) + b"\n##\n")
    assert drain(receiver) == [sent]


@given(st.binary(max_size=200))
def test_any_bytes_give_messages_or_a_framing_error(data: bytes) -> None:
    receiver = framer("chunks", LIMIT)
    receiver.receive_data(b"\n#" + data)
    got: list[bytes] = []
    with contextlib.suppress(FramingError):
        got += drain(receiver)
    assert all(0 < len(message) <= LIMIT for message in got)


def test_the_framing_changes_inside_a_burst() -> None:
    receiver = Framer(LIMIT)
    receiver.receive_data(frame_eom(b"<hello/>") + frame_chunks(b"<a/>") + frame_chunks(b"<b/>"))
    assert receiver.next_message() == b"<hello/>"
    receiver.use_chunks()
    assert drain(receiver) == [b"<a/>", b"<b/>"]


def test_a_message_with_the_mark_inside_is_not_sent_to_a_10_peer() -> None:
    with pytest.raises(FramingError, match="would take for its end"):
        frame_eom(b"<a>]]>]]></a>")


def test_an_empty_message_has_no_chunks() -> None:
    with pytest.raises(FramingError, match="0 bytes"):
        frame_chunks(b"")


@pytest.mark.parametrize("framing", ["eom", "chunks"])
def test_effort_grows_with_the_length_and_not_with_its_square(framing: str) -> None:
    """A buffer searched or moved from its beginning at each read would take minutes here."""
    body = b"]]>]]" * (MIB // 5)
    data = body + END_OF_MESSAGE if framing == "eom" else b"\n#1\nx" * (MIB // 5) + b"\n##\n"
    receiver = framer(framing)
    begun = time.process_time()
    for start in range(0, len(data), 16):
        receiver.receive_data(data[start : start + 16])
        message = receiver.next_message()
    assert message is not None
    assert len(message) >= MIB // 5
    assert time.process_time() - begun < 10
