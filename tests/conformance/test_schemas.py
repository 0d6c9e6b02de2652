"""What a device serves as ETSI GS QKD 015, against what is published: each difference is a row for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conformance.conftest import Start

from sdqkd.conformance.case import shipped_sections
from sdqkd.conformance.expect import Disappointed
from sdqkd.conformance.facts import Facts, Module
from sdqkd.conformance.runner import select
from sdqkd.conformance.schemas import EXAMINATIONS, Key, Library, Warned, compile_modules
from sdqkd.conformance.session import Patience

ROOT = Path(__file__).resolve().parents[2]
ETSI = {file.stem: file.read_text("utf-8") for file in sorted((ROOT / "yang/etsi").glob("*.yang"))}
REVISION = re.compile(r"revision (\d{4}-\d\d-\d\d)")
DEVIATING: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data/deviating.yaml").read_text("utf-8")
)


def changed(change: Mapping[str, Any]) -> dict[str, str]:
    """The served modules with one change."""
    if "text" in change:
        return {**ETSI, change["module"]: change["text"]}
    text, times = re.subn(change["was"], change["becomes"], ETSI[change["module"]], flags=re.DOTALL)
    assert times == 1, f"{change['was']} fits {times} times"
    return {**ETSI, change["module"]: text}


def library(texts: Mapping[str, str]) -> Library:
    """A library as if it had been fetched from a server."""
    revisions = {name: REVISION.search(text) for name, text in texts.items()}
    modules = {name: Module(name, found[1] if found else "") for name, found in revisions.items()}
    served: dict[Key, str] = {(one.name, one.revision): texts[one.name] for one in modules.values()}
    facts = Facts((), modules)
    found = Library(facts)
    found._texts, found._compiled = served, compile_modules(served, facts)
    return found


@pytest.mark.parametrize("what", ["etsi-nodes", "etsi-types", "etsi-conditions", "compiles", "complete"])
def test_our_modules_are_as_published(what: str) -> None:
    EXAMINATIONS[what](library(ETSI))


@pytest.mark.parametrize("change", DEVIATING, ids=lambda one: str(one["rows"][0]))
def test_a_difference_is_a_row(change: dict[str, Any]) -> None:
    what = "etsi-types" if change["module"] == "etsi-qkd-node-types" else "etsi-nodes"
    with pytest.raises(Disappointed) as caught:
        EXAMINATIONS[what](library(changed(change)))
    rows = change["rows"]
    plural = "differences" if len(rows) > 1 else "difference"
    assert str(caught.value) == f"{len(rows)} {plural} from ETSI GS QKD 015 V2.1.1: {'; '.join(rows)}"


def test_conditions_that_are_never_true_are_a_warning() -> None:
    text = ETSI["etsi-qkd-sdn-node"]
    literal = re.sub(r'derived-from-or-self\((\S+),"\s+\+ " \'etsi-qkdn-types:(\w+)\'\)', r"\1 = '\2'", text)
    with pytest.raises(Warned, match="3 conditions compare an identityref with a bare literal"):
        EXAMINATIONS["etsi-conditions"](library({**ETSI, "etsi-qkd-sdn-node": literal}))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("module broken {", "pyang refuses"),
        ('module broken { namespace "urn:b"; prefix b; import nobody { prefix n; } }', "nobody"),
        ('module broken { namespace "urn:b"; prefix b; leaf x { type no-such-type; } }', "no-such-type"),
    ],
)
def test_modules_that_do_not_compile(text: str, says: str) -> None:
    with pytest.raises(Disappointed, match=says):
        library({**ETSI, "broken": text})


def test_a_module_that_is_announced_and_not_given_out() -> None:
    found = library(ETSI)
    found.facts.modules["acme"] = Module("acme", "2020-01-01")  # type: ignore[index]
    with pytest.raises(Disappointed, match="not listed with get-schema: acme@2020-01-01"):
        EXAMINATIONS["complete"](found)


def test_a_device_with_another_model_fails(start_agent: Start) -> None:
    """Live: its get-schema gives out the changed modules, and the report says what is different."""
    report = start_agent("deviating").run("etsi-qkd-015", Patience(), select(shipped_sections(), ["models/*"]))
    outcomes = {one.case.id: (one.outcome, one.reason) for one in report.results}
    wrong = {"models/etsi-nodes", "models/etsi-types"}
    assert {case for case, (outcome, _) in outcomes.items() if outcome == "failed"} == wrong
    said = "".join(outcomes[case][1] for case in wrong)
    for row in (row for change in DEVIATING if change.get("live") for row in change["rows"]):
        assert row in said
