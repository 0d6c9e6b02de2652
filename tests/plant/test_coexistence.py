"""Classical light beside quantum light: who meets whom, and what it does to the key."""

from dataclasses import replace

import pytest

from sdqkd.network.model import Passband

POWER = "/sdqkd-optical-device:optical-device/optical-channel[name='{}']/launch-power-dbm"


def launch(lab, device, channel, dbm):
    lab.set(device, POWER.format(channel), str(dbm))


def with_scheme(network, scheme):
    return replace(network, fibres={name: replace(fibre, scheme=scheme) for name, fibre in network.fibres.items()})


def error_rate(lab, link):
    (found,) = lab.both(link)[0]["qkdl_performance"]["phys_perf"]
    return float(found["value"])


def test_more_launch_power_lowers_the_rate_until_there_is_none(lab):
    quiet_percent = error_rate(lab, "dv")
    rates = [lab.rate("dv")]
    for dbm in (3.0, 6.0, 9.0):
        launch(lab, "alfa-transponder", "c21", dbm)
        rates.append(lab.rate("dv"))
    assert rates[0] == 1500
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < rates[1] < 1500
    assert error_rate(lab, "dv") > quiet_percent
    launch(lab, "alfa-transponder", "c21", 20.0)
    reason = (
        "no key: too much noise, most of it from alfa-transponder port bravo-c21 (18.8 dBm into fibre alfa-bravo)"
    )
    assert lab.said("dv") == ("PASSIVE", reason, "PASSIVE", reason)
    launch(lab, "alfa-transponder", "c21", -3.0)
    assert lab.rate("dv") == 1500


def test_a_channel_that_is_dark_does_no_harm(lab):
    lab.set("alfa-transponder", POWER.replace("launch-power-dbm", "enabled").format("c21"), "false")
    assert lab.rate("dv") > 1500


def test_on_a_duplex_pair_only_light_of_the_same_direction_counts(lab):
    launch(lab, "bravo-transponder", "c21", 20.0)
    assert lab.rate("dv") == 1500


@pytest.mark.parametrize(("scheme", "harmed"), [("bidi", False), ("duplex", False), ("circulator", True)])
def test_light_that_comes_towards_the_quantum_channel_counts_on_one_strand(make_lab, triangle, scheme, harmed):
    lab = make_lab(with_scheme(triangle, scheme)).configure()
    assert lab.rate("dv") == 1500
    launch(lab, "bravo-transponder", "c21", 20.0)
    assert (lab.rate("dv") < 1500) == harmed


def test_a_strand_of_their_own_keeps_quantum_channels_from_all_harm(make_lab, triangle):
    lab = make_lab(with_scheme(triangle, "bidi")).configure()
    for device in ("alfa-transponder", "bravo-transponder"):
        launch(lab, device, "c21", 23.0)
    assert lab.rate("dv") == 1500


def test_third_parties_are_always_lit(make_lab, madqci):
    """The strongest neighbour of this link is somebody else's channel of 0 dBm."""
    faint = replace(madqci.optical_channels["quevedo-quijano-c25"], launch_power_dbm=-30.0)
    channels = {**madqci.optical_channels, faint.name: faint}
    without = make_lab(replace(madqci, optical_channels=channels)).configure()
    assert error_rate(without, "Quevedo-Quijano-Toshiba") < 4
    assert error_rate(make_lab(madqci).configure(), "Quevedo-Quijano-Toshiba") > 5


def test_only_links_on_the_fibre_of_a_channel_feel_it(make_lab, madqci):
    lab = make_lab(madqci).configure()
    before = {link.name: lab.rate(link.name) for link in madqci.qkd_links.values() if link.active}
    launch(lab, "distrito-transponder", "distrito-norte-c21", 9.0)
    after = {name: lab.rate(name) for name in before}
    changed = {name for name in before if after[name] != before[name]}
    # The CV link from Norte runs the other way, on the other strand.
    assert changed == {"Distrito-Norte-IDQ", "Distrito-Concepcion-CV"}
    assert after["Distrito-Norte-IDQ"] == 0


def test_a_link_at_1310_nm_feels_far_less(make_lab, madqci):
    lab = make_lab(madqci).configure()
    launch(lab, "quijote-transponder", "quijote-quevedo-c21", 9.0)
    assert 0.9 * 2040 < lab.rate("Quijote-Quevedo-IDQ") < 2040


def test_what_changed_since_the_calibration_is_told_from_the_file_alone(make_lab, madqci):
    """As in an emulation that is started with the louder file."""
    name = "distrito-norte-c21"
    louder = replace(madqci.optical_channels[name], launch_power_dbm=2.0)
    lab = make_lab(replace(madqci, optical_channels={**madqci.optical_channels, name: louder})).configure()
    assert 0 < lab.rate("Distrito-Norte-IDQ") < 1470
    measured_so = replace(louder, calibration_power_dbm=2.0)
    lab = make_lab(replace(madqci, optical_channels={**madqci.optical_channels, name: measured_so})).configure()
    assert lab.rate("Distrito-Norte-IDQ") == 1470


def with_wide_filters(network):
    wide = (Passband(192_050_000_000_000, 193_150_000_000_000),)
    return replace(
        network,
        multiplexers={
            name: replace(one, ports={**one.ports, "c21": replace(one.ports["c21"], passbands=wide)})
            for name, one in network.multiplexers.items()
        },
    )


FREQUENCY = POWER.replace("launch-power-dbm", "frequency-thz")


def test_where_a_channel_was_at_the_calibration_is_told_from_the_file_alone(make_lab, madqci):
    """As in an emulation in which it is moved."""
    name, link = "quevedo-quijano-c21", "Quevedo-Quijano-Toshiba"
    madqci = with_wide_filters(madqci)
    moved = replace(madqci.optical_channels[name], frequency_hz=193_100_000_000_000)
    lab = make_lab(madqci).configure()
    measured_bps = lab.rate(link)
    assert measured_bps == 37210
    for device in ("quevedo-transponder", "quijano-transponder"):
        lab.set(device, FREQUENCY.format(name), "193.1")
    begun = make_lab(replace(madqci, optical_channels={**madqci.optical_channels, name: moved})).configure()
    assert measured_bps != begun.rate(link) == lab.rate(link)
    there = replace(moved, calibration_frequency_hz=moved.frequency_hz)
    lab = make_lab(replace(madqci, optical_channels={**madqci.optical_channels, name: there})).configure()
    assert lab.rate(link) == measured_bps
