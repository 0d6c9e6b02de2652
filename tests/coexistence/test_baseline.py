"""Which light counts as having been there when links were measured: what the file says, else what devices hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sdqkd.coexistence.baseline import Held, guests_as_measured
from sdqkd.coexistence.exposure import guests_as_wanted
from sdqkd.coexistence.faults import Faults
from sdqkd.coexistence.light import light_of
from sdqkd.controller.inventory import load_network
from sdqkd.devices.transponder import ChannelSettings
from sdqkd.network.model import Network, Port
from sdqkd.network.topology import topology_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "quintin-quijote" / "network.yaml"
C21, THEIRS = "quintin-quijote-c21", "quintin-quijote-c26"
HERE, THERE = Port("quintin-transponder", "quijote-c21"), Port("quijote-transponder", "quintin-c21")
THZ = 10**12


@pytest.fixture(scope="module")
def network() -> Network:
    """Silent about what was lit when its links were measured, with one channel of ours and one that is not."""
    whole = load_network(EXAMPLE.read_text("utf-8"), "network.yaml").network
    ours, theirs = whole.optical_channels[C21], whole.optical_channels[THEIRS]
    return saying(replace(whole, optical_channels={C21: ours, THEIRS: theirs}), None, None)


def saying(network: Network, power_dbm: float | None, frequency_hz: int | None) -> Network:
    said = {
        name: replace(one, calibration_power_dbm=power_dbm, calibration_frequency_hz=frequency_hz)
        for name, one in network.optical_channels.items()
    }
    return replace(network, optical_channels=said)


def holding(
    power_dbm: float = -3.0, *, enabled: bool = True, name: str = C21, ends: tuple[Port, ...] = (HERE, THERE)
) -> Held:
    channels = {
        port.element: {
            name: ChannelSettings(name, port.name, "encrypted-data", 192_100_000_000_000, power_dbm, enabled)
        }
        for port in ends
    }
    return Held(channels, {})


def lit(network: Network, held: Held | None) -> dict[str, tuple[float, float]]:
    """THz, and dBm into the fibre without the loss of the multiplexer, of whatever was lit."""
    topology = topology_of(network)
    found = guests_as_measured(network, topology, light_of(topology, {}, Faults()), held)
    guests = {guest for there in found.values() for guest in there}
    return {one.name: (one.frequency_hz / THZ, round(one.power_dbm, 1)) for one in guests}


def test_without_devices_the_file_is_what_was_measured(network: Network) -> None:
    topology = topology_of(network)
    dark = light_of(topology, {}, Faults())
    assert guests_as_measured(network, topology, dark) == guests_as_wanted(network, topology, dark)


def test_what_devices_hold_counts_and_not_what_the_file_wants(network: Network) -> None:
    louder = replace(network.optical_channels[C21], launch_power_dbm=3.0, frequency_hz=192_200_000_000_000)
    wanted = replace(network, optical_channels=network.optical_channels | {C21: louder})
    held = lit(wanted, holding(-3.0))
    assert held == lit(network, None)
    assert {*held} == {str(HERE), str(THERE), THEIRS}


@pytest.mark.parametrize("held", [Held({}, {}), holding(enabled=False)])
def test_what_they_do_not_hold_or_not_lit_was_dark(network: Network, held: Held) -> None:
    assert {*lit(network, held)} == {THEIRS}


def test_what_only_one_end_holds_was_lit_there(network: Network) -> None:
    assert {*lit(network, holding(ends=(HERE,)))} == {str(HERE), THEIRS}


@pytest.mark.parametrize("held", [None, Held({}, {}), holding(-3.0), holding(9.0), holding(enabled=False)])
def test_what_the_file_says_counts_whatever_devices_hold(network: Network, held: Held | None) -> None:
    said = lit(saying(network, -8.0, 192_100_000_000_000), held)
    assert said == {str(HERE): (192.1, -9.0), str(THERE): (192.1, -9.0), THEIRS: (192.1, -8.0)}


def test_power_alone_leaves_the_place_to_the_devices(network: Network) -> None:
    silent = saying(network, -8.0, None)
    moved = replace(silent.optical_channels[C21], frequency_hz=192_200_000_000_000)
    told = replace(silent, optical_channels=silent.optical_channels | {C21: moved})
    assert lit(told, holding())[str(HERE)] == (192.1, -9.0)
    assert str(HERE) not in lit(told, Held({}, {}))


def test_another_name_at_the_same_port_is_the_same_channel(network: Network) -> None:
    assert lit(saying(network, -8.0, 192_100_000_000_000), holding(name="old"))[str(HERE)] == (192.1, -9.0)


def test_what_the_file_has_no_more_was_there_while_devices_hold_it(network: Network) -> None:
    without = replace(network, optical_channels={THEIRS: network.optical_channels[THEIRS]})
    assert lit(without, holding()) == lit(network, None)


def test_what_devices_hold_elsewhere_was_not_at_its_new_place(network: Network) -> None:
    elsewhere = Port("quintin-transponder", "quijote-c22"), Port("quijote-transponder", "quintin-c22")
    told = saying(network, -8.0, 192_200_000_000_000)
    assert {*lit(told, holding(ends=elsewhere))} == {*map(str, elsewhere), THEIRS}
