"""The plant as a whole: classical channels, protected connections, faults, and what holds for all of it."""

import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdqkd.errors import InputError
from sdqkd.schema.path import parse_path
from sdqkd.schema.tree import EMPTY

relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def channel(lab, device="alfa-transponder"):
    (entry,) = lab.state(device)["optical-channel"]
    return entry["oper-status"].removeprefix("sdqkd-optical-device:"), entry.get("received-power-dbm")


def connection(lab, device):
    (entry,) = lab.state(device)["connection"]
    return entry["state"]


CHANNEL = "/sdqkd-optical-device:optical-device/optical-channel[name='c21']"
CONNECTION = "/sdqkd-encryptor:encryptor/connection[name='{}']"


def test_a_channel_is_up_while_the_light_of_its_peer_arrives(lab):
    assert channel(lab) == channel(lab, "bravo-transponder") == ("up", "-8.0")  # -3 - 2.5 - 2 x 1.25
    lab.set("bravo-transponder", f"{CHANNEL}/launch-power-dbm", "-6.0")
    assert channel(lab) == ("up", "-11.0")
    lab.set("bravo-transponder", f"{CHANNEL}/enabled", "false")
    assert channel(lab) == ("down", None)
    assert channel(lab, "bravo-transponder") == ("disabled", None)


def test_a_channel_needs_the_frequency_of_its_peer_and_of_the_filters(lab):
    lab.set("bravo-transponder", f"{CHANNEL}/frequency-thz", "192.11")
    assert channel(lab) == channel(lab, "bravo-transponder") == ("down", None)
    lab.set("alfa-transponder", f"{CHANNEL}/frequency-thz", "192.11")
    assert channel(lab)[0] == "up"  # still inside the filters' passband
    for device in ("alfa-transponder", "bravo-transponder"):
        lab.set(device, f"{CHANNEL}/frequency-thz", "192.3")
    assert channel(lab) == ("down", None)


def test_a_failed_transceiver_neither_sends_nor_receives(lab):
    lab.plant.fail("alfa-transponder", "bravo-c21")
    assert channel(lab) == channel(lab, "bravo-transponder") == ("down", None)


def test_a_cross_connection_is_down_when_a_port_failed(lab):
    lab.plant.fail("bravo-switch", "charlie")
    (entry,) = lab.state("bravo-switch")["cross-connection"]
    assert entry["oper-status"] == "sdqkd-optical-device:down"
    assert lab.said("cv")[1] == "no light from alfa-qkd: bravo-switch port charlie has failed"


def test_both_ends_of_a_connection_show_one_key_and_its_age(lab):
    lab.now_s += 130
    a, b = connection(lab, "alfa-l1"), connection(lab, "bravo-l1")
    assert a == b
    assert (a["oper-status"], a["key-age"], a["rekey-count"]) == ("up", 10, "3")
    lab.now_s += 50
    later = connection(lab, "alfa-l1")
    assert (later["key-age"], later["rekey-count"]) == (0, "4")
    assert later["key-id"] != a["key-id"]
    assert connection(lab, "bravo-l2")["key-id"] != a["key-id"]


def test_a_key_taken_at_once_is_another_one_at_both_ends(lab):
    encryptor = lab.plant.devices["alfa-l1"]
    lab.now_s += 7
    before = connection(lab, "bravo-l1")
    at = parse_path(encryptor.schema, CONNECTION.format("one-hop"))
    output = encryptor.invoke("sdqkd-encryptor:rekey", at, EMPTY)
    after = connection(lab, "bravo-l1")
    assert after == connection(lab, "alfa-l1")
    assert after["key-id"] == output.children["key-id"] != before["key-id"]
    assert (after["key-age"], int(after["rekey-count"])) == (0, int(before["rekey-count"]) + 1)


def test_a_connection_needs_a_chain_of_links_with_key(lab):
    before = connection(lab, "charlie-l2")
    assert before["oper-status"] == "up"  # Bravo - Alfa - Charlie
    lab.plant.fail("charlie-qkd", "1")
    lab.now_s += 1
    assert connection(lab, "charlie-l2") == {"oper-status": "no-key", "rekey-count": "1"}
    assert connection(lab, "alfa-l1")["oper-status"] == "up"
    lab.plant.repair("charlie-qkd", "1")
    after = connection(lab, "charlie-l2")
    assert (after["oper-status"], after["key-age"], after["rekey-count"]) == ("up", 0, "2")
    assert after["key-id"] != before["key-id"]


