"""The YANG modules that a server gives out, held against what is published.

The modules come from the server itself by get-schema (RFC 6022); pyang compiles them. A module that the server
does not give out is taken from those that pyang carries, if it is only imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, TypeAlias

from pyang import context, error, repository

from sdqkd.conformance.expect import Disappointed
from sdqkd.conformance.facts import Facts
from sdqkd.conformance.rows import (
    Row,
    Statement,
    argument,
    conditions_of,
    differences_of,
    published,
    rows_below,
    types_of,
)
from sdqkd.conformance.session import Session
from sdqkd.errors import SdqkdError

Key: TypeAlias = tuple[str, str]  # name and revision of a module
MONITORING = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"
ETSI_NODE, ETSI_TYPES = "etsi-qkd-sdn-node", "etsi-qkd-node-types"
ETSI_NAMESPACES = {
    ETSI_NODE: "urn:etsi:qkd:yang:etsi-qkd-node",
    ETSI_TYPES: "urn:etsi:qkd:yang:etsi-qkd-node-types",
}
_LITERAL = re.compile(r"""[\w:./-]+\s*=\s*['"]([A-Za-z_][\w.-]*)['"]""")
_SHOWN = 8


class Warned(SdqkdError):
    """Something that is no failure of the server, and that its owner should know."""


class Library:
    """The modules of one server: fetched and compiled once, when a case first asks for them."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._texts: Mapping[Key, str] | None = None
        self._compiled: Mapping[str, Statement] | None = None

    def examine(self, what: str, session: Session) -> None:
        """Do one of `EXAMINATIONS`. Raises Disappointed, or Warned."""
        if what not in EXAMINATIONS:
            raise Disappointed(f"the case is wrong: no examination of schemas is called {what}")
        if self._texts is None:
            self._texts = fetch(session)
        EXAMINATIONS[what](self)

    @property
    def texts(self) -> Mapping[Key, str]:
        """The fetched modules."""
        assert self._texts is not None
        return self._texts

    @property
    def compiled(self) -> Mapping[str, Statement]:
        """The implemented modules after pyang's work. Raises Disappointed."""
        if self._compiled is None:
            self._compiled = compile_modules(self.texts, self.facts)
        return self._compiled


def fetch(session: Session) -> dict[Key, str]:
    """Get every YANG module that netconf-state lists. Raises Disappointed if one of them is not given out."""
    wanted = f'<netconf-state xmlns="{MONITORING}"><schemas/></netconf-state>'
    listing = session.call(f'<get><filter type="subtree">{wanted}</filter></get>')
    texts = {}
    for schema in listing.root.iter(f"{{{MONITORING}}}schema"):
        name, version, form = (
            (schema.findtext(f"{{{MONITORING}}}{leaf}") or "").strip()
            for leaf in ("identifier", "version", "format")
        )
        if form.rpartition(":")[2] == "yang":
            texts[name, version] = get_schema(session, name, version)
    if not texts:
        raise Disappointed("netconf-state lists no YANG module")
    return texts


def get_schema(session: Session, name: str, version: str) -> str:
    """Get one module. Raises Disappointed."""
    reply = session.call(
        f'<get-schema xmlns="{MONITORING}"><identifier>{name}</identifier><version>{version}</version>'
        "<format>yang</format></get-schema>"
    )
    text = "".join(reply.root.itertext()).strip()
    if reply.errors or not text:
        raise Disappointed(f"get-schema of {name}@{version} gives {reply}")
    return text


def _complete(library: Library) -> None:
    modules = library.facts.modules.values()
    missing = [f"{one.name}@{one.revision}" for one in modules if (one.name, one.revision) not in library.texts]
    if missing:
        raise Disappointed(f"advertised, but not listed with get-schema: {_some(missing)}")


def _compiles(library: Library) -> None:
    assert library.compiled is not None


def _etsi_nodes(library: Library) -> None:
    module = library.compiled[ETSI_NODE]
    _compare(module, "nodes", list(rows_below(module, "", module.arg)))


def _etsi_types(library: Library) -> None:
    module = library.compiled[ETSI_TYPES]
    _compare(module, "types", list(types_of(module)))


def _compare(module: Statement, kind: str, found: list[Row]) -> None:
    shown, right = argument(module, "namespace"), ETSI_NAMESPACES[module.arg]
    differences = [] if shown == right else [f"namespace of {module.arg} is {shown} instead of {right}"]
    differences += differences_of(published(kind), found)
    if differences:
        s = "s" if len(differences) > 1 else ""
        raise Disappointed(f"{len(differences)} difference{s} from ETSI GS QKD 015 V2.1.1: {_some(differences)}")


def _etsi_conditions(library: Library) -> None:
    modules = library.compiled
    identities = {one.arg for module in modules.values() for one in module.search("identity")}
    wrong = sorted(
        {when for when in conditions_of(modules[ETSI_NODE]) if set(_LITERAL.findall(when)) & identities}
    )
    if wrong:
        raise Warned(
            f"{len(wrong)} conditions compare an identityref with a bare literal, as both published revisions do:"
            f" they are never true, and a strict server refuses every phys_ and virt_ node: {_some(wrong)}"
        )


EXAMINATIONS: Mapping[str, Callable[[Library], None]] = {
    "complete": _complete,
    "compiles": _compiles,
    "etsi-nodes": _etsi_nodes,
    "etsi-types": _etsi_types,
    "etsi-conditions": _etsi_conditions,
}


class _Repository(repository.FileRepository):  # type: ignore[misc]
    """The server's modules first, then pyang's own."""

    def __init__(self, served: Mapping[Key, str]) -> None:
        super().__init__(str(_pyang_modules()), use_env=False)
        self._served = served

    def get_modules_and_revisions(self, ctx: Any) -> list[Any]:
        ours = [(name, revision or None, ("served", (name, revision))) for name, revision in self._served]
        names = {name for name, _ in self._served}
        return ours + [one for one in super().get_modules_and_revisions(ctx) if one[0] not in names]

    def get_module_from_handle(self, handle: Any) -> Any:
        kind, key = handle
        if kind == "served":
            return "@".join(key), "yang", self._served[key]
        return super().get_module_from_handle(handle)


def compile_modules(served: Mapping[Key, str], facts: Facts) -> dict[str, Statement]:
    """Compile the implemented modules that the server gives out, deviations applied. Raises Disappointed."""
    ctx = context.Context(_Repository(served))
    # pyang tests this before it resolves imports of modules it has read as YIN.
    ctx.yin_module_map = {}
    position = error.Position("the server")
    given = {name for name, _ in served}
    found = {name: ctx.search_module(position, name) for name in facts.modules if name in given}
    ctx.validate()
    faults = {
        f"{place}: {error.err_to_str(tag, arguments)}"
        for place, tag, arguments in ctx.errors
        if not error.is_warning(error.err_level(tag))
    }
    if faults or None in found.values():
        raise Disappointed(f"pyang refuses the server's modules: {_some(sorted(faults))}")
    return found


def _pyang_modules() -> Path:
    files = distribution("pyang").files or ()
    inet = next(file for file in files if file.name == "ietf-inet-types.yang")
    return Path(str(inet.locate())).resolve().parent.parent


def _some(items: list[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return "; ".join(items[:_SHOWN]) + more
