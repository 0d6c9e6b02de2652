"""Runs `cases/*.xml`: what is sent to an agent, and what must come back.

A case is a sequence of `<c:send>` and `<c:expect>`; with `session="b"` they belong to another session than the
first one, which opens when it is first named, and `<c:leave>` drops a session. `<c:wait seconds="600">` lets time
pass, `<c:restart>` switches the agent off and on. A case may ask for an agent with `startup="true"`, and for one
with access control by `admins="noc"`, `viewers="eva"` and `recovery="root"`; a session has the name of its user.
`<c:notified>` holds the events that a session has heard of since it was asked last.
What `<c:expect>` holds must be the content of the reply; of an `<rpc-error>` only the parts that are written there
are compared. Paths may bear any prefix that is bound to the right namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from tests.agent.memory_client import Client, join
from tests.agent.power import Power

from sdqkd.errors import RpcError
from sdqkd.netconf.messages import Reply, parse_reply
from sdqkd.netconf.xml import BASE

_SEND, _EXPECT, _LEAVE, _WAIT, _RESTART, _NOTIFIED = (
    f"{{urn:sdqkd:test:cases}}{name}" for name in ("send", "expect", "leave", "wait", "restart", "notified")
)
_FIELDS = {
    "error-type": "type",
    "error-tag": "tag",
    "error-severity": "severity",
    "error-app-tag": "app_tag",
    "error-path": "path",
    "error-message": "message",
    "error-info": "info",
}


def _read() -> Iterator[Any]:
    parser = etree.XMLParser(remove_comments=True)
    for file in sorted((Path(__file__).parent / "cases").glob("*.xml")):
        for case in etree.parse(file, parser).getroot():
            yield pytest.param(case, id=f"{file.stem}: {case.get('name')}")


@pytest.mark.parametrize("case", list(_read()))
def test_case(case: etree._Element, power: Power) -> None:
    options = _options(case)
    agent = power.on(**options)
    sessions: dict[str, Client] = {}
    answer: Reply | None = None
    for step in case:
        name = step.get("session", "a")
        if step.tag == _WAIT:
            power.clock.advance(float(step.get("seconds", "")))
        elif step.tag == _RESTART:
            agent, sessions = power.on(**options), {}
        elif step.tag == _LEAVE:
            sessions.pop(name).leave()
        elif step.tag == _SEND:
            if name not in sessions:
                sessions[name] = join(agent, username=name)
            answer = sessions[name].call(step[0])
        elif step.tag == _NOTIFIED:
            heard, sessions[name].heard = sessions[name].heard, []
            assert [shape(one.content) for one in heard] == [shape(element) for element in step]
        else:
            assert step.tag == _EXPECT
            assert answer is not None
            _compare(answer, step, sessions[name].modules)


def _options(case: etree._Element) -> dict[str, Any]:
    roles = dict.fromkeys(case.get("admins", "").split(), "admin")
    roles |= dict.fromkeys(case.get("viewers", "").split(), "viewer")
    return {
        "startup": case.get("startup") == "true",
        "roles": roles or None,
        "recovery_users": case.get("recovery", "").split(),
    }


def _compare(answer: Reply, step: etree._Element, modules: dict[str, str]) -> None:
    expected = _parsed(step, modules)
    assert [shape(element) for element in answer.content] == [shape(element) for element in expected.content]
    stated = [_stated(error) for error in step if error.tag == f"{{{BASE}}}rpc-error"]
    assert len(answer.errors) == len(stated), answer.errors
    for error, like, fields in zip(answer.errors, expected.errors, stated, strict=True):
        assert _part(error, fields) == _part(like, fields), f"{error} in line {step.sourceline}"


def _parsed(step: etree._Element, modules: dict[str, str]) -> Reply:
    reply = etree.Element(f"{{{BASE}}}rpc-reply", {"message-id": "1"}, step.nsmap)
    reply.extend(list(etree.fromstring(etree.tostring(step))))
    return parse_reply(etree.tostring(reply), modules)


def _stated(error: etree._Element) -> set[str]:
    return {_FIELDS[etree.QName(part).localname] for part in error}


def _part(error: RpcError, fields: set[str]) -> dict[str, object]:
    return {field: getattr(error, field) for field in fields}


def shape(element: etree._Element) -> object:
    """What two elements must have in common to be the same: all but prefixes and white space around text."""
    children = [shape(child) for child in element]
    return (element.tag, dict(element.attrib), (element.text or "").strip(), children)
