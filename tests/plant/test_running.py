"""Who watches the plant is told when something may have changed, and not more often than needed."""

from __future__ import annotations

from tests.plant.conftest import Lab


def test_a_change_is_told_once_until_somebody_has_looked(lab: Lab) -> None:
    told: list[str] = []
    node, switch = lab.plant.devices["alfa-qkd"], lab.plant.devices["alfa-switch"]
    for device in (node, switch):
        assert device.watch(lambda name=device.name: told.append(name)) is not None  # type: ignore[attr-defined]
    lab.plant.cut("alfa-bravo")
    assert told == [], "nobody has looked yet, so nobody knows anything that may be wrong now"
    node.state()
    lab.plant.mend("alfa-bravo")
    lab.plant.cut("alfa-bravo")
    assert told == ["alfa-qkd", "alfa-switch"]
    switch.state()
    lab.plant.cut("alfa-bravo")
    assert len(told) == 2, "it was cut already"
    lab.set_link("alfa-qkd", "dv", "qkdl_enable", "false")
    assert len(told) == 4


def test_who_watches_no_longer_is_not_told(lab: Lab) -> None:
    told: list[int] = []
    node = lab.plant.devices["alfa-qkd"]
    first, second = (node.watch(lambda number=number: told.append(number)) for number in (1, 2))  # type: ignore
    first()
    first()
    node.state()
    lab.plant.cut("alfa-bravo")
    assert told == [2]
    second()


def test_a_node_shows_the_same_tree_as_long_as_nothing_changes_for_it(lab: Lab) -> None:
    node = lab.plant.devices["alfa-qkd"]
    before = node.state()
    lab.plant.fail("alfa-switch", "spare")
    assert node.state() is before
    lab.plant.cut("alfa-bravo")
    assert node.state() != before


def test_a_module_that_is_pulled_out_has_no_status(lab: Lab) -> None:
    lab.plant.pull("alfa-qkd", "1")
    assert [entry["qkdi_id"] for entry in lab.state("alfa-qkd")["qkd_interfaces"]["qkd_interface"]] == [2, 3]
    lab.plant.repair("alfa-qkd", "1")
    assert lab.said("dv")[0] == "PASSIVE", "there is nothing to repair"
    lab.plant.plug("alfa-qkd", "1")
    assert len(lab.state("alfa-qkd")["qkd_interfaces"]["qkd_interface"]) == 3
    assert lab.said("dv")[0] == "ACTIVE"
