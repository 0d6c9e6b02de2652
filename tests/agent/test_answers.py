"""What is remembered of answers is never told when it is not the right answer any more."""

from __future__ import annotations

import pytest
from lxml import etree
from tests.agent.memory_client import Client, Clock, join
from tests.datastore.small_node import SmallNode

from sdqkd.agent.answers import MAX_BYTES, ROOM, Answers
from sdqkd.agent.server import Agent
from sdqkd.agent.store import FileStore
from sdqkd.datastore.nacm import Rights
from sdqkd.netconf.xml import parse
from sdqkd.schema.tree import Container

NODE = '<qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node"><qkdn_location_id{}</qkd_node>'
DENIED = (
    '<nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><rule-list><name>more</name><group>viewer</group>'
    "<rule><name>no</name><module-name>etsi-qkd-sdn-node</module-name><action>deny</action></rule></rule-list></nacm>"
)


@pytest.fixture
def agent(node: SmallNode, store: FileStore, clock: Clock) -> Agent:
    return Agent(node, store, clock=clock, roles={"noc": "admin", "eva": "viewer"})


def place(client: Client, source: str) -> str:
    """Ask twice, so that the second answer may be a remembered one."""
    get = f"<get-config><source><{source}/></source><filter>{NODE.format('/>')}</filter></get-config>"
    first, second = (client.ask(get).data for _ in range(2))
    assert first is not None
    assert second is not None
    assert etree.tostring(first) == etree.tostring(second)
    return "".join(str(text) for text in second.itertext())


def set_place(client: Client, target: str, name: str) -> None:
    config = NODE.format(f">{name}</qkdn_location_id>")
    client.ask(f"<edit-config><target><{target}/></target><config>{config}</config></edit-config>")


def test_an_answer_follows_its_datastore(agent: Agent) -> None:
    client = join(agent)
    set_place(client, "running", "a")
    assert (place(client, "running"), place(client, "candidate")) == ("a", "a")
    set_place(client, "candidate", "b")
    assert (place(client, "running"), place(client, "candidate")) == ("a", "b")
    client.ask("<commit><confirmed/></commit>")
    assert (place(client, "running"), place(client, "candidate")) == ("b", "b")
    client.ask("<cancel-commit/>")
    assert (place(client, "running"), place(client, "candidate")) == ("a", "a")


def test_nobody_is_told_what_another_may_see(agent: Agent) -> None:
    noc, eva = join(agent), join(agent, username="eva")
    set_place(noc, "running", "a")
    assert (place(noc, "running"), place(eva, "running")) == ("a", "a")
    noc.ask(f"<edit-config><target><running/></target><config>{DENIED}</config></edit-config>")
    assert (place(noc, "running"), place(eva, "running")) == ("a", "")


@pytest.fixture
def rights(node: SmallNode) -> Rights:
    return Rights(node.schema, None, "noc")


def test_only_small_answers_are_kept_and_not_too_many(rights: Rights) -> None:
    answers, tree = Answers(), Container({})
    requests = [parse(b"<get/>") for _ in range(ROOM + 1)]
    answers.keep(requests[0], rights, (tree,), b"x" * (MAX_BYTES + 1))
    assert answers.find(requests[0], rights, (tree,)) is None
    for request in requests:
        answers.keep(request, rights, (tree,), b"x")
    assert answers.find(requests[0], rights, (tree,)) is None
    assert answers.find(requests[-1], rights, (tree,)) == b"x"


def test_old_trees_are_let_go(rights: Rights) -> None:
    answers, old, new = Answers(), Container({}), Container({})
    request, other = parse(b"<get/>"), parse(b"<get/>")
    answers.keep(request, rights, (old, old), b"x")
    answers.keep(other, rights, (old, new), b"y")
    assert answers.find(other, rights, (old, new)) == b"y"
    assert answers.find(request, rights, (old, new)) is None
    assert answers.find(request, rights, (old, old)) is None
