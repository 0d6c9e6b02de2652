"""RPCs and actions of a device's own model: RFC 7950 sections 7.14, 7.15."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.agent.memory_client import Client, Clock, join
from tests.agent.workshop import Workshop
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import Agent
from sdqkd.agent.store import FileStore
from sdqkd.errors import RpcError
from sdqkd.netconf.messages import Reply

OPS = "urn:sdqkd:yang:sdqkd-conformance-operations"
ACM = "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"
BELL = "/sdqkd-conformance-operations:workshop/bell[name='{}']"


@pytest.fixture
def agent(tmp_path: Path, clock: Clock) -> Agent:
    device = Workshop()
    agent = Agent(
        device,
        FileStore(tmp_path / "running.json", device.schema),
        roles={"noc": "admin", "eva": "viewer"},
        recovery_users=("root",),
        clock=clock,
    )
    noc = join(agent, username="noc")
    bells = "".join(f"<bell><name>{name}</name></bell>" for name in ("great", "cracked"))
    edit(noc, f'<workshop xmlns="{OPS}">{bells}</workshop>')
    return agent


@pytest.fixture
def noc(agent: Agent) -> Client:
    return join(agent, username="noc")


def edit(client: Client, config: str) -> None:
    reply = client.call(f"<edit-config><target><running/></target><config>{config}</config></edit-config>")
    assert reply.ok, reply.errors


def ring(client: Client, bell: str = "great", parameters: str = "") -> Reply:
    return act(client, f"<bell><name>{bell}</name><ring>{parameters}</ring></bell>")


def act(client: Client, content: str) -> Reply:
    return client.call(
        f'<action xmlns="urn:ietf:params:xml:ns:yang:1"><workshop xmlns="{OPS}">{content}</workshop></action>'
    )


def error_of(reply: Reply) -> RpcError:
    (error,) = reply.errors
    return error


def output_of(reply: Reply) -> list[tuple[str, str]]:
    assert not reply.errors, reply.errors
    return [(str(element.tag), element.text or "") for element in reply.content]


def test_an_rpc_gets_its_parameters_and_gives_its_output(noc: Client) -> None:
    reply = noc.call(f'<add xmlns="{OPS}"><left>40</left><right>+2</right></add>')
    assert output_of(reply) == [(f"{{{OPS}}}sum", "42")]


def test_parameters_have_defaults(noc: Client) -> None:
    assert output_of(noc.call(f'<add xmlns="{OPS}"><left>40</left></add>')) == [(f"{{{OPS}}}sum", "41")]


def test_an_rpc_without_output_gives_ok(noc: Client) -> None:
    assert noc.call(f'<rest xmlns="{OPS}"/>').ok


@pytest.mark.parametrize(
    ("parameters", "tag", "path", "bad"),
    [
        ("", "missing-element", "add", "left"),
        ("<left>1</left><middle>2</middle>", "unknown-element", "add", "middle"),
        ("<left>1</left><left>2</left>", "bad-element", "add/left", "left"),
        ("<left>many</left>", "invalid-value", "add/left", None),
        ("some<left>1</left>", "bad-element", "add", "add"),
    ],
)
def test_wrong_parameters_are_refused(noc: Client, parameters: str, tag: str, path: str, bad: str | None) -> None:
    error = error_of(noc.call(f'<add xmlns="{OPS}">{parameters}</add>'))
    assert (error.tag, error.path) == (tag, f"/sdqkd-conformance-operations:{path}")
    assert error.info.get("bad-element") == bad


def test_an_unknown_parameter_is_named_as_one(noc: Client) -> None:
    assert error_of(noc.call(f'<rest xmlns="{OPS}"><x/></rest>')).message == "<rest> has no parameter 'x'"


def test_a_leaf_has_no_actions(noc: Client) -> None:
    kit = '<test xmlns="urn:sdqkd:yang:sdqkd-conformance"><code>AB12</code></test>'
    error = error_of(noc.call(f'<action xmlns="urn:ietf:params:xml:ns:yang:1">{kit}</action>'))
    assert (error.tag, error.message) == ("bad-element", "code is a leaf, which has no actions")


def test_an_action_is_done_for_its_entry(noc: Client) -> None:
    assert output_of(ring(noc, parameters="<times>2</times>")) == [(f"{{{OPS}}}rung", "great great")]


@pytest.mark.parametrize(
    ("content", "tag", "path"),
    [
        ("<bell><name>lost</name><ring/></bell>", "data-missing", BELL.format("lost")),
        ("<bell><ring/></bell>", "missing-element", "/sdqkd-conformance-operations:workshop/bell"),
        ("<bell><name>great</name></bell>", "missing-element", None),
        ("<bell><name>great</name><ring/><ring/></bell>", "bad-element", None),
        ("<bell><name>great</name><shake/></bell>", "unknown-element", BELL.format("great")),
        (
            "<bell><name>great</name><ring><times>11</times></ring></bell>",
            "invalid-value",
            BELL.format("great") + "/ring/times",
        ),
    ],
)
def test_wrong_actions_are_refused(noc: Client, content: str, tag: str, path: str | None) -> None:
    error = error_of(act(noc, content))
    assert (error.tag, error.path) == (tag, path)
    assert ring(noc).content is not None


def test_a_device_may_refuse(noc: Client) -> None:
    assert error_of(ring(noc, "cracked")).app_tag == "cracked"


def test_who_may_not_execute_is_refused(agent: Agent) -> None:
    eva = join(agent, username="eva")
    assert error_of(ring(eva)).tag == "access-denied"
    assert error_of(eva.call(f'<rest xmlns="{OPS}"/>')).tag == "access-denied"


def test_a_rule_opens_one_action_of_one_entry(agent: Agent) -> None:
    rule = (
        "<rule><name>ring</name>"
        f"<path xmlns:o=\"{OPS}\">/o:workshop/o:bell[o:name='great']/o:ring</path>"
        "<access-operations>exec</access-operations><action>permit</action></rule>"
    )
    first = 'xmlns:y="urn:ietf:params:xml:ns:yang:1" y:insert="first"'
    entry = f"<rule-list {first}><name>eva</name><group>viewer</group>{rule}</rule-list>"
    edit(join(agent, username="noc"), f'<nacm xmlns="{ACM}">{entry}</nacm>')
    eva = join(agent, username="eva")
    assert output_of(ring(eva)) == [(f"{{{OPS}}}rung", "great")]
    assert error_of(ring(eva, "cracked")).tag == "access-denied"
    assert error_of(ring(eva, "lost")).tag == "access-denied"


def test_actions_are_in_the_audit_log(noc: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "sdqkd.audit"):
        ring(noc)
    assert any(f"invoked={BELL.format('great')}/ring" in record.getMessage() for record in caplog.records)


def test_a_device_without_operations_supports_none(node: SmallNode, store: FileStore, clock: Clock) -> None:
    client = join(Agent(node, store, clock=clock))
    tags = {error_of(client.call(call)).tag for call in (f'<add xmlns="{OPS}"/>', "<frob/>")}
    assert tags == {"operation-not-supported"}
