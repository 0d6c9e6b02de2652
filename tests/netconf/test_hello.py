import pytest

from sdqkd.errors import ProtocolError
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello, build_hello, parse_hello

NS = "urn:ietf:params:xml:ns:netconf:base:1.0"


@pytest.mark.parametrize(
    "hello",
    [
        Hello((BASE_1_0, BASE_1_1), 4294967295),
        Hello((BASE_1_1,)),
        Hello((BASE_1_0, "http://example.net/a?module=a&revision=2024-01-01&features=b,c")),
        Hello(()),
    ],
)
def test_a_hello_reads_back(hello: Hello) -> None:
    assert parse_hello(build_hello(hello)) == hello


def test_what_other_peers_write() -> None:
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
      <nc:hello xmlns:nc="{NS}">
        <nc:capabilities>
          <nc:capability>
            {BASE_1_1}?arg=1
          </nc:capability>
          <other xmlns="urn:x"/>
        </nc:capabilities>
        <nc:session-id> 7 </nc:session-id>
        <extension xmlns="urn:x"/>
      </nc:hello>"""
    hello = parse_hello(text.encode())
    assert hello == Hello((f"{BASE_1_1}?arg=1",), 7)
    assert hello.offers(BASE_1_1)
    assert not hello.offers(BASE_1_0)


def test_a_capability_that_only_begins_like_another_is_not_it() -> None:
    assert not Hello((f"{BASE_1_1}0",)).offers(BASE_1_1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"<hello xmlns='{NS}'", "no hello came"),
        ("<hello><capabilities/></hello>", f"must be <hello> in {NS}"),
        ("<hello xmlns='urn:x'><capabilities/></hello>", "'urn:x' came"),
        (f"<rpc xmlns='{NS}' message-id='1'><get/></rpc>", "<rpc> in"),
        (f"<!DOCTYPE hello><hello xmlns='{NS}'/>", "document type"),
    ],
)
def test_no_hello(text: str, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        parse_hello(text.encode())


@pytest.mark.parametrize("number", ["0", "-1", "4294967296", "x", "", "1.5", "٤", "9" * 5000])
def test_no_session_id(number: str) -> None:
    text = f"<hello xmlns='{NS}'><capabilities/><session-id>{number}</session-id></hello>"
    with pytest.raises(ProtocolError, match="no number from 1 to 4294967295"):
        parse_hello(text.encode())
