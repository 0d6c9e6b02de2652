"""What devices tell by notifications, as far as the watch uses it: who has changed what, and when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdqkd.netconf.error_path import from_xpath
from sdqkd.netconf.messages import Notification
from sdqkd.netconf.xml import Element, local_name_of, namespace_of

_BASE = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
_NS = f"{{{_BASE}}}"
MAX_TEXT = 500  # characters of an event that are repeated


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """netconf-config-change of RFC 6470. Without a `username` the device itself did it, or does not say who."""

    at: str
    datastore: str
    username: str = ""
    session_id: int | None = None
    source_host: str = ""
    targets: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """Who did it, for people."""
        if not self.username:
            return "the device itself"
        place = f" from {self.source_host}" if self.source_host else ""
        session = f" (session {self.session_id})" if self.session_id is not None else ""
        return f"{self.username}{place}{session}"

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "at": self.at,
            "username": self.username or None,
            "session-id": self.session_id,
            "source-host": self.source_host or None,
            "targets": [*self.targets],
        }


@dataclass(frozen=True, slots=True)
class ConfirmedCommit:
    """netconf-confirmed-commit: a provisional change begins, is extended, or ends."""

    at: str
    event: str
    username: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Any other event: its name, and what stands in it."""

    at: str
    name: str
    text: str


Event = ConfigChange | ConfirmedCommit | Told
# Sessions come and go, also those of the controller; that is of no interest here.
IGNORED = ("netconf-session-start", "netconf-session-end")


def read_event(notification: Notification, modules: Mapping[str, str]) -> Event | None:
    """What a notification says; None for what the watch does not use.

    `modules` gives the module of each namespace that it may name.
    """
    at, content = notification.event_time, notification.content
    name = local_name_of(content)
    if namespace_of(content) != _BASE:
        return Told(at, name, _text(content))
    if name == "netconf-config-change":
        return _config_change(at, content, modules)
    if name == "netconf-confirmed-commit":
        return ConfirmedCommit(at, _leaf(content, "confirm-event"), _leaf(content, "username"))
    return None if name in IGNORED else Told(at, name, _text(content))


def _config_change(at: str, content: Element, modules: Mapping[str, str]) -> ConfigChange:
    by = content.find(f"{_NS}changed-by")
    session_id = _leaf(by, "session-id")
    targets = (_target(edit, modules) for edit in content.iterfind(f"{_NS}edit"))
    return ConfigChange(
        at=at,
        datastore=_leaf(content, "datastore") or "running",
        username=_leaf(by, "username"),
        session_id=int(session_id) if session_id.isascii() and session_id.isdigit() else None,
        source_host=_leaf(by, "source-host"),
        targets=tuple(filter(None, targets)),
    )


def _target(edit: Element, modules: Mapping[str, str]) -> str:
    """What was edited, as an instance path of RFC 7951."""
    target = edit.find(f"{_NS}target")
    if target is None:
        return ""
    known = {prefix: modules[uri] for prefix, uri in target.nsmap.items() if prefix and uri in modules}
    return from_xpath((target.text or "").strip(), known)


def _leaf(element: Element | None, name: str) -> str:
    return "" if element is None else (element.findtext(f"{_NS}{name}") or "").strip()


def _text(content: Element) -> str:
    """The leafs of an event on one line."""
    leafs = (
        f"{local_name_of(element)} {element.text.strip()}"
        for element in content.iter()
        if isinstance(element.tag, str) and element.text and element.text.strip()
    )
    return ", ".join(leafs)[:MAX_TEXT]
