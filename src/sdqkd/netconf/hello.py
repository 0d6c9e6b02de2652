"""The hello that both peers send first: RFC 6241 section 8.1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sdqkd.errors import ProtocolError, RpcError
from sdqkd.netconf.xml import BASE, Element, escape, local_name_of, namespace_of, parse, text_of

BASE_1_0 = "urn:ietf:params:netconf:base:1.0"
BASE_1_1 = "urn:ietf:params:netconf:base:1.1"
_MAX_SESSION_ID = 4294967295  # RFC 6241 appendix C: session-id-or-zero-type, without zero


@dataclass(frozen=True, slots=True)
class Hello:
    """What a peer can do. Only a server names the session: a uint32, not 0."""

    capabilities: tuple[str, ...]
    session_id: int | None = None

    def offers(self, capability: str) -> bool:
        """Whether the peer announces a capability, with whatever parameters after a `?`."""
        return has_capability(self.capabilities, capability)


def has_capability(capabilities: Iterable[str], capability: str) -> bool:
    """Whether a capability is among those announced, with whatever parameters after a `?`."""
    return any(announced.partition("?")[0] == capability for announced in capabilities)


def build_hello(hello: Hello) -> bytes:
    """Write a hello, not framed."""
    capabilities = "".join(f"<capability>{escape(uri)}</capability>" for uri in hello.capabilities)
    session = "" if hello.session_id is None else f"<session-id>{hello.session_id}</session-id>"
    return f'<hello xmlns="{BASE}"><capabilities>{capabilities}</capabilities>{session}</hello>'.encode()


def parse_hello(data: bytes) -> Hello:
    """Read a hello. Raises ProtocolError, after which RFC 6241 lets the session end, if it is not one."""
    try:
        root = parse(data)
    except RpcError as error:
        raise ProtocolError(f"no hello came: {error.message}") from None
    if root.tag != f"{{{BASE}}}hello":
        raise ProtocolError(
            f"the first message must be <hello> in {BASE}; <{local_name_of(root)}> in '{namespace_of(root)}' came"
        )
    return Hello(_capabilities(root), _session_id(root))


def _capabilities(root: Element) -> tuple[str, ...]:
    found = root.findall(f"{{{BASE}}}capabilities/{{{BASE}}}capability")
    return tuple(text_of(element) for element in found)


def _session_id(root: Element) -> int | None:
    element = root.find(f"{{{BASE}}}session-id")
    if element is None:
        return None
    text = text_of(element)
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or not 0 < int(text) <= _MAX_SESSION_ID:
        raise ProtocolError(f"the hello has a session-id that is no number from 1 to {_MAX_SESSION_ID}")
    return int(text)
