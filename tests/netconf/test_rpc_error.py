from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sdqkd.errors import ErrorType, RpcError
from sdqkd.netconf.rpc_error import build_error, parse_error
from sdqkd.netconf.xml import parse

NS = "urn:ietf:params:xml:ns:netconf:base:1.0"
NAMESPACES = {"a": "urn:a", "b": "urn:b"}
MODULES = {"urn:a": "a", "urn:b": "b"}

ORDER = ["type", "tag", "severity", "app-tag", "path", "message", "info"]

FULL = RpcError(
    "data-exists",
    'the link <4> "exists" & more',
    "protocol",
    "/a:node/links/link[id='x/y:z']/b:power",
    "must-violation",
    {"bad-element": "power", "session-id": "7", "missing-choice": "side"},
    "warning",
    non_unique=("/a:node/b:power", "/a:node/b:gain"),
)


def sent(error: RpcError) -> etree._Element:
    return parse(b'<rpc-reply xmlns="%b">%b</rpc-reply>' % (NS.encode(), build_error(error, NAMESPACES)))[0]


def fields(error: RpcError) -> tuple[object, ...]:
    info = dict(error.info)
    return (
        error.tag,
        error.message,
        error.type,
        error.path,
        error.app_tag,
        info,
        error.severity,
        error.non_unique,
    )


@pytest.mark.parametrize("error", [FULL, RpcError("too-big", "no"), RpcError("x", "", path="/c:unknown/d")])
def test_an_error_reads_back(error: RpcError) -> None:
    read = parse_error(sent(error), MODULES)
    if not error.message:
        assert "no message" in read.message
        read.message = ""
    assert fields(read) == fields(error)


def test_the_order_of_rfc_6241_appendix_b() -> None:
    names = [etree.QName(child).localname for child in sent(FULL)]
    assert names == [f"error-{name}" for name in ORDER]


def test_the_prefixes_of_a_path_are_bound_where_it_stands() -> None:
    element = sent(FULL)
    path = element.find(f"{{{NS}}}error-path")
    assert path is not None
    assert path.text == "/a:node/a:links/a:link[a:id='x/y:z']/b:power"
    assert {"a": "urn:a", "b": "urn:b"}.items() <= path.nsmap.items()
    leafs = element.findall(f"{{{NS}}}error-info/{{urn:ietf:params:xml:ns:yang:1}}non-unique")
    assert [leaf.text for leaf in leafs] == ["/a:node/b:power", "/a:node/b:gain"]
    assert leafs[1].nsmap["b"] == "urn:b"


@given(
    st.builds(
        RpcError,
        tag=st.sampled_from(["in-use", "own-tag"]),
        message=st.text(),
        type=st.sampled_from(get_args(ErrorType)),
        path=st.none() | st.text(max_size=20).map(lambda text: f"/a:x[k='{text}']"),
        app_tag=st.none() | st.text(max_size=5),
        info=st.dictionaries(st.sampled_from(["bad-element", "ok-element"]), st.text(max_size=9)),
    )
)
def test_whatever_the_texts_hold_the_xml_is_valid(error: RpcError) -> None:
    """Also with control characters, surrogates and markup, as they come from a device's own messages."""
    read = parse_error(sent(error), MODULES)
    assert (read.tag, read.type, read.severity) == (error.tag, error.type, "error")
    assert set(read.info) == set(error.info)


FOREIGN = {
    "nothing inside": ("", RpcError("operation-failed", "the device gives no message with its operation-failed")),
    "a tag and a type of its own": (
        "<error-type>storage</error-type><error-tag>disk-full</error-tag><error-message>full</error-message>",
        RpcError("disk-full", "full"),
    ),
    "another order, white space, unknown parts": (
        """<error-message xml:lang="de">
             nein
           </error-message> <extra xmlns="urn:x"><y/></extra>
           <error-severity> error </error-severity><error-tag> in-use </error-tag><error-type>rpc</error-type>""",
        RpcError("in-use", "nein", "rpc"),
    ),
    "its own prefixes": (
        "<error-tag>in-use</error-tag><error-message>m</error-message>"
        "<error-path xmlns:x='urn:a' xmlns:y='urn:b' xmlns:z='urn:z'>"
        "/x:node/x:link[x:id='1']/y:power/z:q</error-path>",
        RpcError("in-use", "m", path="/a:node/link[id='1']/b:power/z:q"),
    ),
    "info in other namespaces": (
        "<error-tag>in-use</error-tag><error-message>m</error-message>"
        "<error-info><x:code xmlns:x='urn:x'>42</x:code><!-- c --><bad-element>e</bad-element></error-info>",
        RpcError("in-use", "m", info={"code": "42", "bad-element": "e"}),
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_errors_of_other_servers(name: str) -> None:
    text, error = FOREIGN[name]
    read = parse_error(parse(f"<rpc-error xmlns='{NS}'>{text}</rpc-error>".encode()), MODULES)
    assert fields(read) == fields(error)


def test_a_structure_stands_in_the_info_as_it_is() -> None:
    error = RpcError(
        "invalid-value", "no", structure='<hints xmlns="urn:h"><period-hint>100</period-hint></hints>'
    )
    info = sent(error).find(f"{{{NS}}}error-info")
    assert info is not None
    assert info.findtext("{urn:h}hints/{urn:h}period-hint") == "100"
