"""Light paths through a small network: two sites, a switch at each, one fibre; and a third site in the dark."""

import pytest

from sdqkd.network.model import Multiplexer, MultiplexerPort, Passband, Port
from sdqkd.network.topology import Cord, Crossing, Topology, any_port_of, as_configured
from sdqkd.physics.grid import channel_to_hz


def cords(*joined: tuple[Port, Port, float, str | None]) -> dict[Port, Cord]:
    return {a: Cord(b, loss, fibre) for x, y, loss, fibre in joined for a, b in ((x, y), (y, x))}


def multiplexer(name: str, *channels: int) -> Multiplexer:
    bands = {n: Passband(channel_to_hz(n) - 5 * 10**10, channel_to_hz(n) + 5 * 10**10) for n in channels}
    ports = {f"c{n}": MultiplexerPort(f"c{n}", 0.5, (band,)) for n, band in bands.items()}
    return Multiplexer(name, "site", "line", {"line": MultiplexerPort("line", 0.0, ()), **ports})


@pytest.fixture
def topology() -> Topology:
    return Topology(
        cords=cords(
            (Port("a-qkd", "tx"), Port("a-switch", "1"), 0.1, None),
            (Port("a-switch", "2"), Port("a-mux", "c34"), 0.0, None),
            (Port("a-switch", "3"), Port("a-mux", "c37"), 0.0, None),
            (Port("a-mux", "line"), Port("b-mux", "line"), 4.0, "a-b"),
            (Port("b-mux", "c37"), Port("b-switch", "1"), 0.0, None),
            (Port("b-switch", "2"), Port("b-qkd", "rx"), 0.1, None),
        ),
        multiplexers={"a-mux": multiplexer("a-mux", 34, 37), "b-mux": multiplexer("b-mux", 34, 37)},
        switch_ports={"a-switch": ("1", "2", "3"), "b-switch": ("1", "2")},
        switch_loss_db={"a-switch": 0.8, "b-switch": 0.8},
    )


START, END = Port("a-qkd", "tx"), Port("b-qkd", "rx")
NEEDED = (Crossing("a-switch", "1", "3"), Crossing("b-switch", "1", "2"))


def test_what_could_be_switched_is_found_with_its_crossings_and_loss(topology: Topology) -> None:
    (path,) = topology.paths(START, channel_to_hz(37), any_port_of(topology))
    assert path.end == END
    assert path.crossings == NEEDED
    assert path.fibres == ("a-b",)
    assert path.loss_db == pytest.approx(0.1 + 0.8 + 0.5 + 4.0 + 0.5 + 0.8 + 0.1)


def test_the_way_back_is_the_same_way(topology: Topology) -> None:
    (there,) = topology.paths(START, channel_to_hz(37), as_configured(NEEDED))
    (back,) = topology.paths(END, channel_to_hz(37), as_configured(NEEDED))
    assert back.ports == tuple(reversed(there.ports))
    assert back.loss_db == pytest.approx(there.loss_db)


@pytest.mark.parametrize("missing", range(len(NEEDED)))
def test_no_light_without_every_crossing(topology: Topology, missing: int) -> None:
    crossings = [c for i, c in enumerate(NEEDED) if i != missing]
    assert list(topology.paths(START, channel_to_hz(37), as_configured(crossings))) == []


def test_no_light_through_a_filter_for_another_channel(topology: Topology) -> None:
    assert list(topology.paths(START, channel_to_hz(34), as_configured(NEEDED))) == []
    assert list(topology.paths(START, channel_to_hz(38), any_port_of(topology))) == []


def test_a_port_that_leads_nowhere_ends_nothing(topology: Topology) -> None:
    # Channel 34 gets through both multiplexers, but nothing is patched to b-mux port c34.
    assert list(topology.paths(START, channel_to_hz(34), any_port_of(topology))) == []


def test_no_light_through_a_cut_fibre(topology: Topology) -> None:
    assert list(topology.paths(START, channel_to_hz(37), as_configured(NEEDED), dark={"a-b"})) == []


@pytest.mark.parametrize(("fibres", "found"), [(["a-b"], 1), ([], 0), (["a-b", "b-c"], 0), (["b-c"], 0)])
def test_the_given_fibres_are_taken_and_no_others(topology: Topology, fibres: list[str], found: int) -> None:
    paths = list(topology.paths(START, channel_to_hz(37), any_port_of(topology), fibres))
    assert len(paths) == found


def test_a_loop_of_light_ends(topology: Topology) -> None:
    looped = Topology(
        cords=cords(
            (Port("a-qkd", "tx"), Port("a-switch", "1"), 0.0, None),
            (Port("a-switch", "2"), Port("a-switch", "3"), 0.0, None),
        ),
        multiplexers={},
        switch_ports=topology.switch_ports,
        switch_loss_db=topology.switch_loss_db,
    )
    assert list(looped.paths(START, channel_to_hz(37), any_port_of(looped))) == []
