"""Whether a device still has the models that a plan was made for. Pure.

A device says in its hello which modules it has, or gives an identifier of them all that changes with any of them
(RFC 8525 section 2; RFC 7950 section 5.6.4). So whether anything has changed since costs no call. What has
changed is told from its YANG library, or where it has none from its hello: RFC 6020 section 5.6.4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from sdqkd.errors import DeviceError
from sdqkd.netconf.xml import Element
from sdqkd.schema.table import Schema

LIBRARY = "urn:ietf:params:xml:ns:yang:ietf-yang-library"
_CAPABILITY = "urn:ietf:params:netconf:capability:yang-library"
_IDENTIFIERS = ((f"{_CAPABILITY}:1.1", "content-id"), (f"{_CAPABILITY}:1.0", "module-set-id"))


class ModelMismatchError(DeviceError):
    """A device does not have the modules, features or deviations that it should have."""


@dataclass(frozen=True, slots=True)
class ModuleState:
    """An implemented module as a device says it."""

    revision: str
    features: frozenset[str] = frozenset()
    deviations: frozenset[str] = frozenset()


Modules = Mapping[str, ModuleState]  # by name


def models_id(capabilities: Iterable[str]) -> str:
    """What stands for all modules of a device with this hello, "" if it says nothing of them."""
    listed = list(capabilities)
    for base, parameter in _IDENTIFIERS:
        for capability in listed:
            name, _, query = capability.partition("?")
            if name == base and (values := parse_qs(query).get(parameter)):
                return f"{parameter}={values[0]}"
    modules = sorted(capability for capability in listed if "module=" in capability.partition("?")[2])
    return f"hello={hashlib.sha256(' '.join(modules).encode()).hexdigest()[:16]}" if modules else ""


def demand_same(device: str, planned: str, found: str) -> None:
    """Raise ModelMismatchError if a device has changed its modules since a plan was made.

    `planned` and `found` are `models_id`s; "" where it was not said, which nothing can be held against.
    """
    if planned and found and planned != found:
        message = (
            f"its YANG modules, features or deviations are not those that the plan was made for ({found} and not"
            f" {planned}), as after a change of firmware: plan again"
        )
        raise ModelMismatchError(device, message)


def from_hello(capabilities: Iterable[str]) -> Modules:
    """The modules that a hello lists; those of YANG 1.1 are not among them."""
    found = {}
    for capability in capabilities:
        query = parse_qs(capability.partition("?")[2])
        if "module" in query:
            found[query["module"][0]] = ModuleState(
                query.get("revision", [""])[0], _listed(query.get("features")), _listed(query.get("deviations"))
            )
    return found


def from_library(data: Element) -> Modules:
    """The implemented modules of the YANG library in the <data> of a reply: RFC 8525, else RFC 7895."""
    ns = f"{{{LIBRARY}}}"
    found = {_text(one, "name"): _module(one) for one in data.iterfind(f".//{ns}module-set/{ns}module")}
    if not found:
        rows = data.iterfind(f"{ns}modules-state/{ns}module")
        found = {_text(one, "name"): _module(one) for one in rows if _text(one, "conformance-type") == "implement"}
    return found


def expected(schema: Schema) -> Modules:
    """What a model set is made for."""
    return {
        module.name: ModuleState(module.revision, frozenset(module.features), frozenset(module.deviations))
        for module in schema.modules
        if module.implemented
    }


def mismatches(wanted: Modules, found: Modules, of: Iterable[str]) -> Iterator[str]:
    """What a device has otherwise than a model set, of these modules, for people."""
    for name in of:
        have, want = found.get(name), wanted[name]
        if have is None:
            yield f"it does not have {name}"
            continue
        if have.revision != want.revision:
            yield f"it has {name} of {have.revision or 'no date'}, not of {want.revision or 'no date'}"
        if have.features != want.features:
            yield f"{name} has {_features(have)}, not {_features(want)}"
        if have.deviations != want.deviations:
            yield f"{name} is deviated by {_names(have.deviations)}, not by {_names(want.deviations)}"


def _module(entry: Element) -> ModuleState:
    ns = f"{{{LIBRARY}}}"
    features = frozenset((one.text or "").strip() for one in entry.iterfind(f"{ns}feature"))
    # RFC 8525 has a leaf-list of names; in RFC 7895 it is a list.
    deviations = frozenset(
        (one.findtext(f"{ns}name") or one.text or "").strip() for one in entry.iterfind(f"{ns}deviation")
    )
    return ModuleState(_text(entry, "revision"), features, deviations)


def _text(entry: Element, name: str) -> str:
    return (entry.findtext(f"{{{LIBRARY}}}{name}") or "").strip()


def _listed(values: list[str] | None) -> frozenset[str]:
    return frozenset(name for name in (values or [""])[0].split(",") if name)


def _features(state: ModuleState) -> str:
    return f"the features {_names(state.features)}" if state.features else "no features"


def _names(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
