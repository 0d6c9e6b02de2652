"""A node of an emulated network tells of each event of ETSI GS QKD 015 when it happens, to whoever listens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from tests.agent.memory_client import Clock, join
from tests.plant.conftest import DATA, Lab, read

from sdqkd.agent.server import Agent
from sdqkd.agent.store import FileStore
from sdqkd.plant.accidents import act

NODE = "alfa-qkd"
LINK = "0a000000-0000-4000-8000-000000000001"
APP = "0b000000-0000-4000-8000-000000000001"
SUBSCRIBE = (
    '<create-subscription xmlns="urn:ietf:params:xml:ns:netconf:notification:1.0"><stream>QKD</stream>'
    "</create-subscription>"
)
EDIT = (
    "<edit-config><target><running/></target><config>"
    '<qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">'
    "<qkd_applications>%s</qkd_applications></qkd_node></config></edit-config>"
)


class Site:
    """One node of the triangle behind an agent, and a client listening. The others are there and configured."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(read(DATA / "network.yaml"))
        self.lab.configure(name for name in self.lab.plant.devices if name != NODE)
        self.clock = Clock()
        device = self.lab.plant.devices[NODE]
        self.store = FileStore(folder / "running.json", device.schema)
        self.store.save(self.lab.running[NODE])
        self.agent = Agent(device, self.store, clock=self.clock)
        self.client = join(self.agent)
        self.client.ask(SUBSCRIBE)
        self.link = self.lab.network.qkd_links["dv"].link_id

    def app(self, inside: str, attributes: str = "") -> None:
        self.client.ask(EDIT % f"<qkd_app{attributes}><app_id>{APP}</app_id>{inside}</qkd_app>")

    def wants(self, bandwidth: int) -> None:
        qos = f"<app_qos><min_bandwidth>{bandwidth}</min_bandwidth></app_qos>"
        self.app(f"<backing_qkdl_id>{self.link}</backing_qkdl_id>{qos}")

    def told(self) -> set[str]:
        """What has been told until nothing is held back any more."""
        self.clock.advance(15)
        heard, self.client.heard = self.client.heard, []
        return {etree.QName(one.content).localname.removeprefix("sdqkdn_") for one in heard}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    assert site.told() == set(), "it tells nothing of what is as it was"
    yield site
    site.agent.close()
    site.store.close()


def test_applications(site: Site) -> None:
    site.app("<app_priority>1</app_priority>")
    assert site.told() == {"application_new"}
    site.app("<app_priority>2</app_priority>")
    assert site.told() == {"application_qos_update"}
    site.app("", ' nc:operation="delete"')
    assert site.told() == {"application_disconnected"}


def test_interfaces(site: Site) -> None:
    for happens, wanted in (
        (site.lab.plant.fail, {"interface_down", "link_down"}),
        (site.lab.plant.repair, {"event"}),
        (site.lab.plant.pull, {"interface_out", "link_down"}),
        (site.lab.plant.plug, {"interface_new", "event"}),
    ):
        happens(NODE, "1")
        assert site.told() == wanted


def test_links(site: Site) -> None:
    plant = site.lab.plant
    plant.cut("alfa-bravo")
    assert site.told() == {"link_down"}
    plant.mend("alfa-bravo")
    assert site.told() == {"event"}
    plant.add_loss("alfa-bravo", 2)
    assert "link_perf_update" in site.told()
    plant.mend("alfa-bravo")
    assert "link_perf_update" in site.told()
    site.wants(10**9)
    assert site.told() == {"application_new", "link_overloaded"}
    site.wants(1)
    assert site.told() == {"application_qos_update", "event"}


def test_error_rates_rise_an_alarm_by_configured_thresholds(site: Site) -> None:
    settings = (
        '<notification-settings xmlns="urn:sdqkd:yang:sdqkd-notification-settings"><error-rate>'
        "<warning>%s</warning><hysteresis>0.1</hysteresis></error-rate></notification-settings>"
    )
    edit = "<edit-config><target><running/></target><config>%s</config></edit-config>"
    site.client.ask(edit % (settings % "0.2"))
    assert site.told() == {"alarm"}
    site.client.ask(edit % (settings % "8.0"))
    assert site.told() == {"event"}


def test_a_module_out_of_line_rises_an_alarm_by_the_thresholds_that_come_with_it(site: Site) -> None:
    act(site.lab.plant, ["misalign", NODE, "1", "6"])
    assert "alarm" in site.told()
    act(site.lab.plant, ["repair", NODE, "1"])
    assert "event" in site.told()


def test_nothing_is_done_when_nothing_changes(site: Site) -> None:
    reports = 0
    report = site.lab.plant.devices[NODE].state

    def counted() -> object:
        nonlocal reports
        reports += 1
        return report()

    site.lab.plant.devices[NODE].state = counted  # type: ignore[method-assign, assignment]
    site.clock.advance(3600)
    assert reports == 0
    site.lab.plant.cut("alfa-bravo")
    site.clock.advance(3600)
    assert reports == 1


def test_whoever_is_told_of_changes_hears_of_the_rate(site: Site) -> None:
    other = join(site.agent)
    node = "/etsi-qkd-sdn-node:qkd_node/etsi-qkd-sdn-node:qkd_links/etsi-qkd-sdn-node:qkd_link"
    other.ask(
        '<establish-subscription xmlns="urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications"'
        ' xmlns:yp="urn:ietf:params:xml:ns:yang:ietf-yang-push">'
        '<yp:datastore xmlns:ds="urn:ietf:params:xml:ns:yang:ietf-datastores">ds:operational</yp:datastore>'
        f"<yp:datastore-xpath-filter>{node}[etsi-qkd-sdn-node:qkdl_id='{site.link}']"
        "//etsi-qkd-sdn-node:skr</yp:datastore-xpath-filter><yp:on-change/></establish-subscription>"
    )
    rates = []
    for happens in (
        lambda: None,
        lambda: site.lab.plant.cut("alfa-bravo"),
        lambda: site.lab.plant.mend("alfa-bravo"),
    ):
        happens()
        site.clock.advance(2)
        rates.append([one.content.findtext(".//{*}skr") for one in other.heard])
        other.heard.clear()
    (first,), (cut,), (mended,) = rates
    assert cut == "0"
    assert first == mended
    assert int(first or 0) > 0
