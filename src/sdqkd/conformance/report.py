"""A report for programs: JSON and JUnit XML. The text for people is made by `sdqkd.cli.conformance`."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from sdqkd.conformance.runner import Report, Result

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_json(report: Report) -> dict[str, Any]:
    """The report as an object: sums, and every case by section."""
    return {
        "server": report.peer,
        "target": report.target,
        "summary": {outcome: report.count(outcome) for outcome in ("passed", "failed", "skipped", "warning")},
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "rfc": section.rfc,
                "cases": [_case_json(one) for one in report.results if one.case.section == section.name],
            }
            for section in report.sections
        ],
    }


def to_junit(report: Report) -> bytes:
    """The report as JUnit XML: a suite for each section. A warning counts as passed, with its text as output."""
    root = etree.Element("testsuites", name=f"NETCONF conformance of {report.peer}")
    for section in report.sections:
        results = [one for one in report.results if one.case.section == section.name]
        suite = etree.SubElement(
            root,
            "testsuite",
            name=f"{section.name} ({section.rfc})",
            tests=str(len(results)),
            failures=str(report.count("failed", section.name)),
            skipped=str(report.count("skipped", section.name)),
            errors="0",
            time=f"{sum(one.seconds for one in results):.3f}",
        )
        for one in results:
            _case_junit(suite, one)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _case_json(result: Result) -> dict[str, Any]:
    case = result.case
    shown = {"id": case.id, "title": case.title, "rfc": case.rfc, "outcome": result.outcome}
    reason = {"reason": result.reason} if result.reason else {}
    return shown | reason | {"seconds": round(result.seconds, 3)}


def _case_junit(suite: Any, result: Result) -> None:
    case = result.case
    element = etree.SubElement(
        suite, "testcase", classname=f"{case.section} ({case.rfc})", name=case.id, time=f"{result.seconds:.3f}"
    )
    reason = _NOT_XML.sub("?", result.reason)
    if result.outcome == "failed":
        etree.SubElement(element, "failure", message=f"{case.title}").text = reason
    elif result.outcome == "skipped":
        etree.SubElement(element, "skipped", message=reason)
    elif result.outcome == "warning":
        etree.SubElement(element, "system-out").text = f"warning: {reason}"
