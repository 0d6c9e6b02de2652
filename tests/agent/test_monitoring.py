"""What the cases in `cases/monitoring.xml` cannot show of /netconf-state: RFC 6022."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.agent.memory_client import Client, Clock, join_raw
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import Agent
from sdqkd.agent.sessions import host_of
from sdqkd.netconf.framing import frame_chunks, frame_eom
from sdqkd.netconf.hello import BASE_1_0, BASE_1_1, Hello, build_hello
from sdqkd.schema import json
from sdqkd.schema.tree import Container, get, put
from sdqkd.schema.validate import Validator
from sdqkd.schema.xml import decode

HELLO = frame_eom(build_hello(Hello((BASE_1_0, BASE_1_1))))
NACM = "ietf-netconf-acm:nacm"


def everything(client: Client, node: SmallNode) -> Container:
    data = client.ask("<get/>").data
    assert data is not None
    return decode(node.schema, data, state=True)


def state(client: Client, node: SmallNode) -> dict[str, Any]:
    return json.encode(node.schema, everything(client, node))["ietf-netconf-monitoring:netconf-state"]


def test_all_that_get_gives_is_valid(client: Client, connect: Callable[..., Client], node: SmallNode) -> None:
    connect().ask("<lock><target><running/></target></lock>")
    tree = everything(client, node)
    for counter in ("denied-operations", "denied-data-writes", "denied-notifications"):
        if get(tree, (NACM, counter)) is None:
            tree = put(node.schema, tree, (NACM, counter), "0")
    Validator(node.schema).check(tree, state=True)


def test_capabilities_are_those_of_the_hello(client: Client, node: SmallNode) -> None:
    assert client.hello is not None
    assert state(client, node)["capabilities"]["capability"] == list(client.hello.capabilities)


def test_every_module_is_a_schema(client: Client, node: SmallNode) -> None:
    listed = {(entry["identifier"], entry["version"]) for entry in state(client, node)["schemas"]["schema"]}
    assert listed == {(module.name, module.revision) for module in node.schema.modules}


def test_wrong_messages_are_counted(client: Client, agent: Agent, node: SmallNode) -> None:
    raw = join_raw(agent)
    raw.send(HELLO, frame_chunks(b"<rpc"), frame_chunks(b"<rpc/>"))
    sessions = state(client, node)["sessions"]["session"]
    assert sessions[1]["in-bad-rpcs"] == 2
    assert sessions[1]["out-rpc-errors"] == 2
    raw.send(b"no chunk")
    assert raw.closed
    statistics = state(client, node)["statistics"]
    assert statistics["in-bad-rpcs"] == 3
    assert statistics["dropped-sessions"] == 1


@pytest.mark.parametrize("greeting", [b"<hello/>]]>]]>", frame_eom(build_hello(Hello(("urn:x",))))])
def test_wrong_hellos_are_counted(client: Client, agent: Agent, node: SmallNode, greeting: bytes) -> None:
    join_raw(agent).send(greeting)
    statistics = state(client, node)["statistics"]
    assert (statistics["in-bad-hellos"], statistics["in-sessions"]) == (1, 2)
    assert statistics["dropped-sessions"] == 0


def test_killed_and_closed_sessions_are_not_dropped_but_silent_ones_are(
    client: Client, connect: Callable[..., Client], agent: Agent, node: SmallNode, clock: Clock
) -> None:
    victim = connect()
    client.ask(f"<kill-session><session-id>{victim.session_id}</session-id></kill-session>")
    connect().ask("<close-session/>")
    assert state(client, node)["statistics"]["dropped-sessions"] == 0
    join_raw(agent)
    clock.advance(31)
    assert state(client, node)["statistics"]["dropped-sessions"] == 1


@pytest.mark.parametrize(
    ("peer", "host"),
    [("192.0.2.1:4711", "192.0.2.1"), ("[2001:db8::1]:4711", "2001:db8::1"), ("client", "client")],
)
def test_a_host_is_told_without_its_port(peer: str, host: str) -> None:
    assert host_of(peer) == host
