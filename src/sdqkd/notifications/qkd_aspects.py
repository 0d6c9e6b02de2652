"""What a QKD node's notifications are about: for each aspect of a link, interface or application, what level it
has now, and what is told when it goes from one level to another.

A level that depends on a measured value also depends on the level that was told last: that is the hysteresis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sdqkd.notifications import qkd_payloads as payloads
from sdqkd.notifications.qkd_settings import Thresholds
from sdqkd.schema.tree import Container, Entries, Node, Path, get

Level: TypeAlias = "str | int | tuple[Node | None, ...]"
Entry: TypeAlias = "Container | None"
Kind: TypeAlias = Literal["application", "interface", "link"]

NODE = f"{payloads.MODULE}:qkd_node"
LISTS: dict[Kind, Path] = {
    "application": (NODE, "qkd_applications", "qkd_app"),
    "interface": (NODE, "qkd_interfaces", "qkd_interface"),
    "link": (NODE, "qkd_links", "qkd_link"),
}
GONE = "gone"
_NORMAL = "normal"
_SEVERITIES: dict[Level, payloads.Severity] = {"warning": "MINOR", "critical": "MAJOR"}


@dataclass(frozen=True, slots=True)
class Aspect:
    """`level` takes the entry (None if there is none), the level told last, and the thresholds.

    `tell` takes the id, the entry, the level told last and the one now; it gives None for what nobody needs to
    hear. `initial` is the level of what is not there; unless `known_at_start` it is also that of everything when
    the node starts, so that an alarm that stands is told.
    """

    name: str
    kind: Kind
    initial: Level
    level: Callable[[Entry, Level, Thresholds], Level]
    tell: Callable[[str, Entry, Level, Level], Container | None]
    known_at_start: bool = True


def entries(tree: Container, kind: Kind) -> dict[str, Container]:
    """The entries of one kind by their keys."""
    found = get(tree, LISTS[kind])
    return {keys[0]: entry for keys, entry in found.entries.items()} if isinstance(found, Entries) else {}


def _word(entry: Container, *path: str) -> str:
    """The leaf there without its module, "" if it has no value."""
    value = get(entry, path)
    return value.rpartition(":")[2] if isinstance(value, str) else ""


def _number(entry: Container, *path: str) -> int:
    return int(_word(entry, *path) or 0)


# Applications


def _app_state(app: Entry, told: Level, thresholds: Thresholds) -> Level:
    if app is None:
        return GONE
    status = _word(app, "app_status") or "ON"
    return GONE if status == "DISCONNECTED" else status


def _tell_app(app_id: str, app: Entry, old: Level, new: Level) -> Container | None:
    if new == GONE or app is None:
        return payloads.application_disconnected(app_id)
    if new == "ON":
        if old == GONE:
            return payloads.application_new(app)
        return payloads.application_message("event", app, "the application is on again", None)
    words = {"OUT-OF-TIME": "its time is over", "ZOMBIE": "nothing is heard of it any more"}
    message = f"the application is {new}: {words.get(str(new), 'it gets no keys')}"
    return payloads.application_message("alarm", app, message, "MINOR")


def _app_qos(app: Entry, told: Level, thresholds: Thresholds) -> Level:
    return () if app is None else (app.children.get("app_qos"), app.children.get("app_priority"))


def _tell_qos(app_id: str, app: Entry, old: Level, new: Level) -> Container | None:
    return None if app is None or old == () else payloads.application_qos_update(app)


# Interfaces


def _interface_state(interface: Entry, told: Level, thresholds: Thresholds) -> Level:
    # It stays in the configuration, but a module that is not there has no status.
    return GONE if interface is None else _word(interface, "qkdi_status") or GONE


def _tell_interface(interface_id: str, interface: Entry, old: Level, new: Level) -> Container | None:
    if new == GONE or interface is None:
        return payloads.interface_out(interface_id)
    if old == GONE:
        return payloads.interface_new(interface)
    if new == "ENABLED":
        return payloads.interface_message("event", interface, "the interface works again", None)
    reason = "the module has failed" if new == "FAILED" else f"the interface is {new}"
    return payloads.interface_down(interface_id, reason)


# Links


def _is_up(link: Container) -> bool:
    return _word(link, payloads.OPER_STATUS) == "ACTIVE"


def _link_state(link: Entry, told: Level, thresholds: Thresholds) -> Level:
    if link is None:
        return GONE
    if _is_up(link):
        return "up"
    wanted = _word(link, "qkdl_enable") != "false" and _word(link, "qkdl_status") != "OFF"
    return "down" if wanted and _word(link, payloads.OPER_STATUS) != "OFF" else "off"


def _tell_link(link_id: str, link: Entry, old: Level, new: Level) -> Container | None:
    if new == "up":
        return payloads.link_message("event", link_id, link, "the link makes key", None)
    if old != "up":
        return None
    if new == "down" and link is not None:
        reason = get(link, (payloads.OPER_REASON,))
        return payloads.link_down(link_id, str(reason or "no key comes"))
    message = "the link was switched off" if new == "off" else "the link was removed"
    return payloads.link_message("event", link_id, link, message, None)


def _rate(link: Entry, told: Level, thresholds: Thresholds) -> Level:
    if link is None:
        return 0
    rate = _number(link, "qkdl_performance", "skr")
    # Without key it is down, which is told otherwise.
    if not _is_up(link) or not isinstance(told, int) or abs(rate - told) < thresholds.rate_change * told:
        return told
    return rate


def _tell_rate(link_id: str, link: Entry, old: Level, new: Level) -> Container | None:
    return None if link is None else payloads.link_perf_update(link)


def qber_of(link: Container) -> float | None:
    """The quantum bit error rate of a link in per cent, None if it has none."""
    value = get(link, ("qkdl_performance", ("phys_perf", (f"{payloads.TYPES}:QBER",)), "value"))
    return float(value) if isinstance(value, str) else None


def _errors(link: Entry, told: Level, thresholds: Thresholds) -> Level:
    if link is None:
        return _NORMAL
    qber = qber_of(link)
    if qber is None:
        return told
    back = thresholds.qber_hysteresis_percent
    if qber >= thresholds.qber_critical_percent - (back if told == "critical" else 0):
        return "critical"
    if qber >= thresholds.qber_warning_percent - (back if told != _NORMAL else 0):
        return "warning"
    return _NORMAL


def _tell_errors(link_id: str, link: Entry, old: Level, new: Level) -> Container | None:
    if link is None:
        return None
    qber = f"the quantum bit error rate is {qber_of(link)} %"
    if new == _NORMAL:
        return payloads.link_message("event", link_id, link, f"{qber}: normal again", None)
    return payloads.link_message("alarm", link_id, link, f"{qber}: {new}", _SEVERITIES[new])


def _load(link: Entry, told: Level, thresholds: Thresholds) -> Level:
    if link is None:
        return _NORMAL
    asked = _number(link, "qkdl_performance", "expected_consumption")
    if not _is_up(link):
        return told
    limit = thresholds.load_ratio - (thresholds.load_hysteresis if told != _NORMAL else 0)
    return "overloaded" if asked and asked >= limit * _number(link, "qkdl_performance", "skr") else _NORMAL


def _tell_load(link_id: str, link: Entry, old: Level, new: Level) -> Container | None:
    if link is None:
        return None
    if new == "overloaded":
        return payloads.link_overloaded(link)
    return payloads.link_message("event", link_id, link, "the link yields again what is asked of it", None)


ASPECTS = (
    Aspect("application", "application", GONE, _app_state, _tell_app),
    Aspect("quality", "application", (), _app_qos, _tell_qos),
    Aspect("interface", "interface", GONE, _interface_state, _tell_interface),
    Aspect("link", "link", GONE, _link_state, _tell_link),
    Aspect("rate", "link", 0, _rate, _tell_rate),
    Aspect("errors", "link", _NORMAL, _errors, _tell_errors, known_at_start=False),
    Aspect("load", "link", _NORMAL, _load, _tell_load, known_at_start=False),
)
