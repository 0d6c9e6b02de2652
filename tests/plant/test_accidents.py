"""Accidents in words: what they do, that they can be told and repeated, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.errors import InputError
from sdqkd.plant.accidents import ACTIONS, act, described, draw

WORDS = [
    ("cut", "alfa-bravo"),
    ("loss", "bravo-charlie", "1.5"),
    ("amplifier", "alfa-bravo", "20", "5"),
    ("fail", "charlie-qkd", "1"),
    ("pull", "bravo-qkd", "3"),
    ("drift", "alfa-transponder", "bravo-c21", "-2.5"),
    ("misalign", "alfa-qkd", "3", "4"),
]


def optics(lab):
    """State of all but the encryptors, which count the keys that they used meanwhile."""
    return {name: lab.state(name) for name, device in lab.network.devices.items() if device.kind != "encryptor"}


def qber(lab):
    """Quantum bit error rate of the DV link, in percent."""
    (measured,) = (
        perf["value"]
        for perf in lab.both("dv")[0]["qkdl_performance"]["phys_perf"]
        if perf["perf_type"].endswith("QBER")
    )
    return float(measured)


def test_what_is_broken_is_told_in_the_words_that_break_it(lab, make_lab, triangle):
    for words in WORDS:
        act(lab.plant, words)
    told = described(lab.plant.faults)
    assert sorted(told) == sorted(WORDS)
    other = make_lab(triangle).configure()
    for words in told:
        act(other.plant, words)
    assert other.states() == lab.states()


def test_everything_heals(lab):
    before = optics(lab)
    for words in WORDS:
        act(lab.plant, words)
    assert optics(lab) != before
    act(lab.plant, ["heal"])
    assert described(lab.plant.faults) == ()
    assert optics(lab) == before


def test_mending_and_repairing_undo_all_that_befell_a_place(lab):
    before = optics(lab)
    for words in WORDS:
        act(lab.plant, words)
    for words in (
        ["mend", "alfa-bravo"],
        ["mend", "bravo-charlie"],
        ["repair", "charlie-qkd", "1"],
        ["plug", "bravo-qkd", "3"],
        ["repair", "alfa-transponder", "bravo-c21"],
        ["repair", "alfa-qkd", "3"],
    ):
        act(lab.plant, words)
    assert optics(lab) == before


def test_a_laser_that_drifts_up_harms_its_quantum_neighbour_and_is_received_stronger(lab):
    act(lab.plant, ["drift", "alfa-transponder", "bravo-c21", "8"])
    (channel,) = lab.state("bravo-transponder")["optical-channel"]
    assert channel["received-power-dbm"] == "0.0"  # -8 as told
    assert 0 < lab.rate("dv") < 1500


def test_a_weaker_quantum_laser_is_more_loss(lab):
    act(lab.plant, ["drift", "alfa-qkd", "1", "-3"])
    tx, _ = lab.both("dv")
    assert tx["sdqkd-qkd-node:measured-loss-db"] == "7.0"
    assert 0 < lab.rate("dv") < 1500


def test_a_module_out_of_line_makes_errors_and_less_key_until_there_is_none(lab):
    rate_bps, aligned = lab.rate("dv"), qber(lab)
    act(lab.plant, ["misalign", "bravo-qkd", "1", "4"])
    assert qber(lab) == pytest.approx(aligned + 4, abs=0.2)
    assert 0 < lab.rate("dv") < rate_bps
    act(lab.plant, ["misalign", "alfa-qkd", "1", "20"])
    assert lab.said("dv")[:2] == ("PASSIVE", "no key: too many errors, the modules are out of line by 24.0 %")
    act(lab.plant, ["repair", "alfa-qkd", "1"])
    act(lab.plant, ["repair", "bravo-qkd", "1"])
    assert (lab.rate("dv"), qber(lab)) == (rate_bps, aligned)


def test_an_amplifier_kills_every_quantum_channel_behind_it(lab):
    act(lab.plant, ["amplifier", "alfa-bravo", "23"])
    reason = "no key: too much noise, most of it from noise of the amplifier in fibre alfa-bravo"
    assert lab.said("dv")[:2] == ("PASSIVE", reason)
    assert lab.said("cv")[:2] == ("PASSIVE", reason)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("explode alfa-bravo", "nothing is called 'explode'; there are cut, loss, "),
        ("cut", "it is 'cut FIBRE', not 'cut'"),
        ("cut a b", "it is 'cut FIBRE', not 'cut a b'"),
        ("cut nowhere", "there is no fibre 'nowhere'"),
        ("loss alfa-bravo much", "the loss must be a number, not 'much'"),
        ("loss alfa-bravo nan", "must be a number of dB and not negative"),
        ("amplifier alfa-bravo 100", "an amplifier has a gain of 0 to 60 dB"),
        ("amplifier alfa-bravo 20 nan", "an amplifier has a gain of 0 to 60 dB"),
        ("drift alfa-l1 otn-1 3", "alfa-l1 has no lasers"),
        ("drift alfa-transponder bravo-c21 nan", "a laser of alfa-transponder drifts by -60 to 30 dB"),
        ("drift alfa-qkd 1 1", "a laser of alfa-qkd drifts by -60 to 0 dB"),
        ("misalign alfa-qkd 2 4", "interface 2 of alfa-qkd counts no wrong bits"),
        ("misalign alfa-qkd 1 51", "of the bits of a module 0 to 50 % more may be wrong"),
        ("misalign alfa-qkd 1 nan", "of the bits of a module 0 to 50 % more may be wrong"),
        ("drift alfa-qkd 9 -1", "alfa-qkd has no interface, port or line '9'"),
        ("random x", "the seed must be a whole number, not 'x'"),
        ("random 1 -1", "must be between 0 and 1000"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(lab, words, message):
    with pytest.raises(InputError) as caught:
        act(lab.plant, words.split())
    assert message in str(caught.value)
    assert described(lab.plant.faults) == ()


@given(seed=st.integers(), count=st.integers(0, 30))
def test_a_seed_draws_the_same_accidents_every_time_and_all_of_them_can_happen(make_lab, madqci, seed, count):
    drawn = draw(madqci, seed, count)
    assert drawn == draw(madqci, seed, count)
    assert len(drawn) == count
    plant = make_lab(madqci).plant
    for words in drawn:
        act(plant, words)


def test_a_seed_makes_the_same_network_every_time(make_lab, madqci):
    states = []
    for _ in range(2):
        lab = make_lab(madqci).configure()
        act(lab.plant, ["random", "7", "12"])
        states.append(lab.states())
    assert states[0] == states[1]
    assert draw(madqci, 7, 12) != draw(madqci, 8, 12)


def test_every_kind_of_accident_is_drawn_sooner_or_later(madqci):
    kinds = {words[0] for words in draw(madqci, 1, 300)}
    assert kinds == {"cut", "loss", "amplifier", "fail", "drift"} < set(ACTIONS)


def test_a_network_without_parts_has_no_accidents(triangle):
    from dataclasses import replace

    assert draw(replace(triangle, fibres={}, devices={}), 1, 5) == ()
