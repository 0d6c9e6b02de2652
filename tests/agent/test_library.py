"""The YANG library says what the tables say, and libyang finds it valid: RFC 8525."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdqkd.agent.library import library
from sdqkd.schema import json, table
from sdqkd.schema.tree import put
from sdqkd.schema.validate import Validator

DEVICES = ["qkd-node", "fibre-switch", "transponder", "encryptor", "adva-encryptor", "rohde-schwarz-encryptor"]
ALL = ("running", "candidate", "startup", "intended", "operational")


def contents(schema: table.Schema) -> dict[str, Any]:
    return json.encode(schema, library(schema, ALL).tree)


@pytest.mark.parametrize("name", DEVICES)
def test_it_is_valid(name: str) -> None:
    # Without the device, and with the only other mandatory state of an agent.
    schema, tree = table.load("agent"), library(table.load(name), ALL).tree
    for counter in ("denied-operations", "denied-data-writes", "denied-notifications"):
        tree = put(schema, tree, ("ietf-netconf-acm:nacm", counter), "0")
    Validator(schema).check(tree, state=True)


def test_each_module_is_there_once_with_what_is_implemented_of_it() -> None:
    (module_set,) = contents(table.load("adva-encryptor"))["ietf-yang-library:yang-library"]["module-set"]
    modules = {module["name"]: module for module in module_set["module"]}
    assert modules["sdqkd-encryptor"]["deviation"] == ["sdqkd-adva-encryptor"]
    assert "candidate" in modules["ietf-netconf"]["feature"]
    assert not modules.keys() & {module["name"] for module in module_set["import-only-module"]}
    assert "ietf-inet-types" in {module["name"] for module in module_set["import-only-module"]}


def test_the_old_form_says_the_same() -> None:
    new_form, flat = contents(table.load("fibre-switch")).values()
    new = {module["name"]: module for module in new_form["module-set"][0]["module"]}
    old = {module["name"]: module for module in flat["module"] if module["conformance-type"] == "implement"}
    assert new.keys() == old.keys()
    for name, module in new.items():
        assert module.get("feature") == old[name].get("feature")
    assert flat["module-set-id"] == new_form["content-id"]


def test_submodules_are_told() -> None:
    schema = table.load("fibre-switch")
    part = table.SubmoduleInfo("part-of-it", "2026-01-05", "part-of-it.yang")
    modules = (replace(schema.modules[0], submodules=(part,)), *schema.modules[1:])
    new_form, flat = contents(replace(schema, modules=modules)).values()
    told = {"name": "part-of-it", "revision": "2026-01-05"}
    assert new_form["module-set"][0]["module"][0]["submodule"] == [told]
    assert flat["module"][0]["submodule"] == [told]


def test_its_identity_changes_with_the_contents_and_only_then() -> None:
    ids = {name: library(table.load(name), ALL).content_id for name in DEVICES}
    assert len(set(ids.values())) == len(DEVICES)
    assert library(table.load("qkd-node"), ALL[:2]).content_id != ids["qkd-node"]
    again = replace(table.load("qkd-node"))  # as after a restart
    assert library(again, ALL).content_id == ids["qkd-node"]
