"""The compiler's tables, compared with recorded ones that were checked by eye and against yangson.

To record again: python tools/compile_models.py --yang tests/tools/data/yang --bindings tests/tools/data/bindings
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tools.yang_compiler.load import load
from tools.yang_compiler.sets import ModelSet, read_sets
from tools.yang_compiler.table import write_table

from sdqkd.errors import ModelError

DATA = Path(__file__).parent / "data"
YANG = DATA / "yang"
SETS = {model_set.name: model_set for model_set in read_sets(YANG)}


def compiled(name: str) -> dict[str, Any]:
    return json.loads(write_table(load(SETS[name], YANG)))


@pytest.mark.parametrize("name", SETS)
def test_table_is_the_recorded_one(name: str) -> None:
    recorded = DATA / "bindings/sdqkd_bindings/schema" / f"{name}.json"
    assert write_table(load(SETS[name], YANG)) == recorded.read_text(encoding="utf-8")


def test_modules_that_are_only_imported_add_nothing() -> None:
    table = compiled("extended-shop")
    assert "shop-unused:only-if-implemented" not in table["data"]["shop:shop"]["children"]
    assert "shop-unused:NOT-A-VALUE" not in table["identities"]
    assert [module["name"] for module in table["modules"] if not module["implemented"]] == ["shop-unused"]


def test_features_are_off_unless_listed() -> None:
    assert "van" not in compiled("shop")["data"]["shop:shop"]["children"]
    van = compiled("extended-shop")["data"]["shop:shop"]["children"]["van"]
    assert list(van["children"]) == ["plate", "shop-extra:wheels"]


def test_members_of_choices_say_where_they_belong() -> None:
    children = compiled("extended-shop")["data"]["shop:shop"]["children"]
    assert children["pin"]["choice"] == ["way/door", "key/pin"]
    assert children["shop-extra:tunnel"]["choice"] == ["way/shop-extra:tunnel"]


@pytest.mark.parametrize(
    ("model_set", "message"),
    [
        (ModelSet("x", ("no-such-module",)), "no-such-module"),
        (ModelSet("x", ("shop",), {"shop": ("no-such",)}), "feature shop:no-such does not exist"),
        (ModelSet("x", ("shop",), {"shop": ("gifts",)}), "shop:gifts depends on a feature that is off"),
        (ModelSet("x", ("shop", "shop-small")), "`deviations` must list exactly"),
        (ModelSet("x", ("shop",), deviations=("shop",)), "`deviations` must list exactly"),
        (ModelSet("x", ("shop-extra",)), "shop-extra changes shop: list that too"),
    ],
)
def test_set_that_makes_no_sense_is_refused(model_set: ModelSet, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load(model_set, YANG)


def test_broken_module_is_named_with_its_line(tmp_path: Path) -> None:
    text = 'module broken {\n  namespace "urn:x";\n  prefix b;\n  leaf a { type no-such-type; }\n}\n'
    (tmp_path / "broken.yang").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"^broken\.yang:4: .*no-such-type"):
        load(ModelSet("x", ("broken",)), tmp_path)


@pytest.mark.parametrize(
    "text",
    ["[a]\n", "[a]\nmodules = []\n", '[a]\nmodules = ["x"]\nfeature = {}\n', "[a\n", "a = 1\n"],
)
def test_broken_list_of_sets_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "model-sets.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"^model-sets\.toml: "):
        read_sets(tmp_path)


def test_features_of_strange_modules_are_refused(tmp_path: Path) -> None:
    text = '[a]\nmodules = ["x"]\nfeatures = { y = ["z"] }\n'
    (tmp_path / "model-sets.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="set a does not implement y"):
        read_sets(tmp_path)


def test_submodules_are_listed_with_their_files() -> None:
    (depot,) = (module for module in compiled("depot")["modules"] if module["name"] == "depot")
    assert depot["submodules"] == [{"name": "depot-part", "revision": "2026-01-05", "file": "depot-part.yang"}]


@pytest.mark.parametrize(
    ("include", "message"),
    [
        ('["nothing"]', "set a includes nothing, which is no set without includes"),
        ('["deep"]', "set a includes deep, which is no set without includes"),
        ('["b"]', "x: in set a and in b"),
    ],
)
def test_an_include_that_makes_no_sense_is_refused(tmp_path: Path, include: str, message: str) -> None:
    text = f'[a]\nmodules = ["x"]\ninclude = {include}\n[b]\nmodules = ["x", "y"]\n'
    text += '[deep]\nmodules = ["z"]\ninclude = ["b"]\n'
    (tmp_path / "model-sets.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        read_sets(tmp_path)
