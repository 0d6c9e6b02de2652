from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sdqkd.errors import ModelError
from sdqkd.schema.table import Schema, load, model_dir, read_table

DATA = Path(__file__).parent / "data"


def test_the_fixture_table_is_what_the_compiler_makes() -> None:
    compiler = Path(__file__).parents[2] / "tools" / "compile_models.py"
    command = [sys.executable, str(compiler), "--check", "--yang", str(DATA), "--bindings", str(DATA)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nodes_know_their_names_and_places(schema: Schema) -> None:
    label = schema.node(("fixture:box", "fixture-more:label"))
    assert (label.name, label.module, label.member) == ("label", "fixture-more", "fixture-more:label")
    assert label.tag == "{urn:sdqkd:test:fixture-more}label"
    assert label.namespace == schema.namespace_of("fixture-more")
    assert label.schema_path == "/fixture:box/fixture-more:label"
    assert schema.node(("fixture:box",)).by_tag[label.tag] is label
    assert schema.module_of("urn:sdqkd:test:fixture") == "fixture"
    assert schema.module_of("urn:nobody") is None


def test_nodes_know_what_the_model_says(schema: Schema) -> None:
    row = schema.node(("fixture:rows", ("row", ("a",))))
    assert (row.kind, row.keys, row.unique) == ("list", ("name",), (("slot", "side"),))
    assert row.children["depth"].has_when
    assert row.children["fixture-more:far"].has_when
    assert not row.children["slot"].has_when
    assert row.children["cell"].user_ordered
    few = schema.node(("fixture:crate", "few"))
    assert (few.min, few.max) == (1, 3)
    box = schema.node(("fixture:box",))
    assert box.children["mark"].presence
    assert box.children["lid"].children["weight"].mandatory
    assert box.children["with-default"].default == ("7",)
    assert box.children["water"].choice == ("filling/liquid", "kind/water")
    assert not box.children["state"].config
    assert "missing" not in box.children


def test_identities_of_several_bases_need_all(schema: Schema) -> None:
    both = schema.node(("fixture:box", "both")).type
    assert both is not None
    assert both.identities == {"fixture-types:ORANGE"}


def test_operations_stand_apart_from_data(schema: Schema) -> None:
    shake = schema.data["fixture:root-list"].operations["shake"]
    assert list(schema.data["fixture:root-list"].children) == ["name"]
    assert list(shake.operations["input"].children) == ["times"]
    assert shake.operations["output"].children == {}
    assert list(schema.data["fixture:root-list"].operations) == ["shake", "fell"]
    assert list(schema.rpcs["fixture:pack"].output.children) == ["done"]
    assert list(schema.notifications) == ["fixture:spilled"]


@pytest.mark.parametrize("path", [(), ("nothing",), ("fixture:box", "nothing")])
def test_an_unknown_node_is_a_key_error(path: tuple[str, ...], schema: Schema) -> None:
    with pytest.raises(KeyError):
        schema.node(path)


def test_a_set_that_was_not_compiled() -> None:
    with pytest.raises(ModelError, match="no compiled schema for the model set 'toaster'"):
        load("toaster")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"set": "x", "modules": [{}]}'])
def test_what_is_no_table(text: str) -> None:
    with pytest.raises(ModelError, match="not a compiled schema table"):
        read_table(text)


def test_the_models_are_found() -> None:
    assert (model_dir() / "etsi" / "etsi-qkd-sdn-node.yang").is_file()
    assert load("qkd-node") is load("qkd-node")


def test_the_set_of_a_device_has_what_every_agent_implements() -> None:
    whole, alone = load("fibre-switch"), load("fibre-switch", alone=True)
    nacm = "ietf-netconf-acm:nacm"
    assert set(alone.data) < set(whole.data)
    assert nacm in set(whole.data) - set(alone.data)
    assert "ietf-netconf:edit-config" in whole.rpcs
    assert "ietf-netconf-monitoring:yang" in whole.identities
    assert whole.name == alone.name == "fibre-switch"
    assert len({module.name for module in whole.modules}) == len(whole.modules)


def test_a_module_that_any_of_the_sets_implements_is_implemented() -> None:
    alone, whole = load("agent"), load("qkd-node")
    assert {module.name for module in alone.modules if module.implemented} <= {
        module.name for module in whole.modules if module.implemented
    }
