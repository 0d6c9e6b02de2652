"""However a message is written, no name of it is overlooked: the law is held against what libxml2 finds."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sdqkd.netconf import names as names_module
from sdqkd.netconf.names import Names

BASE = b"urn:ietf:params:xml:ns:netconf:base:1.0"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Room for five names."""
    monkeypatch.setattr(names_module, "MAX_NAMES", 5)
    return Names()


@pytest.mark.parametrize(
    "message",
    [
        b"<a/>",
        b"<a><b/><b/></a>",
        b'<a:b xmlns:a="c"/>',
        b"<a b='1' c = \"2\" >text &amp; more</a>",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<a/>',
        b"<a\n>1 = 2</a >",
    ],
)
def test_a_few_names_are_admitted(names: Names, message: bytes) -> None:
    assert names.admit(message)
    assert names.admit(message)


@pytest.mark.parametrize(
    "message",
    [
        b"<a><b/><c/><d/><e/><f/></a>",
        b'<a b="" c="" d="" e="" f=""/>',
        b'<a xmlns="1" xmlns:b="2" xmlns:c="3"/>',  # with xmlns itself seven
        b"<" + b"a" * 300 + b"/>",
        b"<a><!-- b --></a>",
        b"<a><![CDATA[<b/>]]></a>",
        b"<a><?b?></a>",
        b"<!DOCTYPE a><a/>",
        b'<a b=">" c=""/>',
        b"<a b=1/>",
        b"<a",
        b"a<a/>",
    ],
)
def test_too_many_names_and_what_cannot_be_looked_at_are_not(names: Names, message: bytes) -> None:
    assert not names.admit(message)


def test_names_that_are_refused_take_no_room(names: Names) -> None:
    assert not names.admit(b"<a><b/><c/><d/><e/><f/></a>")
    assert names.admit(b"<v/>")


def test_expected_names_need_no_room(names: Names) -> None:
    names.expect(["a", "b", "c", "d", "e", "f", "xmlns", "urn:x"])
    assert names.admit(b'<a xmlns="urn:x"><b/><c/><d/><e/><f/></a>')
    assert names.admit(b"<v><w/><x/><y/><z/></v>")


def test_a_message_id_needs_none_either(names: Names) -> None:
    assert all(names.admit(b'<rpc message-id="%d" xmlns="x"/>' % number) for number in range(50))


@pytest.mark.parametrize(
    "trick",
    [
        b'<rpc x=\' message-id="\' n%d="v"/>',
        b'<rpc x=" message-id=" n%d="v"/>',
        b'<rpc message-id="a>" n%d="1"/>',
        b'<rpc message-id="1" n%d="1"/>',
        b'<rpc n%d="1" message-id="1"/>',
        b'<rpc message-id="1" message-id="2" n%d=""/>',
    ],
)
def test_no_name_hides_behind_a_message_id(names: Names, trick: bytes) -> None:
    names.admit(b"<rpc/>")
    assert not all(names.admit(trick % number) for number in range(6))


_word = st.text("ab:", min_size=1, max_size=2).filter(lambda word: word.strip(":") == word)
_space = st.sampled_from(["", " ", "\n"])
_quoted = st.sampled_from(["", "x", ">", " message-id=", " c=", "/>", "<"])


@st.composite
def _attribute(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["message-id", "xmlns", "xmlns:a", "xmlns:b"]) | _word)
    quote = draw(st.sampled_from("'\""))
    value = draw(_quoted) or draw(_word)
    return f" {name}{draw(_space)}={draw(_space)}{quote}{value}{quote}"


@st.composite
def _messages(draw: st.DrawFn) -> bytes:
    pieces = draw(
        st.lists(
            st.builds(lambda name, more: f"<{name}{''.join(more)}/>", _word, st.lists(_attribute(), max_size=3))
            | st.sampled_from(["<a>", "</a>", "text", "<!-- b -->", "<?b?>", "<![CDATA[<b>]]>", ">", "="]),
            max_size=4,
        )
    )
    return f"<r>{''.join(pieces)}</r>".encode()


@given(st.lists(_messages(), max_size=6))
def test_whatever_libxml2_keeps_of_an_admitted_message_has_been_counted(messages: list[bytes]) -> None:
    names = Names()
    kept: set[str] = set()
    for message in messages:
        if not names.admit(message):
            continue
        try:
            root = etree.fromstring(message, etree.XMLParser(resolve_entities=False))
        except etree.XMLSyntaxError:
            continue
        kept |= _names_in(root)
    assert {name.encode() for name in kept} <= names._names


def _names_in(root: etree._Element) -> set[str]:
    found: set[str] = set()
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        qualified = [etree.QName(name) for name in (element.tag, *element.attrib)]
        found |= {name.localname for name in qualified} | {name.namespace for name in qualified if name.namespace}
        found |= {part for binding in element.nsmap.items() for part in binding if part}
    # An unbound prefix stays a part of the name: its halves are what is counted.
    return {part for name in found for part in ([name] if name.startswith("urn") else name.split(":"))}


def test_letters_are_no_part_of_the_law() -> None:
    assert Names().admit(f"<{string.ascii_letters}é/>".encode())
