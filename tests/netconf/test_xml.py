import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.netconf import xml
from sdqkd.netconf.xml import escape, escape_text, local_name_of, namespace_of, parse, text_of

BOMB = (
    b'<!DOCTYPE l [<!ENTITY a0 "x">'
    + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 10))
    + b']><l b="&a9;">&a9;</l>'
)

REFUSED = {
    "nothing": (b"", "Document is empty"),
    "a tag not closed": (b"<a><b></a>", "mismatch"),
    "something behind": (b"<a/>x", "Extra content"),
    "an unbound prefix": (b"<p:a/>", "prefix p"),
    "an attribute twice": (b"<a b='1' b='2'/>", "redefined"),
    "a control character": (b"<a>\x00</a>", "Invalid character"),
    "a reference to a control character": (b"<a>&#1;</a>", "invalid xmlChar"),
    "Latin-1": ("<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>".encode("latin-1"), "Invalid bytes"),
    "UTF-16": ("<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"), "not well-formed"),
    "an unknown entity": (b"<a>&b;</a>", "Entity 'b' not defined"),
    "a document type": (b"<!DOCTYPE a><a/>", "document type"),
    "an external document type": (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
    "an entity": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
    "an external entity": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "document type"),
    "a hidden document type": (b"<!-- <a> --><!DOCTYPE a><a/>", "document type"),
    "an entity bomb": (BOMB, "amplification"),
    "20,000 levels": (b"<a>" * 20000 + b"</a>" * 20000, "Excessive depth"),
    "a text of 11 MB": (b"<a>" + b"x" * 11_000_000 + b"</a>", "Text node too long"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(RpcError, match=reason) as caught:
        parse(data)
    assert (caught.value.tag, caught.value.type) == ("malformed-message", "rpc")
    assert "XML_PARSE_HUGE" not in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        b"\n<a/>",
        b"\n\r\t <?xml version='1.0'?><a/>",
        b"<?xml version='1.0' encoding='UTF-8'?>\n<a/>\n",
        b"<a><!-- <!DOCTYPE b> --></a>",
        b"<a><![CDATA[<!DOCTYPE b>]]></a>",
        b"<?pi?><a/><!-- c -->",
    ],
)
def test_accepted(data: bytes) -> None:
    assert parse(data).tag == "a"


def test_comments_do_not_cut_a_text_in_two() -> None:
    assert text_of(parse(b"<a> 1<!-- c -->5<?pi?>50 </a>")) == "1550"


def test_names() -> None:
    element = parse(b"<p:a xmlns:p='urn:x'><b/></p:a>")
    assert (namespace_of(element), local_name_of(element)) == ("urn:x", "a")
    assert (namespace_of(element[0]), local_name_of(element[0]), text_of(element[0])) == ("", "b", "")


@given(st.text())
def test_escaped_text_reads_back(text: str) -> None:
    """All that XML can carry comes back; the rest is replaced one by one, and never breaks the message."""
    element = etree.fromstring(f'<a b="{escape(text)}">{escape(text)}</a>')
    carried = element.text or ""
    assert element.get("b") == carried
    assert len(carried) == len(text)
    assert all(got in (sent, "\ufffd") for got, sent in zip(carried, text, strict=True))
    assert "]]>" not in escape(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF)))
def test_ordinary_text_is_kept(text: str) -> None:
    assert (etree.fromstring(f"<a>{escape(text)}</a>").text or "") == text


def test_a_message_of_too_many_tags_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "MAX_TAGS", 3)
    assert len(parse(b"<a><b/></a>")) == 1
    with pytest.raises(RpcError, match="more than 3 tags") as refused:
        parse(b"<a><b/><c/></a>")
    assert (refused.value.tag, refused.value.type) == ("too-big", "rpc")


def test_names_that_peers_make_up_are_not_kept() -> None:
    """Of 40 MB of names nothing is left: libxml2 would keep them all if the main thread had met them."""

    def made_up(number: int) -> bytes:
        return b"<a>" + b"".join(b"<n%d-%d%s/>" % (number, at, b"x" * 400) for at in range(1000)) + b"</a>"

    for number in range(20):
        parse(made_up(number))
    before_mib = _resident_mib()
    for number in range(20, 120):
        assert len(parse(made_up(number))) == 1000
    assert _resident_mib() - before_mib < 10


def test_a_long_message_fails_as_a_short_one_does() -> None:
    reasons = []
    for length in (1, 10_000):
        with pytest.raises(RpcError) as refused:
            parse(b"<a>" + b"x" * length + b"</b>")
        reasons.append((refused.value.tag, refused.value.message.partition(":")[0]))
    assert reasons[0] == reasons[1]


def _resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@given(st.text())
def test_escaped_text_of_an_element_reads_back_too_and_keeps_its_lines(text: str) -> None:
    carried = etree.fromstring(f"<a>{escape_text(text)}</a>").text or ""
    assert carried == (etree.fromstring(f"<a>{escape(text)}</a>").text or "")
    assert escape_text(text).count("\n") == text.count("\n")


@pytest.mark.parametrize("length", [1, 10_000])
@pytest.mark.parametrize("name", ["p:b", "p:b:c", ":b", "b q:c='1'"])
def test_a_name_without_a_namespace_is_refused_though_a_warning_follows(name: str, length: int) -> None:
    """Found by the fuzzer: such a name cannot be echoed, nor looked up."""
    message = f"<a><{name}/><c xml:space='odd'>{'x' * length}</c></a>"
    with pytest.raises(RpcError, match=r"not well-formed XML: .*, line 1") as refused:
        parse(message.encode())
    assert refused.value.tag == "malformed-message"


def test_a_warning_alone_is_forgiven() -> None:
    assert len(parse(b"<a><b xmlns='relative'/><c xml:space='odd'/></a>")) == 2