@pytest.mark.parametrize(
    ("leaf", "value"),
    [
        ("peer", "charlie-l2"),
        ("key-source/local-sae-id", "somebody"),
        ("key-source/peer-sae-id", "somebody"),
    ],
)
def test_a_connection_needs_a_peer_that_mirrors_it(lab, leaf, value):
    lab.set("bravo-l1", f"{CONNECTION.format('one-hop')}/{leaf}", value)
    assert connection(lab, "alfa-l1")["oper-status"] == "no-peer"
    assert connection(lab, "bravo-l1")["oper-status"] == "no-peer"


def test_a_connection_switched_off_is_disabled_here_and_without_peer_there(lab):
    lab.set("bravo-l1", f"{CONNECTION.format('one-hop')}/enabled", "false")
    assert connection(lab, "bravo-l1")["oper-status"] == "disabled"
    assert connection(lab, "alfa-l1")["oper-status"] == "no-peer"


def test_vlans_must_agree_and_lines_must_work(lab):
    lab.set("bravo-l2", f"{CONNECTION.format('two-hops')}/vlan", "7")
    assert connection(lab, "charlie-l2")["oper-status"] == "no-peer"
    lab.set("bravo-l2", f"{CONNECTION.format('two-hops')}/vlan", "100")
    lab.plant.fail("bravo-l2", "eth-1")
    assert connection(lab, "charlie-l2")["oper-status"] == "no-peer"


def test_the_shorter_interval_counts(lab):
    lab.set("bravo-l1", f"{CONNECTION.format('one-hop')}/rekey-interval", "20")
    lab.now_s += 45
    assert connection(lab, "alfa-l1")["key-age"] == 5


def test_faults_add_up_and_are_mended_together(lab):
    lab.plant.add_loss("alfa-bravo", 1.5)
    lab.plant.add_loss("alfa-bravo", 0.5)
    assert lab.both("dv")[0]["sdqkd-qkd-node:measured-loss-db"] == "6.0"
    lab.plant.cut("alfa-bravo")
    assert lab.said("dv")[1] == "no light from alfa-qkd: fibre alfa-bravo is cut"
    lab.plant.mend("alfa-bravo")
    assert lab.rate("dv") == 1500


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda plant: plant.cut("nowhere"), "there is no fibre 'nowhere'; there are alfa-bravo, bravo-charlie, "),
        (lambda plant: plant.mend("nowhere"), "there is no fibre 'nowhere'"),
        (lambda plant: plant.add_loss("nowhere", 1), "there is no fibre 'nowhere'"),
        (lambda plant: plant.add_loss("alfa-bravo", -1), "must be a number of dB and not negative"),
        (lambda plant: plant.add_loss("alfa-bravo", float("nan")), "must be a number of dB"),
        (lambda plant: plant.fail("nobody", "1"), "there is no device 'nobody'"),
        (
            lambda plant: plant.repair("charlie-qkd", "2"),
            "charlie-qkd has no interface, port or line '2'; it has 1",
        ),
    ],
)
def test_a_fault_of_what_is_not_there_is_refused(lab, do, message):
    with pytest.raises(InputError) as caught:
        do(lab.plant)
    assert message in str(caught.value)


@relaxed
@given(st.randoms(use_true_random=False))
def test_the_order_of_commits_does_not_matter(lab, make_lab, triangle, shuffled: random.Random):
    names = list(lab.plant.devices)
    shuffled.shuffle(names)
    assert make_lab(triangle).configure(names).states() == lab.states()


@relaxed
@given(st.sampled_from(["alfa-bravo", "bravo-charlie", "alfa-charlie"]), st.floats(0, 30), st.floats(0, 30))
def test_more_loss_never_raises_a_rate(make_lab, triangle, fibre, first_db, second_db):
    lab = make_lab(triangle).configure()
    rates = [{link: lab.rate(link) for link in ("dv", "wide", "cv")}]
    for loss_db in (first_db, second_db):
        lab.plant.add_loss(fibre, loss_db)
        rates.append({link: lab.rate(link) for link in ("dv", "wide", "cv")})
    assert all(after[link] <= before[link] for before, after in itertools.pairwise(rates) for link in after)


def test_state_is_made_once_between_changes(lab, monkeypatch):
    import sdqkd.plant.running as running

    lab.states()
    monkeypatch.setattr(running, "evaluate", None)
    lab.states()
    lab.configure()  # the same again
    lab.states()
