"""`sdqkd conformance` as a person runs it: reports, exit codes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from tests.cli.conftest import Run
from tests.conformance.conftest import Server, Start, free_port, keys, start_agent

from sdqkd.transport.keys import make_key_pair

__all__ = ["keys", "start_agent"]
TWO_CASES = """
section: mine
title: My cases
rfc: RFC 6241
cases:
  - id: right
    title: running can be had
    steps: [{get: running}]
  - id: wrong
    title: running is nowhere
    steps: [{get: running, holds: "c:nowhere"}]
  - id: impossible
    title: a server that calls a taxi
    needs: taxi
    steps: [{get: running}]
"""


@pytest.fixture
def agent(start_agent: Start) -> Server:
    return start_agent("conformance")


def login(agent: Server, **other: object) -> list[str]:
    """The arguments that let the kit in."""
    given: dict[str, object] = {
        "user": agent.login.user,
        "key": agent.login.key_file,
        "host-key": agent.login.host_key,
        **other,
    }
    return [agent.login.peer, *(f"--{name}={value}" for name, value in given.items())]


def test_everything_passes(sdqkd: Run, agent: Server) -> None:
    done = sdqkd("conformance", *login(agent), "--select", "rpc/*", "--select", "6243")
    assert done.code == 0, done.out + done.err
    assert "RPC layer" in done.out
    assert "RFC 6243" in done.out
    assert "0 failed" in done.err


def test_json_and_junit(sdqkd: Run, agent: Server, tmp_path: Path) -> None:
    file, junit = tmp_path / "mine.yaml", tmp_path / "report.xml"
    file.write_text(TWO_CASES, "utf-8")
    done = sdqkd("conformance", *login(agent), "--cases", file, "--json", "--junit", junit)
    assert done.code == 2
    assert done.json["summary"] == {"passed": 1, "failed": 1, "skipped": 1, "warning": 0}
    (section,) = done.json["sections"]
    assert [one["outcome"] for one in section["cases"]] == ["passed", "failed", "skipped"]
    assert "this does not hold: c:nowhere" in section["cases"][1]["reason"]
    assert section["cases"][2]["reason"] == "the server does not advertise taxi"
    (suite,) = etree.parse(junit).getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }


def test_the_report_says_what_failed_and_why(sdqkd: Run, agent: Server, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(TWO_CASES, "utf-8")
    done = sdqkd("conformance", *login(agent), "--cases", file, env={"COLUMNS": "200"})
    assert done.code == 2
    assert "failed: mine/wrong: running is nowhere (RFC 6241)" in done.out
    assert "skipped, as the server does not advertise taxi: mine/impossible" in done.out


def test_the_cases_are_listed_without_a_server(sdqkd: Run) -> None:
    done = sdqkd("conformance", "--list", "--select", "partial-lock")
    assert done.code == 0
    assert "partial-lock/denied: a part that another session has locked is denied" in done.out
    assert "[partial-lock]" in done.out
    listed = sdqkd("conformance", "--list", "--select", "partial-lock/denied", "--json").json["cases"]
    assert [(one["id"], one["rfc"], one["needs"]) for one in listed] == [
        ("partial-lock/denied", "RFC 5717", ["partial-lock"])
    ]


def test_nobody_is_there(sdqkd: Run, agent: Server) -> None:
    port = free_port()
    arguments = [f"127.0.0.1:{port}", *login(agent)[1:]]
    done = sdqkd("conformance", *arguments)
    assert done.code == 1
    assert f"127.0.0.1:{port}" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("what", "says"),
    [("host-key", "another host key"), ("key", "is not let in"), ("user", "is not let in")],
)
def test_the_wrong_door(sdqkd: Run, agent: Server, tmp_path: Path, what: str, says: str) -> None:
    other = make_key_pair(tmp_path / "other")
    wrong = {"host-key": other, "key": tmp_path / "other", "user": "nobody"}[what]
    done = sdqkd("conformance", *login(agent, **{what: wrong}))
    assert done.code == 1
    assert says in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give HOST:PORT and the --key"),
        (["host:1", "--key=k"], "--host-key"),
        (["host:99999", "--key=k", "--insecure-any-host-key"], "is no port"),
        (["host:1", "--key=k", "--host-key=AAAA"], "takes the type and the key"),
        (["host:1", "--key=k", "--insecure-any-host-key", "--set=x"], "NAME=VALUE"),
        (["host:1", "--patience=nan"], "nan is not a finite number"),
        (["--list", "--select=no-such-case"], "no case is selected by no-such-case"),
        (["--list", "--cases=missing.yaml"], "missing.yaml"),
        (["127.0.0.1:1", "--key=missing", "--insecure-any-host-key"], "no private key that can be read"),
    ],
)
def test_what_is_wrong_with_the_arguments_is_said(sdqkd: Run, arguments: list[str], says: str) -> None:
    done = sdqkd("conformance", *arguments)
    assert done.code == 1
    assert says in done.err
    assert "Traceback" not in done.err
