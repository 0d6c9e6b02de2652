"""<get-schema>: every module that an agent lists can be had, word for word: RFC 6022 section 3.1."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.agent.memory_client import Client, Clock, join
from tests.datastore.small_node import SmallNode

from sdqkd.agent.server import Agent
from sdqkd.agent.store import FileStore
from sdqkd.schema.sources import parts, source
from sdqkd.schema.table import ModuleInfo, SubmoduleInfo, model_dir

NAMESPACE = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"


def request(identifier: str, more: str = "", bound: str = "") -> str:
    return f'<get-schema xmlns="{NAMESPACE}"{bound}><identifier>{identifier}</identifier>{more}</get-schema>'


def text(client: Client, *arguments: str) -> str:
    data = client.ask(request(*arguments)).data
    assert data is not None
    assert data.tag == f"{{{NAMESPACE}}}data"
    return data.text or ""


def test_every_module_can_be_had(client: Client, node: SmallNode) -> None:
    listed = [part for _, part in parts(node.schema)]
    assert len(listed) > 15
    for part in listed:
        told = text(client, part.name, f"<version>{part.revision}</version><format>yang</format>")
        assert told == source(node.schema, part)
        assert f"module {part.name} {{" in told


def test_our_own_come_from_where_they_were_written(client: Client) -> None:
    file = model_dir() / "etsi" / "etsi-qkd-sdn-node.yang"
    assert text(client, "etsi-qkd-sdn-node") == file.read_text("utf-8")


@pytest.mark.parametrize(
    ("format_", "bound"), [("yang", ""), ("m:yang", f' xmlns:m="{NAMESPACE}"'), (" yang ", "")]
)
def test_the_format_may_bear_the_prefix_of_its_module(client: Client, format_: str, bound: str) -> None:
    assert text(client, "ietf-origin", f"<format>{format_}</format>", bound).startswith("module ietf-origin {")


class Crowded(SmallNode):
    """A node whose first module has a submodule, and which imports a module in two revisions."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        for name in ("part.yang", "old.yang"):
            (folder / name).write_text(f"submodule {name} {{ }} // \f <&>", "utf-8")
        first = replace(self.schema.modules[0], submodules=(SubmoduleInfo("part", "", "part.yang"),))
        imported = ModuleInfo("old", "2001-01-01", "urn:old", "old", "old.yang", implemented=False)
        twice = (imported, replace(imported, revision="2002-02-02"))
        modules = (first, *self.schema.modules[1:], *twice)
        self.schema = replace(self.schema, modules=modules, model_dirs=(*self.schema.model_dirs, folder))


@pytest.fixture
def crowded(tmp_path: Path, clock: Clock) -> Client:
    node = Crowded(tmp_path)
    # The texts are no YANG: only the agent's lists are looked at.
    agent = Agent(node, FileStore(tmp_path / "running.json", node.schema), clock=clock)
    return join(agent)


def test_a_submodule_can_be_had_and_characters_that_xml_lacks_are_replaced(crowded: Client) -> None:
    assert text(crowded, "part") == "submodule part.yang { } // \ufffd <&>"
    assert text(crowded, "part", "<version/>") == text(crowded, "part")


def test_of_two_revisions_one_must_be_named(crowded: Client) -> None:
    (error,) = crowded.call(request("old")).errors
    assert (error.tag, error.app_tag) == ("operation-failed", "data-not-unique")
    assert text(crowded, "old", "<version>2002-02-02</version>")


def test_a_module_whose_file_is_gone_is_said(crowded: Client, tmp_path: Path) -> None:
    (tmp_path / "part.yang").unlink()
    (error,) = crowded.call(request("part")).errors
    assert error.message == "the text of the module part is missing: reinstall sdqkd"
