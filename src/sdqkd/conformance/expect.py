"""What a step expects of an answer, and in which words it is disappointed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from sdqkd.conformance.replies import NC, Element, Reply, ServerError, show, spell_path
from sdqkd.errors import SdqkdError

# Some servers count the path from the rpc, others from the datastore; RFC 6241 section 4.3 allows both readings.
_INSIDE_RPC = re.compile(r"^/\{[^}]*\}rpc/\{[^}]*\}[\w-]+/\{[^}]*\}config/")
OUTCOMES = frozenset({"ok", "data", "error", "closed", "nothing"})
STANDARD_NAMESPACES: Mapping[str, str] = {
    "nc": "urn:ietf:params:xml:ns:netconf:base:1.0",
    "ncm": "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring",
    "ncn": "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications",
    "ncd": "urn:ietf:params:xml:ns:yang:ietf-netconf-nmda",
    "nacm": "urn:ietf:params:xml:ns:yang:ietf-netconf-acm",
    "nm": "urn:ietf:params:xml:ns:netmod:notification",
    "n": "urn:ietf:params:xml:ns:netconf:notification:1.0",
    "or": "urn:ietf:params:xml:ns:yang:ietf-origin",
    "pl": "urn:ietf:params:xml:ns:netconf:partial-lock:1.0",
    "sn": "urn:ietf:params:xml:ns:yang:ietf-subscribed-notifications",
    "wd": "urn:ietf:params:xml:ns:netconf:default:1.0",
    "yl": "urn:ietf:params:xml:ns:yang:ietf-yang-library",
    "yp": "urn:ietf:params:xml:ns:yang:ietf-yang-push",
}


class Disappointed(SdqkdError):
    """A server did something else than a case demands."""


@dataclass(frozen=True, slots=True)
class ErrorPattern:
    """What an rpc-error must be; what is empty may be anything. Any of `tags` will do."""

    tags: tuple[str, ...]
    type: str = ""
    app_tag: str = ""
    path: str = ""
    info: Mapping[str, str] = field(default_factory=dict)

    def fault(self, error: ServerError, namespaces: Mapping[str, str]) -> str | None:
        """What is wrong with an error; None if nothing is."""
        if self.tags and error.tag not in self.tags:
            return f"error-tag {error.tag} instead of {' or '.join(self.tags)}"
        if self.type and error.type != self.type:
            return f"error-type {error.type} instead of {self.type}"
        if self.app_tag and error.app_tag != self.app_tag:
            return f"error-app-tag {error.app_tag or 'absent'} instead of {self.app_tag}"
        spelled = spell_path(self.path, namespaces)
        if self.path and _INSIDE_RPC.sub("/", error.path) != spelled:
            return f"error-path {error.path or 'absent'} instead of {spelled}"
        for name, value in self.info.items():
            # bad-element and bad-attribute are qualified names: they may bear a prefix.
            if error.info.get(name, "").rpartition(":")[2] != value:
                return f"error-info {name} {error.info.get(name, 'absent')} instead of {value}"
        return None


@dataclass(frozen=True, slots=True)
class Expected:
    """What a step expects: which outcomes, which error, what holds in the reply, what to keep of it."""

    outcomes: frozenset[str]
    error: ErrorPattern | None
    holds: tuple[str, ...]
    save: Mapping[str, str]


def expected(options: Mapping[str, Any], default: Sequence[str], fill: Callable[[str], str]) -> Expected:
    """Read the expectation of a step; `fill` fills the holes of a text. Raises Disappointed if it is wrong."""
    error = _pattern(options["error"], fill) if "error" in options else None
    outcomes = frozenset(_list(options.get("expect", ["error"] if error else default)))
    if unknown := outcomes - OUTCOMES:
        raise Disappointed(f"the case is wrong: no outcome is called {', '.join(unknown)}")
    holds = tuple(fill(one) for one in _list(options.get("holds", [])))
    save = {str(name): fill(xpath) for name, xpath in options.get("save", {}).items()}
    return Expected(outcomes, error, holds, save)


def outcome_of(reply: Reply) -> str:
    """Name what a reply is."""
    if reply.errors:
        return "error"
    return "ok" if reply.ok else "data"


def check(reply: Reply, wanted: Expected, namespaces: Mapping[str, str]) -> dict[str, str]:
    """Give what is to be kept of a reply that is as wanted. Raises Disappointed."""
    if outcome_of(reply) not in wanted.outcomes:
        raise Disappointed(f"expected {_wish(wanted)}, got {reply}")
    if reply.errors and wanted.error is not None:
        # A server may add further errors to the reply; the one that is asked for must be among them.
        faults = [wanted.error.fault(error, namespaces) for error in reply.errors]
        if None not in faults:
            raise Disappointed(f"{faults[0]}; got {reply}")
    check_holds(reply.root, wanted.holds, namespaces)
    return {name: value_of(reply.root, xpath, namespaces) for name, xpath in wanted.save.items()}


def check_holds(root: Element, holds: Sequence[str], namespaces: Mapping[str, str]) -> None:
    """See that every XPath is true of a message, seen from its `<data>` if it has one. Raises Disappointed."""
    for xpath in holds:
        if not _evaluate(root, xpath, namespaces):
            raise Disappointed(f"this does not hold: {xpath}; got {show(root)}")


def value_of(root: Element, xpath: str, namespaces: Mapping[str, str]) -> str:
    """Give the text that an XPath finds. Raises Disappointed if it finds none."""
    found = _evaluate(root, f"string({xpath})", namespaces)
    if found in ("", "NaN"):
        raise Disappointed(f"nothing is found by {xpath} in {show(root)}")
    return str(found)


def with_prefixes(text: str, namespaces: Mapping[str, str]) -> str:
    """A reason for people: the prefixes that cases use instead of `{namespace}`."""
    for prefix, uri in {**STANDARD_NAMESPACES, **namespaces}.items():
        text = text.replace(f"{{{uri}}}", f"{prefix}:")
    return text


def _evaluate(root: Element, xpath: str, namespaces: Mapping[str, str]) -> Any:
    data = root.find(f"{{{NC}}}data")
    try:
        return (root if data is None else data).xpath(xpath, namespaces={**STANDARD_NAMESPACES, **namespaces})
    except etree.XPathError as error:
        raise Disappointed(f"the case is wrong: {xpath}: {error}") from error


def _pattern(value: Any, fill: Callable[[str], str]) -> ErrorPattern:
    found = value if isinstance(value, Mapping) else {"tag": value}
    info = {str(name): fill(str(text)) for name, text in found.get("info", {}).items()}
    tags = tuple(map(str, _list(found.get("tag", []))))
    app_tag, path = str(found.get("app-tag", "")), fill(str(found.get("path", "")))
    return ErrorPattern(tags, str(found.get("type", "")), app_tag, path, info)


def _wish(wanted: Expected) -> str:
    wish = " or ".join(sorted(wanted.outcomes))
    tags = wanted.error.tags if wanted.error else ()
    return f"{wish} {' or '.join(tags)}" if tags else wish


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
