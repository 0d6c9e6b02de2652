"""What the users of a fresh agent may do: the access control that it is delivered with.

RFC 8341 alone would let nobody write, so the factory configuration has a group for each role, with the users that
have it. It is configuration like any other from then on.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias, get_args

from sdqkd.datastore.nacm_rules import NACM
from sdqkd.schema.tree import Container, Entries, Node

# Everything, access control itself too; or look and listen.
Role: TypeAlias = Literal["admin", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)

# With these a viewer disturbs nobody, unlike with a lock or discard-changes.
_FOR_VIEWERS = (
    "get",
    "get-config",
    "get-data",
    "get-schema",
    "create-subscription",
    "establish-subscription",
    "modify-subscription",
    "delete-subscription",
    "resync-subscription",
)
_RULES: Mapping[Role, tuple[Mapping[str, Node], ...]] = {
    "admin": ({"name": "everything", "action": "permit"},),
    "viewer": (
        *(
            {"name": name, "rpc-name": name, "access-operations": "exec", "action": "permit"}
            for name in _FOR_VIEWERS
        ),
        {"name": "nothing else", "access-operations": "create update delete exec", "action": "deny"},
    ),
}


def factory_access(users: Mapping[str, Role]) -> Container:
    """Give the access control of a fresh agent, as configuration. Agents with the same users share it."""
    return _factory_access(tuple(sorted(users.items())))


@functools.lru_cache(maxsize=64)
def _factory_access(roles: tuple[tuple[str, Role], ...]) -> Container:
    users = dict(roles)
    nacm: dict[str, Node] = {
        "enable-external-groups": "false",
        "groups": Container({"group": _by_name([_group(role, users) for role in ROLES])}),
        "rule-list": _by_name([_rule_list(role) for role in ROLES]),
    }
    return Container({NACM: Container(nacm)})


def _group(role: Role, users: Mapping[str, Role]) -> dict[str, Node]:
    members = tuple(sorted(user for user, own in users.items() if own == role))
    return {"name": role, **({"user-name": members} if members else {})}


def _rule_list(role: Role) -> dict[str, Node]:
    return {"name": role, "group": (role,), "rule": _by_name(_RULES[role])}


def _by_name(entries: Iterable[Mapping[str, Node]]) -> Entries:
    return Entries({(str(entry["name"]),): Container(entry) for entry in entries})
