"""What libyang reports, said as RFC 7950 section 15 and a person in the NOC want it.

libyang gives a sentence, a place and sometimes an app-tag, but no error-tag; the sentences of its own are
recognised here, each once. A sentence that is not one of them comes from the model's `error-message`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sdqkd.errors import RpcError
from sdqkd.schema.path import parse_path
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Path, get
from sdqkd.schema.types import describe


@dataclass(frozen=True, slots=True)
class Finding:
    """One error of libyang. `at_parsing`: it lies in a value or name, not in how nodes fit together."""

    message: str
    path: str | None = None
    app_tag: str | None = None
    at_parsing: bool = False

    @property
    def is_false_condition(self) -> bool:
        """True if a node exists whose `when` is false."""
        return _WHEN.fullmatch(self.message) is not None

    @property
    def is_broken_rule(self) -> bool:
        """True if a `must` is false."""
        return not self.at_parsing and self.app_tag == "must-violation"


def causes(schema: Schema, findings: Sequence[Finding]) -> list[Finding]:
    """The findings without the rules that are broken in a node which lacks something mandatory.

    Such a rule is judged by what is not there: on the node itself, or on one of its children. If it is broken for
    another reason too, that shows when the node is complete.
    """
    incomplete = {_steps(schema, one) for one in findings if _MANDATORY.fullmatch(one.message)} - {None, ()}
    if not incomplete:
        return list(findings)
    return [one for one in findings if not (one.is_broken_rule and _is_at(incomplete, _steps(schema, one)))]


def _steps(schema: Schema, finding: Finding) -> Path | None:
    try:
        return parse_path(schema, finding.path or "/")
    except RpcError:
        return None


def _is_at(places: Collection[Path | None], steps: Path | None) -> bool:
    return steps is not None and (steps in places or steps[:-1] in places)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a finding is: its node in the schema and its value, as far as the path tells."""

    schema: Schema
    path: str | None
    node: SchemaNode | None
    value: str | None

    @property
    def name(self) -> str:
        return self.node.name if self.node is not None else "the configuration"


Explain: TypeAlias = "Callable[[re.Match[str], _Place], RpcError]"
_LAST_PREDICATES = re.compile(r"(\[[^\[\]]*\])+$")


def explain(schema: Schema, tree: Container, finding: Finding) -> RpcError:
    """The rpc-error for a finding in `tree`."""
    place = _place(schema, tree, finding.path)
    for sentence, said in _SENTENCES.items():
        if match := sentence.fullmatch(finding.message):
            error = said(match, place)
            break
    else:
        # The model's own words: of a pattern, range or length, or of a must.
        tag, app_tag = ("invalid-value", None) if finding.at_parsing else ("operation-failed", "must-violation")
        error = RpcError(tag, finding.message, path=finding.path, app_tag=app_tag)
    if finding.app_tag:
        error.app_tag = finding.app_tag
    return error


def _place(schema: Schema, tree: Container, path: str | None) -> _Place:
    try:
        steps = parse_path(schema, path or "/")
        node = schema.node(steps)
    except (RpcError, KeyError):
        return _Place(schema, path, None, None)
    value = get(tree, steps)
    return _Place(schema, path, node, value if isinstance(value, str) else None)


def _must(match: re.Match[str], place: _Place) -> RpcError:
    message = f"{place.name} breaks the rule {match[1]}"
    return RpcError("operation-failed", message, path=place.path, app_tag="must-violation")


def _when(match: re.Match[str], place: _Place) -> RpcError:
    message = f"{place.name} does not apply here: it needs {match[1]}"
    return RpcError("unknown-element", message, path=place.path, info={"bad-element": place.name})


def _dangling(match: re.Match[str], place: _Place) -> RpcError:
    message = f"{place.name} refers to '{match[1]}', which does not exist"
    return RpcError("data-missing", message, path=place.path, app_tag="instance-required")


def _mandatory(match: re.Match[str], place: _Place) -> RpcError:
    return RpcError("data-missing", f"{place.name} lacks its mandatory {match[1]}", path=place.path or "/")


