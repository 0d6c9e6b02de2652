"""Who may do what with a network, and when: the policy of its file. Pure but for asking who runs us.

It keeps people who mean well from doing what is not theirs to do, or not now. Whoever can read the controller's
key can reach the devices without it; what that user may do there, the devices' own access control says.
"""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sdqkd.errors import InputError, NotAllowedError
from sdqkd.network.model import Action, MaintenanceWindow, Network, Role, Rules

_DOES: Mapping[Action, str] = {
    "plan": "look at",
    "apply": "change",
    "force": "force changes on",
}


@dataclass(frozen=True, slots=True)
class Person:
    """A user of this machine."""

    name: str
    groups: frozenset[str] = frozenset()


def this_person() -> Person:
    """Who runs us: by the process, for anybody can set a variable of the environment."""
    user = os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = f"uid {user}"
    return Person(name, frozenset(_group_names({os.getgid(), *os.getgroups()})))


def demand_may(network: Network, person: Person, action: Action) -> None:
    """Raise NotAllowedError, with who may, if this person may not."""
    roles = network.rules.roles
    if not roles or any(action in role.may and _has(person, role) for role in roles):
        return
    who = "; ".join(f"{role.name} ({_members(role)})" for role in roles if action in role.may) or "nobody"
    raise NotAllowedError(f"{person.name} may not {_DOES[action]} the network {network.name}; who may: {who}")


def demand_window(network: Network, devices: Iterable[str], now: datetime, forced: Sequence[str] = ()) -> None:
    """Raise NotAllowedError, with the windows and when they open, if one of the devices is not to be changed now.

    `forced` are windows by name that do not count, though they are shut. `now` is aware of its zone.
    """
    held: dict[str, list[str]] = {}
    for device in devices:
        its = [window for window in network.rules.windows if _concerns(network, window, device)]
        if its and not any(window.name in forced or is_open(window, now) for window in its):
            held.setdefault(
                ", ".join(f"{window.name} ({next_opening(window, now)})" for window in its), []
            ).append(device)
    if held:
        said = "; ".join(f"{', '.join(names)} in {windows}" for windows, names in held.items())
        raise NotAllowedError(f"now is no maintenance window: {said}; a change is forced by the window's name")


def shut_windows(network: Network, devices: Iterable[str], now: datetime) -> tuple[str, ...]:
    """The windows of these devices that are shut."""
    names = tuple(devices)
    return tuple(
        window.name
        for window in network.rules.windows
        if not is_open(window, now) and any(_concerns(network, window, device) for device in names)
    )


def is_open(window: MaintenanceWindow, now: datetime) -> bool:
    """Whether a window is open."""
    local = now.astimezone(_zone(window.time_zone))
    clock = local.time()
    if window.begins < window.ends:
        return _on(window, local) and window.begins <= clock < window.ends
    began_yesterday = _on(window, local - timedelta(days=1)) and clock < window.ends
    return began_yesterday or (_on(window, local) and clock >= window.begins)


def next_opening(window: MaintenanceWindow, now: datetime) -> str:
    """When a window that is shut opens next, for people."""
    local = now.astimezone(_zone(window.time_zone))
    for days in range(8):
        day = local + timedelta(days=days)
        opening = day.replace(hour=window.begins.hour, minute=window.begins.minute, second=0, microsecond=0)
        if _on(window, day) and opening > local:
            return f"opens {opening:%A %H:%M} {window.time_zone}"
    return "open"


def faults(rules: Rules) -> Iterator[InputError]:
    """Windows in time zones that do not exist."""
    for window in rules.windows:
        try:
            _zone(window.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield InputError(
                f"this machine knows no time zone '{window.time_zone}'", path=f"{window.path}/time-zone"
            )


def _zone(name: str) -> tzinfo:
    # Not every machine has the database of time zones.
    return UTC if name == "UTC" else ZoneInfo(name)


def _group_names(numbers: Iterable[int]) -> Iterator[str]:
    for number in numbers:
        try:
            yield grp.getgrgid(number).gr_name
        except KeyError:
            continue


def _has(person: Person, role: Role) -> bool:
    return person.name in role.users or not person.groups.isdisjoint(role.groups)


def _members(role: Role) -> str:
    return ", ".join((*role.users, *(f"group {group}" for group in role.groups))) or "nobody"


def _concerns(network: Network, window: MaintenanceWindow, device: str) -> bool:
    return not window.sites or network.devices[device].site in window.sites


def _on(window: MaintenanceWindow, day: datetime) -> bool:
    return not window.days or day.weekday() in window.days
