"""What a device says of its models, and whether that is what a plan was made for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sdqkd.agent.capabilities import capabilities
from sdqkd.agent.library import library
from sdqkd.controller.models import (
    ModelMismatchError,
    ModuleState,
    demand_same,
    expected,
    from_hello,
    from_library,
    mismatches,
    models_id,
)
from sdqkd.schema.table import load
from sdqkd.schema.xml import encode

DATASTORES = ("running", "candidate", "operational")
LIBRARY = "urn:ietf:params:netconf:capability:yang-library"
SETS = ["qkd-node", "transponder", "adva-encryptor"]

names = st.text("abcdef", min_size=1, max_size=3)
states = st.builds(ModuleState, names, st.frozensets(names, max_size=2), st.frozensets(names, max_size=2))


def test_an_agents_hello_gives_the_content_id() -> None:
    schema = load("transponder")
    found = models_id(capabilities(schema, DATASTORES))
    assert found == f"content-id={library(schema, DATASTORES).content_id}"
    assert found != models_id(capabilities(load("fibre-switch"), DATASTORES))


def test_an_older_library_has_a_module_set_id() -> None:
    assert models_id([f"{LIBRARY}:1.0?revision=2016-06-21&module-set-id=7"]) == "module-set-id=7"


def test_without_a_library_the_modules_in_the_hello_count_in_any_order() -> None:
    one, other = "urn:a?module=a&revision=2020-01-01", "urn:b?module=b&features=x"
    assert models_id([one, other, "urn:x"]) == models_id([other, one]) != models_id([one, f"{other},y"])
    assert models_id(["urn:ietf:params:netconf:base:1.1"]) == ""


@pytest.mark.parametrize("name", SETS)
def test_an_agents_library_is_what_its_set_is_made_for(name: str) -> None:
    schema = load(name)
    data = etree.fromstring(b"<data>" + encode(schema, library(schema, DATASTORES).tree) + b"</data>")
    wanted = expected(schema)
    assert not list(mismatches(wanted, from_library(data), wanted))


def test_modules_are_read_of_a_hello() -> None:
    found = from_hello(["urn:a?module=a&revision=2020-01-01&features=x,y&deviations=d", "urn:base"])
    assert found == {"a": ModuleState("2020-01-01", frozenset("xy"), frozenset("d"))}


@given(st.dictionaries(names, states))
def test_what_is_the_same_does_not_differ(modules: dict[str, ModuleState]) -> None:
    assert not list(mismatches(modules, modules, modules))


@given(st.dictionaries(names, states, min_size=1), st.data())
def test_every_difference_is_told(modules: dict[str, ModuleState], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(modules)))
    other = data.draw(st.one_of(st.none(), states.filter(lambda state: state != modules[name])))
    found = {**modules, name: other} if other else {key: modules[key] for key in modules if key != name}
    told = list(mismatches(modules, found, modules))
    assert told
    assert all(name in one for one in told)


def test_a_plan_for_other_models_is_stale() -> None:
    demand_same("alfa", "content-id=1", "content-id=1")
    demand_same("alfa", "", "content-id=1")
    demand_same("alfa", "content-id=1", "")
    with pytest.raises(ModelMismatchError, match=r"alfa: .*plan again"):
        demand_same("alfa", "content-id=1", "content-id=2")
