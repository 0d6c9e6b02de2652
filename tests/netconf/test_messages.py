import pytest
from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.netconf.messages import (
    Rpc,
    build_rpc,
    parse_reply,
    parse_rpc,
    reply,
    reply_errors,
)
from sdqkd.netconf.xml import parse

NS = "urn:ietf:params:xml:ns:netconf:base:1.0"


def call(text: str) -> tuple[Rpc, RpcError | None]:
    return parse_rpc(parse(text.encode()))


@pytest.mark.parametrize(
    "attributes",
    [
        'message-id="101"',
        'message-id=""',
        'message-id="&lt;&quot;&amp;&gt;\'"',
        'message-id="a&#10;b&#9;c&#13;d"',
        'message-id="1" user="fred"',
        'xmlns:ex="http://example.net/1.0" ex:user-id="fred" message-id="1"',
        'xmlns:p="urn:p?a&amp;b" xmlns:q="urn:q" p:x="1" q:x="2" x="3" message-id="1"',
        'message-id="1" xml:lang="de"',
        f'xmlns:b="{NS}" b:message-id="1"',
        'message-id="日本"',
    ],
)
@pytest.mark.parametrize("prefix", ["", "nc:"])
def test_attributes_are_echoed(attributes: str, prefix: str) -> None:
    """RFC 6241 section 4.2: unchanged, together with the namespaces they need."""
    declared = "xmlns:nc" if prefix else "xmlns"
    rpc, refusal = call(f'<{prefix}rpc {declared}="{NS}" {attributes}><{prefix}get/></{prefix}rpc>')
    assert refusal is None
    sent = etree.fromstring(f'<rpc {attributes} xmlns="{NS}"/>')
    echoed = etree.fromstring(reply(rpc, b"<ok/>"))
    assert dict(echoed.attrib) == dict(sent.attrib)
    assert sent.nsmap.items() <= echoed.nsmap.items()
    assert [child.tag for child in echoed] == [f"{{{NS}}}ok"]


@pytest.mark.parametrize(
    ("text", "name", "namespace"),
    [
        (f"<rpc xmlns='{NS}' message-id='1'><get-config/></rpc>", "get-config", NS),
        (f"<nc:rpc xmlns:nc='{NS}' message-id='1'><nc:get/></nc:rpc>", "get", NS),
        (f"<nc:rpc xmlns:nc='{NS}' message-id='1'><get/></nc:rpc>", "get", ""),
        (f"<nc:rpc xmlns:nc='{NS}' nc:message-id='1'><nc:get/></nc:rpc>", "get", NS),
        (f"<rpc xmlns='{NS}' message-id='1'><!-- c --><x xmlns='urn:x'/> <?p?></rpc>", "x", "urn:x"),
    ],
)
def test_operation(text: str, name: str, namespace: str) -> None:
    rpc, refusal = call(text)
    assert refusal is None
    assert (rpc.message_id, rpc.name, rpc.namespace) == ("1", name, namespace)


@pytest.mark.parametrize(
    ("text", "kind", "tag", "info"),
    [
        (f"<rpc xmlns='{NS}'><get/></rpc>", "rpc", "missing-attribute",
         {"bad-attribute": "message-id", "bad-element": "rpc"}),
        (f"<rpc xmlns='{NS}' xmlns:p='urn:p' p:message-id='1'><get/></rpc>", "rpc", "missing-attribute",
         {"bad-attribute": "message-id", "bad-element": "rpc"}),
        (f"<rpc xmlns='{NS}' message-id='1'> </rpc>", "protocol", "missing-element", {"bad-element": "rpc"}),
        (f"<rpc xmlns='{NS}' message-id='1'><get/><lock/></rpc>", "protocol", "bad-element",
         {"bad-element": "lock"}),
        (f"<hello xmlns='{NS}'/>", "protocol", "unknown-element", {"bad-element": "hello"}),
        ("<rpc message-id='1'><get/></rpc>", "protocol", "unknown-namespace",
         {"bad-element": "rpc", "bad-namespace": ""}),
        ("<rpc xmlns='urn:x' message-id='1'><get/></rpc>", "protocol", "unknown-namespace",
         {"bad-element": "rpc", "bad-namespace": "urn:x"}),
    ],
)  # fmt: skip
def test_refused(text: str, kind: str, tag: str, info: dict[str, str]) -> None:
    _, refusal = call(text)
    assert refusal is not None
    assert (refusal.type, refusal.tag, refusal.info) == (kind, tag, info)


