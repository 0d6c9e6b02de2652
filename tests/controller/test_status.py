from __future__ import annotations

import dataclasses

import pytest
from tests.controller.emulated import Emulated, journal_of

from sdqkd.controller.controller import Controller
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.journal import Begin, Decision, Entry, InDoubt
from sdqkd.controller.journal_state import open_transactions
from sdqkd.controller.status import LinkRow, NetworkStatus, link_table, network_status
from sdqkd.errors import SdqkdError, UnreachableError
from sdqkd.schema.table import load
from sdqkd.schema.tree import EMPTY, Container, put

ACTIVE = "etsi-qkd-node-types:ACTIVE"
LINK = "0b000000-0000-4000-8000-000000000001"


def report(oper: str | None, *, loss: str = "4.1", rate: str = "2000", qber: str | None = "1.5") -> Container:
    """What one end says of Alfa-Bravo-DV."""
    schema = load("qkd-node")
    entry = ("etsi-qkd-sdn-node:qkd_node", "qkd_links", ("qkd_link", (LINK,)))
    leafs: dict[tuple, str] = {
        ("sdqkd-qkd-node:measured-loss-db",): loss,
        ("qkdl_performance", "skr"): rate,
    }
    if oper is not None:
        leafs["sdqkd-qkd-node:oper-status",] = f"etsi-qkd-node-types:{oper}"
        leafs["sdqkd-qkd-node:oper-reason",] = f"because {oper}"
    if qber is not None:
        kind = ("phys_perf", ("etsi-qkd-node-types:QBER",))
        leafs["qkdl_performance", kind, "value"] = qber
    tree = EMPTY
    for path, value in leafs.items():
        tree = put(schema, tree, (*entry, *path), value)
    return tree


def row_of(network: LoadedNetwork, a: Container | SdqkdError, b: Container | SdqkdError) -> LinkRow:
    readings = dict.fromkeys(network.network.devices, EMPTY) | {"alfa-qkd": a, "bravo-qkd": b}
    return link_table(network.network, readings)[0]


def test_a_link_is_active_if_both_ends_say_so(three_sites: LoadedNetwork) -> None:
    row = row_of(three_sites, report("ACTIVE"), report("ACTIVE", loss="4.3", rate="1900", qber="2.0"))
    assert row == LinkRow(
        name="Alfa-Bravo-DV",
        transmitter="Álfa",
        receiver="Bravo",
        vendor="ID Quantique",
        technology="DV",
        channel="34",
        wanted=True,
        status="ACTIVE",
        reason="because ACTIVE",
        loss_db=4.3,
        key_rate_bps=1900,
        qber_percent=2.0,
    )
    assert row.has_key


@pytest.mark.parametrize("worse", ["PENDING", "PASSIVE", "OFF"])
def test_a_link_is_as_good_as_its_bad_end(three_sites: LoadedNetwork, worse: str) -> None:
    for ends in ((report("ACTIVE"), report(worse)), (report(worse), report("ACTIVE"))):
        row = row_of(three_sites, *ends)
        assert (row.status, row.reason, row.has_key) == (worse, f"because {worse}", False)


def test_an_end_that_does_not_have_the_link_or_cannot_be_read_is_told(three_sites: LoadedNetwork) -> None:
    row = row_of(three_sites, report("ACTIVE"), EMPTY)
    assert (row.status, row.reason) == ("missing", "bravo-qkd does not have it")
    row = row_of(three_sites, UnreachableError("alfa", "no route"), report("ACTIVE"))
    assert (row.status, row.reason) == ("unknown", "alfa-qkd cannot be read")
    row = row_of(three_sites, report(None), report("ACTIVE"))
    assert (row.status, row.reason) == ("unknown", "alfa-qkd reports no status")


def test_no_key_comes_at_rate_zero(three_sites: LoadedNetwork) -> None:
    assert not row_of(three_sites, report("ACTIVE", rate="0"), report("ACTIVE")).has_key


