from __future__ import annotations

import json as text
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from tests.schema.random_trees import DATA

from sdqkd.errors import ModelError, RpcError, RpcErrors
from sdqkd.schema import json, table
from sdqkd.schema.edit import edit_noting
from sdqkd.schema.table import Schema, read_table
from sdqkd.schema.tree import EMPTY, Container, get
from sdqkd.schema.validate import SHOWN_ERRORS, Validator

_CASES = text.loads((Path(__file__).parent / "data" / "invalid.json").read_text("utf-8"))
_RED = "xmlns:t='urn:sdqkd:test:fixture-types'>t:RED"
_ROW_A = ("fixture:rows", ("row", ("a",)))


def _errors(call: Callable[[], object]) -> list[RpcError]:
    with pytest.raises((RpcError, RpcErrors)) as raised:
        call()
    return list(raised.value.errors) if isinstance(raised.value, RpcErrors) else [raised.value]


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["name"])
def test_what_a_tree_breaks_is_said_with_tag_and_path(
    case: dict[str, Any], schema: Schema, validator: Validator
) -> None:
    errors = _errors(lambda: validator.check(json.decode(schema, case["tree"])))
    shown = [{name: getattr(error, name) for name in ("tag", "app_tag", "path", "message")} for error in errors]
    assert shown == case["errors"]


def test_leafs_that_are_not_unique_are_named(schema: Schema, validator: Validator) -> None:
    (tree,) = (case["tree"] for case in _CASES if case["name"] == "unique")
    (error,) = _errors(lambda: validator.check(json.decode(schema, tree)))
    assert error.non_unique == ("/fixture:rows/row[name='a']/slot", "/fixture:rows/row[name='a']/side")


def test_too_few_entries_are_told_of_the_list() -> None:
    kit = table.load("conformance")
    tree = json.decode(kit, {"sdqkd-conformance:test": {"team": {"member": [{"name": "only"}]}}})
    (error,) = _errors(lambda: Validator(kit).check(tree))
    assert (error.app_tag, error.path) == ("too-few-elements", "/sdqkd-conformance:test/team/member")


def test_a_right_tree_passes_and_errors_do_not_linger(schema: Schema, validator: Validator) -> None:
    wrong = json.decode(schema, {"fixture:crate": {}})
    right = json.decode(schema, {"fixture:crate": {"few": [{"id": 1}]}})
    for _ in range(3):
        assert len(_errors(lambda: validator.check(wrong))) == 1
        validator.check(right)
        validator.check(EMPTY)


def test_an_empty_tree_lacks_what_is_mandatory_at_the_top() -> None:
    (error,) = _errors(lambda: Validator(table.load("qkd-node")).check(EMPTY))
    assert (error.tag, error.path) == ("data-missing", "/etsi-qkd-sdn-node:qkd_node")
    assert error.message == "qkd_node lacks its mandatory qkdn_id"


def test_details_stand_in_the_info(schema: Schema, validator: Validator) -> None:
    tree = json.decode(schema, {"fixture:rows": {"row": [{"name": "a", "depth": 1}]}})
    condition, choice = _errors(lambda: validator.check(tree))
    assert condition.info == {"bad-element": "depth"}
    assert choice.info == {"missing-choice": "side-choice"}


def test_state_is_checked_where_it_belongs(schema: Schema, validator: Validator) -> None:
    tree = json.decode(schema, {"fixture:box": {"state": "s", "event": [{"text": "e"}]}}, state=True)
    validator.check(tree, state=True)
    errors = _errors(lambda: validator.check(tree))
    assert {error.tag for error in errors} == {"unknown-element"}
    assert errors[0].path == "/fixture:box/state"


def test_a_flood_of_errors_is_cut_short(schema: Schema, validator: Validator) -> None:
    rows = [{"name": f"r{number}"} for number in range(SHOWN_ERRORS + 7)]
    errors = _errors(lambda: validator.check(json.decode(schema, {"fixture:rows": {"row": rows}})))
    assert len(errors) == SHOWN_ERRORS
    assert errors[-1].message.endswith("(and 7 more problems)")


def test_an_edit_that_makes_a_when_false_deletes_what_hangs_on_it(
    schema: Schema, validator: Validator, tree_of: Callable[..., Container]
) -> None:
    before = tree_of(
        f"<rows><row><name>a</name><slot>11</slot><kind {_RED}</kind><depth>3</depth>"
        "<far xmlns='urn:sdqkd:test:fixture-more'>f</far><up/></row></rows>"
    )
    validator.check(before)
    config = _config("<row><name>a</name><slot>1</slot><kind>BLUE</kind></row>")
    edited = edit_noting(schema, before, config)
    after = validator.settle(before, edited.tree, edited.named)
    validator.check(after)
    assert list(get(after, _ROW_A).children) == ["name", "slot", "kind", "up"]


