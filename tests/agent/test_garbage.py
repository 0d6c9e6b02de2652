"""What a refused message held is free at once, and not when the garbage collector comes: it may be megabytes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from types import FrameType

import pytest
from tests.agent.memory_client import Client, join_raw

from sdqkd.agent.server import Agent
from sdqkd.netconf.framing import frame_chunks, frame_eom
from sdqkd.netconf.hello import BASE_1_1, Hello, build_hello

EDIT = (
    "<edit-config><target><candidate/></target>%s<config>"
    '<qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node">%s</qkd_node></config></edit-config>'
)
REFUSED = {
    "a parameter": "<get-config/>",
    "a value": EDIT % ("", "<qkd_links><qkd_link><qkdl_id>x</qkdl_id></qkd_link></qkd_links>"),
    "several": EDIT % ("<error-option>continue-on-error</error-option>", "<wrong/><wrong/>"),
    "a whole": "<copy-config><target><running/></target><source><config/></source></copy-config>",
    "a filter": '<get><filter type="xpath" select="/a["/></get>',
    "a lock": '<partial-lock xmlns="urn:ietf:params:xml:ns:netconf:partial-lock:1.0"><select>/a[</select>'
    "</partial-lock>",
    "a stream": '<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><stream>x</stream>'
    "</create-subscription>",
}


@pytest.fixture
def frames_left() -> Iterator[Callable[[], list[str]]]:
    """Gives the functions of which frames have been left to the garbage collector since the test began."""

    def left() -> list[str]:
        gc.collect()
        return [found.f_code.co_name for found in gc.garbage if isinstance(found, FrameType)]

    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield left
    gc.set_debug(0)
    gc.enable()
    gc.garbage.clear()


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_refused_calls(client: Client, frames_left: Callable[[], list[str]], request_: str) -> None:
    assert client.call(request_).errors
    assert frames_left() == []


@pytest.mark.parametrize(
    "message", [b"<rpc", b"<!DOCTYPE rpc><rpc/>", b"<a>" * 300 + b"</a>" * 300, b"<rpc/>", b"<rpc>" + b" " * 10**6]
)
def test_refused_messages(agent: Agent, frames_left: Callable[[], list[str]], message: bytes) -> None:
    raw = join_raw(agent)
    raw.send(frame_eom(build_hello(Hello((BASE_1_1,)))))
    assert len(raw.send(frame_chunks(message))) == 1
    assert frames_left() == []
