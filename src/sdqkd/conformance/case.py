"""The cases and target models as they stand in their files, checked when they are read.

A case is data: what a server must offer for it (`needs`), and steps, each with one verb. `docs/conformance.md`
tells the language; `VERBS` and `EXPECTATIONS` are all there is of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from sdqkd.errors import InputError

HERE = Path(__file__).parent

# What a step may ask of the answer.
EXPECTATIONS = frozenset({"expect", "error", "holds", "save", "within"})
# Each verb with the further keys of its step. `session` goes with all of them.
VERBS: Mapping[str, frozenset[str]] = {
    "edit": EXPECTATIONS | {"datastore", "default-operation", "test-option", "error-option"},
    "apply": EXPECTATIONS,
    "get": EXPECTATIONS | {"filter", "xpath", "with-defaults"},
    "rpc": EXPECTATIONS | {"attributes"},
    "commit": EXPECTATIONS,
    "message": EXPECTATIONS | {"chunk-bytes"},
    "reply": EXPECTATIONS,
    "notification": frozenset({"holds", "save", "within"}),
    "bytes": frozenset(),
    "open": frozenset({"hello", "base", "burst", "user", "client", "within", "refused", "holds", "save"}),
    "wait": frozenset(),
    "crowd": frozenset(),
    "drop": frozenset(),
    "closed": frozenset({"within"}),
    "tcp": frozenset(),
    "restart": frozenset(),
    "schema": frozenset(),
}
_CASE_KEYS = frozenset({"id", "title", "rfc", "needs", "steps", "finally"})
_SECTION_KEYS = frozenset({"section", "title", "rfc", "needs", "texts", "cases"})
_TARGET_KEYS = frozenset({"name", "title", "modules", "namespaces", "setup", "texts"})
_OPTIONAL = frozenset({"needs", "setup", "texts"})

Mapped: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its verb, what stands behind it, the session, and the further keys."""

    verb: str
    value: Any
    session: str = "a"
    options: Mapped = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour. `id` is `section/name`; `rfc` says where it is demanded; `last` is done in any event; `names`
    are texts of its section."""

    id: str
    title: str
    rfc: str
    section: str
    needs: tuple[str, ...]
    steps: tuple[Step, ...]
    last: tuple[Step, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def texts(self) -> Iterator[str]:
        """Every text of the case in which holes may be."""
        for step in (*self.steps, *self.last):
            yield from _strings((step.value, step.options))


@dataclass(frozen=True, slots=True)
class Section:
    """One file of cases."""

    name: str
    title: str
    rfc: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Setup:
    """What must be there before the first case: an edit, unless the XPath holds in running."""

    unless: str
    edit: str


@dataclass(frozen=True, slots=True)
class Target:
    """A model that a server serves, and the sample data of it that the cases use."""

    name: str
    title: str
    modules: tuple[str, ...]
    namespaces: Mapping[str, str]
    setup: tuple[Setup, ...]
    texts: Mapping[str, str]


def shipped_sections() -> tuple[Section, ...]:
    """All sections of the kit, in the order of their files."""
    return tuple(read_section(file) for file in sorted((HERE / "cases").glob("*.yaml")))


def shipped_targets() -> tuple[Target, ...]:
    """All target models of the kit."""
    return tuple(read_target(file) for file in sorted((HERE / "targets").glob("*.yaml")))


def read_section(file: Path) -> Section:
    """Read a file of cases. Raises InputError with the file and the case."""
    found = _mapping(file, _SECTION_KEYS)
    common = _Common(str(found["section"]), str(found["rfc"]), _words(found.get("needs")), _texts(found))
    cases = tuple(_case(file, common, one) for one in found["cases"])
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise InputError(f"the case {case.id} is there twice", str(file))
        seen.add(case.id)
    return Section(common.section, str(found["title"]), common.rfc, cases)


def read_target(file: Path) -> Target:
    """Read a target model. Raises InputError."""
    found = _mapping(file, _TARGET_KEYS)
    setup = tuple(Setup(str(one["unless"]), str(one["edit"])) for one in found.get("setup", ()))
    namespaces = {str(prefix): str(uri) for prefix, uri in found["namespaces"].items()}
    return Target(
        str(found["name"]), str(found["title"]), _words(found["modules"]), namespaces, setup, _texts(found)
    )


@dataclass(frozen=True, slots=True)
class _Common:
    """What the cases of a section share."""

    section: str
    rfc: str
    needs: tuple[str, ...]
    names: Mapping[str, str]


def _case(file: Path, common: _Common, found: Mapped) -> Case:
    where = f"{common.section}/{found.get('id', '?')}"
    if unknown := set(found) - _CASE_KEYS:
        raise InputError(f"case {where}: unknown {', '.join(sorted(unknown))}", str(file))
    try:
        return Case(
            id=where,
            title=str(found["title"]),
            rfc=str(found.get("rfc", common.rfc)),
            section=common.section,
            needs=(*common.needs, *_words(found.get("needs"))),
            steps=tuple(_step(one) for one in found["steps"]),
            last=tuple(_step(one) for one in found.get("finally", ())),
            names=common.names,
        )
    except KeyError as error:
        raise InputError(f"case {where}: {error.args[0]} is missing", str(file)) from error
    except ValueError as error:
        raise InputError(f"case {where}: {error}", str(file)) from error


def _step(found: Mapped) -> Step:
    verbs = [key for key in found if key in VERBS]
    if len(verbs) != 1:
        raise ValueError(f"a step has one verb of {', '.join(VERBS)}, not {', '.join(map(str, found))}")
    verb = verbs[0]
    options = {key: value for key, value in found.items() if key not in (verb, "session")}
    if unknown := set(options) - VERBS[verb]:
        raise ValueError(f"'{verb}' does not take {', '.join(sorted(unknown))}")
    return Step(verb, found[verb], str(found.get("session", "a")), options)


def _mapping(file: Path, keys: frozenset[str]) -> Mapped:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"cannot be read: {error}", str(file)) from error
    if not isinstance(found, dict):
        raise InputError("is no mapping", str(file))
    missing = keys - _OPTIONAL - set(found)
    if missing or set(found) - keys:
        raise InputError(f"has the keys {', '.join(map(str, found))}, not {', '.join(sorted(keys))}", str(file))
    return found


def _texts(found: Mapped) -> dict[str, str]:
    return {str(name): str(text).strip() for name, text in found.get("texts", {}).items()}


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(one) for one in value) if isinstance(value, list) else (str(value),)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _strings(one)
