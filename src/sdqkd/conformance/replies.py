"""What a server says, parsed: replies, their rpc-errors, and error paths in one spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lxml import etree

from sdqkd.errors import ProtocolError

Element: TypeAlias = Any  # lxml.etree._Element
NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
NOTIFICATION = "{urn:ietf:params:xml:ns:netconf:notification:1.0}notification"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, huge_tree=True)
_SHOWN = 500
_PATH_TOKEN = re.compile(r"""('[^']*'|"[^"]*")|([A-Za-z_][\w.-]*):(?=[A-Za-z_])|(\s+)|([^\s'"])""")


@dataclass(frozen=True, slots=True)
class ServerError:
    """One rpc-error. `path` names namespaces instead of prefixes: see `spell_path`."""

    tag: str
    type: str = ""
    severity: str = ""
    app_tag: str = ""
    path: str = ""
    message: str = ""
    info: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = (self.type, self.tag, self.app_tag, self.path, self.message)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Reply:
    """One rpc-reply."""

    root: Element
    errors: tuple[ServerError, ...]

    @property
    def message_id(self) -> str | None:
        """The echoed id."""
        value = self.root.get("message-id")
        return None if value is None else str(value)

    @property
    def ok(self) -> bool:
        """Whether it is `<ok/>` and nothing else."""
        return [child.tag for child in self.root] == [f"{{{NC}}}ok"]

    def __str__(self) -> str:
        if self.errors:
            return "rpc-error: " + "; ".join(map(str, self.errors))
        return show(self.root)


def show(element: Element) -> str:
    """A short text of an element, for reasons."""
    text = re.sub(r"\s+", " ", etree.tostring(element, encoding="unicode"))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def parse(message: bytes) -> Element:
    """Parse a message of a server. Raises ProtocolError if it is not XML."""
    try:
        return etree.fromstring(message, _PARSER)
    except etree.XMLSyntaxError as error:
        raise ProtocolError(f"the server sends XML that is not well-formed: {error}") from error


def reply_of(root: Element) -> Reply:
    """Read a reply. Raises ProtocolError if it is something else."""
    if root.tag != f"{{{NC}}}rpc-reply":
        raise ProtocolError(f"the server sends <{root.tag}> instead of a reply")
    errors = root.findall(f"{{{NC}}}rpc-error")
    return Reply(root, tuple(map(_error, errors)))


def _error(element: Element) -> ServerError:
    def text(name: str) -> str:
        return (element.findtext(f"{{{NC}}}{name}") or "").strip()

    path = element.find(f"{{{NC}}}error-path")
    info = element.find(f"{{{NC}}}error-info")
    pieces = [] if info is None else [piece for piece in info.iter() if isinstance(piece.tag, str)]
    return ServerError(
        tag=text("error-tag"),
        type=text("error-type"),
        severity=text("error-severity"),
        app_tag=text("error-app-tag"),
        path="" if path is None else spell_path((path.text or "").strip(), path.nsmap),
        message=text("error-message"),
        info={etree.QName(piece).localname: (piece.text or "").strip() for piece in pieces},
    )


def spell_path(path: str, namespaces: Mapping[Any, str]) -> str:
    """Give a path a spelling that can be compared: namespaces for prefixes, one kind of quotes, no white space.

    >>> spell_path('/a:b/a:c[ a:d = "1" ]', {"a": "urn:x"})
    "/{urn:x}b/{urn:x}c[{urn:x}d='1']"
    """
    spelled = []
    for quoted, prefix, _space, other in _PATH_TOKEN.findall(path):
        if quoted:
            spelled.append(f"'{quoted[1:-1]}'")
        elif prefix:
            spelled.append(f"{{{namespaces.get(prefix, prefix)}}}")
        else:
            spelled.append(other)
    return "".join(spelled)
