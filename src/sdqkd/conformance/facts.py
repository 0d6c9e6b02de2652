"""What a server says that it offers, and whether that is enough for a case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from sdqkd.conformance.replies import Element

BASE = "urn:ietf:params:netconf:base"
CAPABILITY = "urn:ietf:params:netconf:capability"
LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"


@dataclass(frozen=True, slots=True)
class Module:
    """A module that a server implements."""

    name: str
    revision: str = ""
    namespace: str = ""
    features: frozenset[str] = frozenset()
    deviations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Capabilities and implemented modules of a server, and what the person who runs the kit has given."""

    capabilities: tuple[str, ...]
    modules: Mapping[str, Module]
    options: frozenset[str] = frozenset()
    target: str = ""
    settings: frozenset[str] = frozenset()

    def lacking(self, needs: Iterable[str]) -> str | None:
        """Why a case with these needs cannot be run; None if it can."""
        for need in needs:
            if not self._has(need):
                return _reason(need)
        return None

    def _has(self, need: str) -> bool:
        kind, _, name = need.partition(":")
        if need.startswith("not "):
            return not self._has(need.removeprefix("not "))
        if kind == "module":
            return name in self.modules
        if kind == "feature":
            module, _, feature = name.partition("/")
            return module in self.modules and feature in self.modules[module].features
        if kind == "option":
            return name in self.options
        if kind == "set":
            return name in self.settings
        if kind == "target":
            return name == self.target
        return self.offers(need)

    def offers(self, need: str) -> bool:
        """Whether a capability is there: `candidate`, `confirmed-commit:1.1`, `with-defaults=trim`."""
        short, _, mode = need.partition("=")
        full = f"{BASE}:{short[5:]}" if short.startswith("base:") else f"{CAPABILITY}:{short}"
        for capability in self.capabilities:
            uri, _, query = capability.partition("?")
            if uri == full or (uri.startswith(f"{full}:") and ":" not in uri[len(full) + 1 :]):
                return not mode or mode in _values(query)
        return False


def _values(query: str) -> set[str]:
    return {word for values in parse_qs(query).values() for value in values for word in value.split(",")}


def _reason(need: str) -> str:
    kind, _, name = need.partition(":")
    if need.startswith("not "):
        return f"not for a server that offers {need.removeprefix('not ')}"
    if kind == "option":
        return f"--{name} is not given"
    if kind == "set":
        return f"--set {name}=… is not given"
    if kind == "module":
        return f"the server does not implement {name}"
    if kind == "feature":
        return f"the server does not have the feature {name}"
    if kind == "target":
        return f"only for the target model {name}"
    return f"the server does not advertise {need}"


def modules_of_hello(capabilities: Iterable[str]) -> dict[str, Module]:
    """The modules that a hello announces (RFC 6020 section 5.6.4)."""
    found = {}
    for capability in capabilities:
        namespace, _, query = capability.partition("?")
        values = {name: one[0] for name, one in parse_qs(query).items()}
        if "module" in values:
            found[values["module"]] = Module(
                values["module"],
                values.get("revision", ""),
                namespace,
                frozenset(filter(None, values.get("features", "").split(","))),
                tuple(filter(None, values.get("deviations", "").split(","))),
            )
    return found


def modules_of_library(data: Element) -> dict[str, Module]:
    """The implemented modules of a YANG library of either version (RFC 7895, RFC 8525)."""
    found = {}
    for element in data.iter(f"{{{LIBRARY}}}module"):

        def text(name: str, of: Element = element) -> str:
            return str(of.findtext(f"{{{LIBRARY}}}{name}") or "").strip()

        if text("conformance-type") not in ("", "implement") or not text("name"):
            continue
        features = frozenset((one.text or "").strip() for one in element.findall(f"{{{LIBRARY}}}feature"))
        deviations = element.findall(f"{{{LIBRARY}}}deviation")
        names = (one.findtext(f"{{{LIBRARY}}}name") or one.text or "" for one in deviations)
        deviated = tuple(name.strip() for name in names)
        found[text("name")] = Module(text("name"), text("revision"), text("namespace"), features, deviated)
    return found
