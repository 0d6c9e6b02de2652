"""The audit log tells who did what and where, and no value ever."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from tests.agent.memory_client import Client, Clock

from sdqkd.agent.server import Agent

NODE = 'xmlns="urn:etsi:qkd:yang:etsi-qkd-node"'
PATH = "/etsi-qkd-sdn-node:qkd_node"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    caplog.set_level(logging.DEBUG, "sdqkd.audit")
    return lambda: [
        (record.levelname, record.getMessage()) for record in caplog.records if record.name == "sdqkd.audit"
    ]


def edit(target: str, inside: str) -> str:
    config = f"<config><qkd_node {NODE}>{inside}</qkd_node></config>"
    return f"<edit-config><target><{target}/></target>{config}</edit-config>"


def changes(log: Callable[[], list[tuple[str, str]]]) -> list[str]:
    return [line for _, line in log() if " changed=" in line]


def test_the_audit_log_tells_who_did_what(
    connect: Callable[..., Client], log: Callable[[], list[tuple[str, str]]]
) -> None:
    client = connect(username="ana")
    client.ask("<get><filter/></get>")
    client.ask("<lock><target><running/></target></lock>")
    client.call("<unlock><target><candidate/></target></unlock>")
    client.ask("<close-session/>")
    who = "device=small-node user=ana peer=client session=1"
    assert log() == [
        ("INFO", f"{who} operation=session result=begins"),
        ("DEBUG", f"{who} operation=get result=ok"),
        ("INFO", f"{who} operation=lock result=ok"),
        ("INFO", f"{who} operation=unlock result=operation-failed"),
        ("DEBUG", f"{who} operation=close-session result=ok"),
        ("INFO", f"{who} operation=session result=ends: closed by the client"),
    ]


def test_a_change_is_told_with_its_places_and_without_values(
    connect: Callable[..., Client], log: Callable[[], list[tuple[str, str]]]
) -> None:
    client = connect(username="ana")
    link = "<qkd_links><qkd_link><qkdl_id>00000000-0000-4000-8000-000000000001</qkdl_id></qkd_link></qkd_links>"
    client.ask(edit("candidate", f"<qkdn_location_id>swordfish</qkdn_location_id>{link}"))
    client.ask("<commit/>")
    client.ask(
        edit(
            "running",
            '<qkdn_location_id nc:operation="delete" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"/>',
        )
    )
    who = "device=small-node user=ana session=1"
    entry = f"{PATH}/qkd_links/qkd_link[qkdl_id='00000000-0000-4000-8000-000000000001']"
    assert changes(log) == [
        f"{who} changed=candidate edits=~{PATH}/qkdn_location_id +{entry}",
        f"{who} changed=running edits=~{PATH}/qkdn_location_id +{entry}",
        f"{who} changed=running edits=-{PATH}/qkdn_location_id",
    ]
    assert "swordfish" not in str(log())


def test_what_the_agent_takes_back_is_told_as_its_own(
    client: Client, agent: Agent, clock: Clock, log: Callable[[], list[tuple[str, str]]]
) -> None:
    client.ask(edit("candidate", "<qkdn_location_id>rack 2</qkdn_location_id>"))
    client.ask("<commit><confirmed/><confirm-timeout>5</confirm-timeout></commit>")
    clock.advance(5)
    assert [line for _, line in log()][-2:] == [
        f"device=small-node user=none session=0 changed=running edits=~{PATH}/qkdn_location_id",
        "device=small-node operation=confirmed-commit result=timeout",
    ]


def test_of_many_edits_some_are_told_and_the_rest_counted(
    client: Client, log: Callable[[], list[tuple[str, str]]]
) -> None:
    entries = "".join(f"<qkd_interface><qkdi_id>{number}</qkdi_id></qkd_interface>" for number in range(3, 103))
    client.ask(edit("candidate", f"<qkd_interfaces>{entries}</qkd_interfaces>"))
    (line,) = changes(log)
    assert line.count("+/") == 20
    assert line.endswith(" (and 80 more)")


def test_no_key_makes_a_line_of_its_own(client: Client, log: Callable[[], list[tuple[str, str]]]) -> None:
    name = "x\nINFO device=small-node user=root operation=commit result=ok" + "y" * 1000
    rules = f"<rule-list><name>{name}</name></rule-list>"
    config = f'<config><nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm">{rules}</nacm></config>'
    client.ask(f"<edit-config><target><candidate/></target>{config}</edit-config>")
    line = changes(log)[-1]
    assert "\n" not in line
    assert len(line) < 500
    assert line.endswith("…")


def test_nothing_is_told_of_what_changed_nothing(client: Client, log: Callable[[], list[tuple[str, str]]]) -> None:
    client.ask(edit("candidate", "<qkdn_location_id>rack 1</qkdn_location_id>"))
    client.call(edit("running", "<qkdn_id>nobody</qkdn_id>"))
    client.ask("<commit/>")
    assert changes(log) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ana", "ana"),
        ("Ana Díaz", "'Ana Díaz'"),
        ("x peer=client operation=commit result=ok", "'x peer=client operation=commit result=ok'"),
        ("x\ndevice=small-node user=root", r"'x\ndevice=small-node user=root'"),
        ("x' user=root ", '"x\' user=root "'),
    ],
)
def test_a_user_writes_no_fields_by_their_name(
    connect: Callable[..., Client], log: Callable[[], list[tuple[str, str]]], name: str, shown: str
) -> None:
    client = connect(username=name)
    client.ask(edit("candidate", "<qkdn_location_id>x</qkdn_location_id>"))
    told = [line for _, line in log()]
    assert len(told) == 3
    assert all(line.startswith(f"device=small-node user={shown} ") for line in told)