def _choice(match: re.Match[str], place: _Place) -> RpcError:
    children = place.node.children if place.node is not None else place.schema.data
    names = [
        child.name
        for child in children.values()
        if any(step.partition("/")[0].rpartition(":")[2] == match[1] for step in child.choice)
    ]
    wanted = f"one of {', '.join(names)}" if len(names) > 1 else "".join(names) or match[1]
    message = f"{place.name} lacks {wanted}"
    info = {"missing-choice": match[1]}
    return RpcError("data-missing", message, path=place.path, app_tag="missing-choice", info=info)


def _unique(match: re.Match[str], place: _Place) -> RpcError:
    message = f"{match[2]} and {match[3]} have the same {match[1].replace(' ', ' and ')}"
    leafs = tuple(f"{match[2]}/{leaf}" for leaf in match[1].split())
    return RpcError("operation-failed", message, path=place.path, app_tag="data-not-unique", non_unique=leafs)


def _too_few(match: re.Match[str], place: _Place) -> RpcError:
    least = f"at least {place.node.min} of " if place.node is not None else "more of "
    message = f"the model wants {least}{match[1]}"
    return RpcError("operation-failed", message, path=_of_list(place), app_tag="too-few-elements")


def _too_many(match: re.Match[str], place: _Place) -> RpcError:
    most = f"at most {place.node.max} of " if place.node is not None and place.node.max else "less of "
    message = f"the model wants {most}{match[1]}"
    return RpcError("operation-failed", message, path=_of_list(place), app_tag="too-many-elements")


def _of_list(place: _Place) -> str:
    """The path of a list and not of one entry: RFC 7950 sections 15.2, 15.3."""
    return _LAST_PREDICATES.sub("", place.path or "")


def _value(match: re.Match[str], place: _Place) -> RpcError:
    wanted = match.groupdict().get("regex")
    shown = f"'{place.value}'" if place.value is not None else "the value"
    if wanted is not None:
        message = f"{shown} does not match {wanted}"
    elif place.node is not None and place.node.type is not None:
        message = f"{shown} is not {describe(place.node.type)}"
    else:
        message = match[0]
    return RpcError("invalid-value", message, path=place.path)


def _state(match: re.Match[str], place: _Place) -> RpcError:
    message = f"{match[1]} is state that the device reports; it cannot be configured"
    return RpcError("unknown-element", message, path=place.path, info={"bad-element": match[1]})


def _two_cases(match: re.Match[str], place: _Place) -> RpcError:
    message = f"{place.name} holds data of '{match[1]}' and of '{match[2]}', which exclude each other"
    return RpcError("bad-element", message, path=place.path)


def _unknown(match: re.Match[str], place: _Place) -> RpcError:
    message = f"the model has no '{match[1]}' in {match[2]}"
    return RpcError("unknown-element", message, path=place.path, info={"bad-element": match[1]})


_WHEN = re.compile(r'When condition "(.*)" not satisfied\.', re.DOTALL)
_MANDATORY = re.compile(r'Mandatory node "([^"]*)" instance does not exist\.')
_SENTENCES: dict[re.Pattern[str], Explain] = {
    _WHEN: _when,
    re.compile(r'Must condition "(.*)" not satisfied\.', re.DOTALL): _must,
    re.compile(r'Invalid leafref value "(.*)" - no (?:target|existing target) instance .*', re.DOTALL): _dangling,
    re.compile(r'Invalid instance-identifier "(.*)" value - required instance not found\.', re.DOTALL): _dangling,
    _MANDATORY: _mandatory,
    re.compile(r'Mandatory choice "([^"]*)" data do not exist\.'): _choice,
    re.compile(r'Unique data leaf\(s\) "([^"]*)" not satisfied in "(.*)" and "(.*)"\.', re.DOTALL): _unique,
    re.compile(r'Too few "([^"]*)" instances\.'): _too_few,
    re.compile(r'Too many "([^"]*)" instances\.'): _too_many,
    re.compile(r'Unsatisfied pattern - ".*" does not match(?: inverted)? "(?P<regex>.*)"\.', re.DOTALL): _value,
    re.compile(r"(?:Unsatisfied (?:range|length) - |Invalid |Value \").*", re.DOTALL): _value,
    re.compile(r'Unexpected data state node "([^"]*)" found\.'): _state,
    re.compile(r'Data for both cases "([^"]*)" and "([^"]*)" exist\.'): _two_cases,
    re.compile(r'Node "([^"]*)" not found as a child of "([^"]*)" node\.'): _unknown,
}
