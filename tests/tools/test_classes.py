"""The typed classes: what pyangbind cannot do is said, and what it prints wrong is mended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sdqkd_bindings.json import ietf
from sdqkd_bindings.qkd_node import etsi_qkd_sdn_node
from tools.yang_compiler.classes import write_classes
from tools.yang_compiler.load import load
from tools.yang_compiler.sets import ModelSet, read_sets

from sdqkd.errors import ModelError

YANG = Path(__file__).parent / "data" / "yang"
LINK = "00000000-0000-4000-8000-00000000001b"


def test_classes_of_one_set_do_not_leak_into_the_next() -> None:
    (depot,) = (model_set for model_set in read_sets(YANG) if model_set.name == "depot")
    assert write_classes(load(depot, YANG)) == write_classes(load(depot, YANG))


def test_what_pyangbind_cannot_do_is_said() -> None:
    with pytest.raises(ModelError, match="set x: pyangbind cannot make classes"):
        write_classes(load(ModelSet("x", ("shop-words", "shop")), YANG))


def test_names_that_pyangbind_would_confuse_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = f'module {name} {{ namespace "urn:{name}"; prefix {name}; typedef place {{ type string; }} }}'
        (tmp_path / f"{name}.yang").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="share a name: place"):
        write_classes(load(ModelSet("x", ("one", "two")), tmp_path))


def test_actions_are_left_out(tmp_path: Path) -> None:
    head = 'module lamps { yang-version 1.1; namespace "urn:l"; prefix l; container c { leaf on { type empty; }'
    texts = []
    for action in ("", "action blink; notification off;"):
        (tmp_path / "lamps.yang").write_text(f"{head} {action} }} }}", encoding="utf-8")
        loaded = load(ModelSet("x", ("lamps",)), tmp_path)
        before = [child.arg for child in loaded.modules[-1].i_children[0].i_children]
        texts.append(write_classes(loaded))
        assert [child.arg for child in loaded.modules[-1].i_children[0].i_children] == before
    assert texts[0] == texts[1]


@pytest.mark.parametrize("spelling", ["PHYS", "etsi-qkdn-types:PHYS", "etsi-qkd-node-types:PHYS"])
def test_identities_are_printed_with_their_module(spelling: str) -> None:
    root = etsi_qkd_sdn_node()
    root.qkd_node.qkd_links.qkd_link.add(LINK).qkdl_type = spelling
    (link,) = json.loads(ietf(root))["etsi-qkd-sdn-node:qkd_node"]["qkd_links"]["qkd_link"]
    assert link == {"qkdl_id": LINK, "qkdl_type": "etsi-qkd-node-types:PHYS"}


@pytest.mark.parametrize(("given", "printed"), [(193.4, "193.4"), ("193.414", "193.414"), (194, "194")])
def test_decimals_are_printed_as_they_were_meant(given: float | str, printed: str) -> None:
    root = etsi_qkd_sdn_node()
    root.qkd_node.qkd_links.qkd_link.add(LINK).frequency_thz = given
    (link,) = json.loads(ietf(root))["etsi-qkd-sdn-node:qkd_node"]["qkd_links"]["qkd_link"]
    assert link["sdqkd-qkd-node:frequency-thz"] == printed


def test_part_of_a_tree_is_no_document() -> None:
    link = etsi_qkd_sdn_node().qkd_node.qkd_links.qkd_link.add(LINK)
    with pytest.raises(TypeError, match="qkd_link lies below its module's root"):
        ietf(link)
