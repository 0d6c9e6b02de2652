from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.policy import (
    Person,
    demand_may,
    demand_window,
    is_open,
    next_opening,
    shut_windows,
    this_person,
)
from sdqkd.errors import InputError, NotAllowedError
from sdqkd.network.model import Action, MaintenanceWindow, Network, Role, Rules

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OPERATOR = Role("operator", ("alice", "bob"), ("netops",), ("plan", "apply"))
ADMIN = Role("admin", ("carol",), (), ("plan", "apply", "force"))
NIGHT = MaintenanceWindow("night", "/w", (), (), time(22, 0), time(4, 0), "UTC")
ALFA = MaintenanceWindow("alfa", "/w", ("Alfa",), (0, 2), time(11, 0), time(13, 0), "UTC")

Ruled = Callable[..., Network]


@pytest.fixture
def ruled(three_sites: LoadedNetwork) -> Ruled:
    return lambda *windows, roles=(): replace(three_sites.network, rules=Rules(roles, windows))


def test_the_policy_of_a_file_is_read(three_sites_text: str) -> None:
    text = three_sites_text + (
        "  policy:\n"
        "    role: [{name: operator, user: [alice, bob], group: [netops], may: [plan, apply]}]\n"
        "    maintenance-window:\n"
        "      - {name: alfa, site: [Alfa], day: [monday, wednesday], from: '11:00', until: '13:00'}\n"
    )
    rules = load_network(text, "network.yaml").network.rules
    assert rules.roles == (OPERATOR,)
    path = "/sdqkd-network:network/sdqkd-policy:policy/maintenance-window[name='alfa']"
    assert rules.windows == (replace(ALFA, path=path),)
    with pytest.raises(InputError, match="no time zone 'Mars/Olympus'"):
        load_network(text.replace("until: '13:00'", "until: '13:00', time-zone: Mars/Olympus"), "network.yaml")


@pytest.mark.parametrize(
    ("person", "action", "allowed"),
    [
        (Person("alice"), "apply", True),
        (Person("dave", frozenset({"netops", "users"})), "apply", True),
        (Person("dave", frozenset({"users"})), "plan", False),
        (Person("alice"), "force", False),
        (Person("carol"), "force", True),
    ],
)
def test_who_may_is_said_by_the_roles(ruled: Ruled, person: Person, action: Action, allowed: bool) -> None:
    network = ruled(roles=(OPERATOR, ADMIN))
    if allowed:
        demand_may(network, person, action)
    else:
        with pytest.raises(NotAllowedError, match=f"^{person.name} may not"):
            demand_may(network, person, action)


def test_who_is_refused_learns_who_may(ruled: Ruled) -> None:
    with pytest.raises(NotAllowedError) as refused:
        demand_may(ruled(roles=(OPERATOR, ADMIN)), Person("mallory"), "apply")
    assert str(refused.value) == (
        "mallory may not change the network three-sites; "
        "who may: operator (alice, bob, group netops); admin (carol)"
    )
    with pytest.raises(NotAllowedError, match="who may: nobody"):
        demand_may(ruled(roles=(OPERATOR,)), Person("alice"), "force")


def test_without_roles_everybody_may_everything(ruled: Ruled) -> None:
    demand_may(ruled(), Person("mallory"), "force")


def test_the_person_is_the_one_whose_process_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setenv("USER", "somebody-else")
    assert this_person().name == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize(
    ("window", "now", "opened"),
    [
        (ALFA, MONDAY, True),
        (ALFA, MONDAY.replace(hour=11), True),
        (ALFA, MONDAY.replace(hour=13), False),
        (ALFA, MONDAY + timedelta(days=1), False),
        (NIGHT, MONDAY, False),
        (NIGHT, MONDAY.replace(hour=22), True),
        (NIGHT, MONDAY.replace(hour=3), True),
        (NIGHT, MONDAY.replace(hour=4), False),
        (replace(NIGHT, days=(0,)), MONDAY.replace(hour=3), False),  # Sunday's night
        (replace(NIGHT, days=(0,)), MONDAY.replace(hour=3) + timedelta(days=1), True),
    ],
)
def test_a_window_is_open_at_its_times(window: MaintenanceWindow, now: datetime, opened: bool) -> None:
    assert is_open(window, now) is opened


def test_only_devices_of_a_window_wait_for_it(ruled: Ruled) -> None:
    network = ruled(ALFA)
    late = MONDAY.replace(hour=14)
    demand_window(network, ["alfa-qkd", "bravo-qkd"], MONDAY)
    demand_window(network, ["bravo-qkd"], late)
    with pytest.raises(NotAllowedError, match=r"alfa-qkd in alfa \(opens Wednesday 11:00 UTC\)"):
        demand_window(network, ["alfa-qkd", "bravo-qkd"], late)
    assert shut_windows(network, ["alfa-qkd"], late) == ("alfa",)
    assert shut_windows(network, ["bravo-qkd"], late) == ()


def test_one_open_window_of_several_is_enough_and_one_can_be_forced_by_its_name(ruled: Ruled) -> None:
    network = ruled(ALFA, NIGHT)
    demand_window(network, ["alfa-qkd"], MONDAY)
    with pytest.raises(NotAllowedError, match=r"bravo-qkd in night \(opens Monday 22:00 UTC\)"):
        demand_window(network, ["alfa-qkd", "bravo-qkd"], MONDAY)
    demand_window(network, ["alfa-qkd", "bravo-qkd"], MONDAY, forced=["night"])
    with pytest.raises(NotAllowedError):
        demand_window(network, ["bravo-qkd"], MONDAY, forced=["alfa"])


@given(
    st.integers(0, 7 * 24 * 60),
    st.sets(st.integers(0, 6)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_a_window_opens_when_it_says(minutes: int, days: set[int], begins: time, ends: time) -> None:
    window = MaintenanceWindow("w", "/w", (), tuple(sorted(days)), begins, ends, "UTC")
    now = MONDAY + timedelta(minutes=minutes)
    if begins == ends or is_open(window, now):
        return
    opening = now
    while not is_open(window, opening):
        opening += timedelta(minutes=1)
        assert opening < now + timedelta(days=8)
    assert next_opening(window, now) == f"opens {opening:%A %H:%M} UTC"