def test_a_link_that_is_not_wanted_is_not_switched_unless_a_device_has_it(three_sites: LoadedNetwork) -> None:
    links = {name: dataclasses.replace(link, active=False) for name, link in three_sites.network.qkd_links.items()}
    loaded = dataclasses.replace(three_sites, network=dataclasses.replace(three_sites.network, qkd_links=links))
    assert row_of(loaded, EMPTY, EMPTY).status == "not switched"
    assert row_of(loaded, report("ACTIVE"), EMPTY).status == "missing"


def test_a_device_that_cannot_be_read_is_not_in_its_desired_state(three_sites: LoadedNetwork) -> None:
    network = three_sites.network
    wanted = desired(network)
    readings = {name: one.tree for name, one in wanted.items()}
    status = network_status(network, wanted, readings | {"alfa-l1": UnreachableError("peer", "no route")})
    rows = {row.name: row for row in status.devices}
    assert rows.pop("alfa-l1").reason == "peer: no route"
    assert all(row.in_desired_state for row in rows.values())
    assert (status.devices_in_desired_state, status.good) == (11, False)


def test_what_is_left_undone_is_told_with_the_devices_in_doubt(three_sites: LoadedNetwork) -> None:
    wanted = desired(three_sites.network)
    status = network_status(three_sites.network, wanted, {name: one.tree for name, one in wanted.items()})
    begin = Begin("t1", "n", "noc", {}, {"alfa-l1": [], "alfa-qkd": []}, {}, {})
    doubt = InDoubt("t1", "alfa-qkd", "the new configuration", "run it again")
    records = [begin, Decision("t1", "CONFIRM", "every device answered"), doubt]
    left = open_transactions(Entry(at, "", 1, record, "") for at, record in enumerate(records, 1))
    status = dataclasses.replace(status, open=left)
    assert (status.good, status.in_doubt) == (False, ("alfa-qkd",))
    (told,) = status.to_json()["open-transactions"]
    assert (told["txid"], told["status"], told["verdict"]) == ("t1", "in doubt", "CONFIRM")
    assert told["devices"] == ["alfa-l1", "alfa-qkd"]
    assert told["in-doubt"] == {"alfa-qkd": {"holds": "the new configuration", "remedy": "run it again"}}


async def test_a_network_that_is_applied_makes_key_on_every_wanted_link(three_sites: LoadedNetwork) -> None:
    status = await brought_up(three_sites)
    assert status.good, status.to_json()
    assert [(row.name, row.status) for row in status.links] == [
        ("Alfa-Bravo-DV", "ACTIVE"),
        ("Alfa-Charlie-CV", "ACTIVE"),
        ("Bravo-Charlie-CV", "not switched"),
    ]
    fixed, switched, _ = status.links
    assert (fixed.key_rate_bps, fixed.loss_db, fixed.snr_db) == (2040, 4.0, None)
    assert switched.snr_db is not None
    assert switched.qber_percent is None


async def test_madqci_comes_up(madqci: LoadedNetwork) -> None:
    status = await brought_up(madqci)
    assert status.good, status.to_json()
    assert (status.links_wanted, status.links_with_key) == (13, 13)
    assert status.devices_in_desired_state == 36
    assert [row.name for row in status.links if row.status == "not switched"] == [
        link.name for link in madqci.network.qkd_links.values() if not link.active
    ]
    as_json = status.to_json()
    assert as_json["links-with-key"] == 13
    assert as_json["links"][0]["key-rate-bps"] == 1950


async def brought_up(loaded: LoadedNetwork) -> NetworkStatus:
    emulated = Emulated(loaded.network)
    with journal_of(loaded.network) as journal:
        async with Controller(loaded, emulated, journal=journal) as controller:
            await controller.read()
            await controller.apply(controller.plan())
            status = await controller.status()
            await controller.read()
            assert controller.plan().is_empty
            return status