def test_a_refused_call_is_echoed_too() -> None:
    rpc, refusal = call(f"<rpc xmlns='{NS}' user='fred'><get/></rpc>")
    assert refusal is not None
    answer = etree.fromstring(reply_errors(rpc, [refusal], {}))
    assert dict(answer.attrib) == {"user": "fred"}
    assert answer.findtext(f".//{{{NS}}}error-tag") == "missing-attribute"
    assert answer.findtext(f".//{{{NS}}}error-info/{{{NS}}}bad-attribute") == "message-id"


def test_a_payload_goes_through_untouched() -> None:
    payload = b"<x  xmlns=\"urn:x\"><y a='1'>&#65;</y></x>"
    rpc, _ = call(build_rpc("5", b"<get/>").decode())
    assert payload in reply(rpc, payload)
    read = parse_reply(reply(rpc, b"<data>%b</data>" % payload), {})
    assert read.ok
    assert read.message_id == "5"
    assert read.data is not None
    assert [child.tag for child in read.data] == ["{urn:x}x"]


def test_data_in_another_namespace() -> None:
    """RFC 8526: get-data answers with a <data> of its own."""
    read = parse_reply(reply(Rpc(), b"<data xmlns='urn:nmda'><a xmlns='urn:a'/></data>"), {})
    assert read.data is not None
    assert read.data.tag == "{urn:nmda}data"


def test_a_call_escapes_its_message_id() -> None:
    assert parse(build_rpc("<\"&'>", b"<get/>")).get("message-id") == "<\"&'>"


@pytest.mark.parametrize(
    ("content", "ok", "tags"),
    [
        ("<ok/>", True, []),
        ("", True, []),
        ("<ok/><ok xmlns='urn:x'/>", True, []),
        (
            "<rpc-error><error-tag>in-use</error-tag><error-severity>warning</error-severity></rpc-error>",
            True,
            ["in-use"],
        ),
        ("<rpc-error><error-tag>in-use</error-tag></rpc-error>", False, ["in-use"]),
        (
            "<rpc-error><error-severity>warning</error-severity></rpc-error><rpc-error/>",
            False,
            ["operation-failed"] * 2,
        ),
    ],
)
def test_ok_or_not(content: str, ok: bool, tags: list[str]) -> None:
    read = parse_reply(f"<rpc-reply xmlns='{NS}' message-id='1'>{content}</rpc-reply>".encode(), {})
    assert read.ok is ok
    assert [error.tag for error in read.errors] == tags
    assert read.data is None


@pytest.mark.parametrize("text", ["<rpc-reply/>", f"<rpc xmlns='{NS}'/>", "<rpc-reply", "<!DOCTYPE a><a/>"])
def test_no_reply(text: str) -> None:
    with pytest.raises(RpcError):
        parse_reply(text.encode(), {})


@pytest.mark.parametrize("attribute", ['a{}=""', 'xmlns:a{}="b"'])
def test_an_rpc_with_thousands_of_attributes_or_namespaces_is_refused_without_echoing_them(attribute: str) -> None:
    many = " ".join(attribute.format(number) for number in range(100_000))
    rpc, refusal = call(f'<rpc xmlns="{NS}" message-id="7" {many}><get/></rpc>')
    assert refusal is not None
    assert (refusal.tag, refusal.type) == ("too-big", "rpc")
    assert len(reply_errors(rpc, [refusal], {})) < 1000
    assert etree.fromstring(reply_errors(rpc, [refusal], {})).get("message-id") == "7"
    few = " ".join(attribute.format(number) for number in range(100))
    assert call(f'<rpc xmlns="{NS}" message-id="7" {few}><get/></rpc>')[1] is None
