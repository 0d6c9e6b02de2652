"""The kit against our agent, where all must work, and against netconfd, whose known faults must show.

`data/*.yaml` say what fails and why cases are skipped, by server. For our agent they only ever shrink: what is not
in them must not happen. `SDQKD_RECORD=1 pytest tests/conformance/test_servers.py` writes them anew; look at the
difference. What fails `sometimes` is written by hand: netconfd ends a session after a bad hello at its leisure.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conformance.conftest import Server, Start

from sdqkd.conformance.case import shipped_sections
from sdqkd.conformance.runner import Report, select
from sdqkd.conformance.session import Patience

DATA = Path(__file__).parent / "data"
QUICK = Patience(answer_s=2.0, close_s=1.0)  # netconfd's answers come in milliseconds, or never
# Reasons that appear when a server offers more.
OFFERS_MORE = ("not for a server that offers", "the server does not have the feature")


def summary(report: Report) -> dict[str, list[str]]:
    """What must stay the same from run to run."""
    skipped = {one.reason for one in report.results if one.outcome == "skipped"}
    return {
        "failed": sorted(one.case.id for one in report.results if one.outcome == "failed"),
        "warning": sorted(one.case.id for one in report.results if one.outcome == "warning"),
        "skipped": sorted(one for one in skipped if not one.startswith(OFFERS_MORE)),
    }


def recorded(report: Report, name: str) -> dict[str, Any]:
    file = DATA / f"{name}.yaml"
    expected = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    if not os.environ.get("SDQKD_RECORD"):
        return expected
    sometimes = {"sometimes": expected["sometimes"]} if "sometimes" in expected else {}
    found = summary(report)
    found["failed"] = [one for one in found["failed"] if one not in sometimes.get("sometimes", ())]
    text = yaml.safe_dump(found | sometimes, sort_keys=False, width=200, allow_unicode=True)
    file.write_text(text, encoding="utf-8")
    return found | sometimes


def surplus(report: Report, name: str) -> list[str]:
    """What happened beyond what is recorded."""
    expected, found = recorded(report, name), summary(report)
    reasons = {one.case.id: one.reason for one in report.results}
    allowed = {kind: {*expected[kind], *expected.get("sometimes", ())} for kind in found}
    new = ((kind, one) for kind in found for one in found[kind] if one not in allowed[kind])
    return [f"{kind}: {one}: {reasons.get(one)}" for kind, one in new]


@pytest.mark.parametrize(("kind", "target"), [("qkd-node", "etsi-qkd-015"), ("conformance", "sdqkd-conformance")])
def test_our_agent(start_agent: Start, kind: str, target: str) -> None:
    report = start_agent(kind).run(target, Patience(answer_s=5.0))
    assert surplus(report, f"agent-{target}") == []


def test_an_agent_with_startup_and_tight_limits(start_agent: Start) -> None:
    wanted = ["operations/*", "limits/*-timeout", "limits/session-limit", "hello/*", "candidate/*"]
    report = start_agent("limited").run(
        "sdqkd-conformance", Patience(answer_s=5.0), select(shipped_sections(), wanted)
    )
    assert [(one.case.id, one.reason) for one in report.results if one.outcome == "failed"] == []
    assert {one.case.id for one in report.results if one.outcome == "skipped"} == {
        "operations/no-startup",
        "operations/no-candidate",
        "candidate/restart",
    }


def test_netconfd(netconfd: Server) -> None:
    report = netconfd.run("sdqkd-conformance", QUICK)
    assert surplus(report, "netconfd") == []
    assert set(recorded(report, "netconfd")["failed"]) <= set(summary(report)["failed"])
    assert report.count("passed") > report.count("failed")
