"""Private keys cannot be read through the protocol: no model has a place for one, and no answer holds ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agent.child import Child
from tests.transport.certificates import issue

from sdqkd.schema.table import SchemaNode, load
from sdqkd.transport.keys import make_key_pair

DEVICES = ["qkd-node", "fibre-switch", "transponder", "encryptor", "adva-encryptor", "rohde-schwarz-encryptor"]
SECRET = re.compile(r"password|passphrase|secret|private|psk|cleartext|key-(data|material|value|string)")


def below(node: SchemaNode) -> Iterator[SchemaNode]:
    yield node
    for child in node.children.values():
        yield from below(child)


@pytest.mark.parametrize("name", DEVICES)
def test_no_node_is_there_to_hold_a_secret(name: str) -> None:
    nodes = [node.schema_path for top in load(name).data.values() for node in below(top)]
    assert [path for path in nodes if SECRET.search(path.rpartition("/")[2])] == []


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    (tmp_path / "client.pub").write_text(make_key_pair(tmp_path / "client"))
    issue(tmp_path, "device")
    issue(tmp_path, "noc")
    child = Child(tmp_path)
    yield child
    child.kill()


def test_no_answer_holds_a_key_of_the_host(child: Child, tmp_path: Path) -> None:
    keys = [(tmp_path / name).read_text().splitlines() for name in ("host_key", "device.key")]
    assert child.said["tls-port"]
    assert all("PRIVATE KEY" in lines[0] for lines in keys)
    with child.log_in() as session:
        answers = [
            session.get().data_xml,
            *(session.get_config(name).data_xml for name in ("running", "candidate")),
        ]
    for answer in answers:
        assert len(answer) > 100
        assert not [line for lines in keys for line in lines if line in answer]