@pytest.mark.parametrize("depth", [3, 4])
def test_a_request_may_not_give_what_it_makes_inapplicable(
    depth: int, schema: Schema, validator: Validator, tree_of: Callable[..., Container]
) -> None:
    before = tree_of(f"<rows><row><name>a</name><kind {_RED}</kind><depth>3</depth><up/></row></rows>")
    edited = edit_noting(
        schema, before, _config(f"<row><name>a</name><kind>BLUE</kind><depth>{depth}</depth></row>")
    )
    (error,) = _errors(lambda: validator.settle(before, edited.tree, edited.named))
    assert (error.tag, error.path) == ("unknown-element", "/fixture:rows/row[name='a']/depth")


def test_settling_keeps_what_applies(
    schema: Schema, validator: Validator, tree_of: Callable[..., Container]
) -> None:
    tree = tree_of(f"<rows><row><name>a</name><kind {_RED}</kind><depth>3</depth><behind>z</behind></row></rows>")
    assert validator.settle(EMPTY, tree) is tree
    assert validator.settle(tree, tree) is tree


def _config(rows: str) -> etree._Element:
    return etree.fromstring(f"<config><rows xmlns='urn:sdqkd:test:fixture'>{rows}</rows></config>")


def test_nothing_of_libyang_reaches_the_terminal(
    schema: Schema, validator: Validator, capfd: pytest.CaptureFixture[str]
) -> None:
    _errors(lambda: validator.check(json.decode(schema, {"fixture:crate": {}})))
    assert capfd.readouterr() == ("", "")


def test_a_module_that_is_not_there_is_named() -> None:
    table = text.loads((DATA / "sdqkd_bindings" / "schema" / "fixture.json").read_text("utf-8"))
    with pytest.raises(ModelError, match=r"the module fixture-types cannot be loaded: .*not found"):
        Validator(read_table(text.dumps(table), (DATA / "nowhere",)))


@pytest.mark.parametrize(
    "name",
    ["qkd-node", "network", "inventory", "fibre-switch", "transponder", "encryptor", "optical-device"],
)
def test_every_model_set_loads(name: str) -> None:
    Validator(table.load(name))


def test_a_physical_link_has_its_attenuation_and_a_virtual_one_has_not() -> None:
    schema = table.load("qkd-node")
    validator = Validator(schema)
    link = {"qkdl_id": "4ef1b521-f83c-5b0d-b896-530b37bfc83d", "phys_channel_att": "7.47"}
    node = {"qkdn_id": "5ef1b521-f83c-5b0d-b896-530b37bfc83d"}

    def tree(kind: str) -> Container:
        links = {"qkd_link": [{**link, "qkdl_type": f"etsi-qkd-node-types:{kind}"}]}
        return json.decode(schema, {"etsi-qkd-sdn-node:qkd_node": {**node, "qkd_links": links}})

    validator.check(tree("PHYS"))
    (error,) = _errors(lambda: validator.check(tree("VIRT")))
    assert error.tag == "unknown-element"
    settled = validator.settle(tree("PHYS"), tree("VIRT"))
    validator.check(settled)
    key = ("qkd_link", (link["qkdl_id"],))
    entry = get(settled, ("etsi-qkd-sdn-node:qkd_node", "qkd_links", key))
    assert list(entry.children) == ["qkdl_id", "qkdl_type"]


def test_a_rule_is_not_said_to_be_broken_by_what_is_not_there() -> None:
    optics = table.load("optical-device")
    amplifier = {"name": "booster", "output-port": "line", "gain-db": "20.0"}
    ports = [{"name": name} for name in ("line", "client")]
    tree = {"sdqkd-optical-device:optical-device": {"port": ports, "amplifier": [amplifier]}}
    errors = _errors(lambda: Validator(optics).check(json.decode(optics, tree)))
    assert "amplifier lacks its mandatory input-port" in [error.message for error in errors]
    assert "must-violation" not in [error.app_tag for error in errors]
    amplifier["input-port"] = "line"
    errors = _errors(lambda: Validator(optics).check(json.decode(optics, tree)))
    assert "an amplifier needs two different ports" in [error.message for error in errors]
