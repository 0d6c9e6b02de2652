"""The configuration of access control as typed rules: /ietf-netconf-acm:nacm, RFC 8341 section 3.3.

Pure reading: what the rules mean for a user is `nacm`, and where in a tree they hold `nacm_places`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from sdqkd.schema.rule_path import RulePath, parse_rule_path
from sdqkd.schema.tree import EMPTY, Container, Entries, Node

NACM = "ietf-netconf-acm:nacm"
ANY = "*"

Access: TypeAlias = Literal["create", "read", "update", "delete", "exec"]
Kind: TypeAlias = Literal["any", "operation", "notification", "data"]

_ALL_ACCESS: frozenset[Access] = frozenset(get_args(Access))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `name` is that of the operation or notification, `path` that of the data; `*` is any."""

    kind: Kind
    module: str
    accesses: frozenset[Access]
    permit: bool
    name: str = ANY
    path: RulePath = ()

    def covers(self, access: Access, kind: Kind) -> bool:
        """Whether it speaks of such an access to an operation, a notification or data at all."""
        return access in self.accesses and self.kind in ("any", kind)


@dataclass(frozen=True, slots=True)
class RuleList:
    """Rules in order, and the groups for which they are."""

    groups: frozenset[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AccessRules:
    """All that is configured. The defaults are those of the model."""

    enabled: bool = True
    read: bool = True
    write: bool = False
    execute: bool = True
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rule_lists: tuple[RuleList, ...] = ()

    def for_user(self, user: str) -> tuple[Rule, ...]:
        """Give the rules for a user, in order; none for one without a group: RFC 8341 sections 3.4.4 to 3.4.6.

        Transports of ours report no groups, so enable-external-groups changes nothing.
        """
        own = {name for name, users in self.groups.items() if user in users}
        if not own:
            return ()
        lists = (one for one in self.rule_lists if ANY in one.groups or own & one.groups)
        return tuple(rule for one in lists for rule in one.rules)


def read_rules(configuration: Container) -> AccessRules:
    """Read what a whole configuration, such as running, says about access."""
    nacm = _inside(configuration.children.get(NACM))
    leafs = nacm.children
    groups = _entries(_inside(leafs.get("groups")).children.get("group"))
    return AccessRules(
        enabled=leafs.get("enable-nacm", "true") == "true",
        read=leafs.get("read-default", "permit") == "permit",
        write=leafs.get("write-default", "deny") == "permit",
        execute=leafs.get("exec-default", "permit") == "permit",
        groups={_text(group, "name"): _values(group, "user-name") for group in groups},
        rule_lists=tuple(map(_rule_list, _entries(leafs.get("rule-list")))),
    )


def _rule_list(entry: Container) -> RuleList:
    return RuleList(_values(entry, "group"), tuple(map(_rule, _entries(entry.children.get("rule")))))


def _rule(entry: Container) -> Rule:
    accesses = _text(entry, "access-operations", ANY)
    kind, name, path = _subject(entry)
    return Rule(
        kind=kind,
        module=_text(entry, "module-name", ANY),
        accesses=_ALL_ACCESS if accesses == ANY else _ALL_ACCESS & set(accesses.split()),
        permit=_text(entry, "action") == "permit",
        name=name,
        path=path,
    )


def _subject(entry: Container) -> tuple[Kind, str, RulePath]:
    """Give the case of the choice rule-type, with its leaf."""
    if "rpc-name" in entry.children:
        return "operation", _text(entry, "rpc-name"), ()
    if "notification-name" in entry.children:
        return "notification", _text(entry, "notification-name"), ()
    if "path" in entry.children:
        return "data", ANY, parse_rule_path(_text(entry, "path"))
    return "any", ANY, ()


def _inside(node: Node | None) -> Container:
    return node if isinstance(node, Container) else EMPTY


def _entries(node: Node | None) -> Iterable[Container]:
    return node.entries.values() if isinstance(node, Entries) else ()


def _values(entry: Container, name: str) -> frozenset[str]:
    values = entry.children.get(name, ())
    return frozenset(values) if isinstance(values, tuple) else frozenset()


def _text(entry: Container, name: str, default: str = "") -> str:
    return str(entry.children.get(name, default))
