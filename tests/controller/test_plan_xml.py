from __future__ import annotations

from lxml import etree
from tests.controller.emulated import Emulated

from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import make_plan
from sdqkd.controller.plan_xml import config_of, plan_xml
from sdqkd.schema.edit import edit


def test_what_is_shown_leads_where_the_plan_leads_and_back(three_sites: LoadedNetwork) -> None:
    old = Emulated(three_sites.network).running()
    plan = make_plan("three-sites", desired(three_sites.network), old)
    document = etree.fromstring(plan_xml(plan))
    assert document.get("network") == "three-sites"
    assert [device.get("name") for device in document] == list(plan.changed)
    for device in document:
        name = device.get("name")
        assert name is not None
        planned = plan.devices[name]
        new = edit(planned.schema, old[name], device[0])
        assert make_plan("n", {name: desired(three_sites.network)[name]}, {name: new}).is_empty
        assert edit(planned.schema, new, config_of(plan.reverse(), name)) == old[name]


def test_no_changes_are_no_devices(three_sites: LoadedNetwork) -> None:
    wanted = desired(three_sites.network)
    plan = make_plan("three-sites", wanted, {name: one.tree for name, one in wanted.items()})
    assert plan_xml(plan) == '<plan xmlns="urn:sdqkd:plan" network="three-sites"/>'
