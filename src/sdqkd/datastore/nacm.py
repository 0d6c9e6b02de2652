"""What one user may do: access control as RFC 8341 section 3.4 decides it, on trees and schema alone.

nacm_rules   the configuration as typed rules
nacm_places  which rules still count at a node
nacm_read    a tree without what may not be read
nacm_write   what of a change is denied

Nothing of this restricts how must, when and leafref are evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from sdqkd.datastore import nacm_places
from sdqkd.datastore.nacm_places import Place
from sdqkd.datastore.nacm_read import readable
from sdqkd.datastore.nacm_rules import ANY, Access, AccessRules, Kind
from sdqkd.datastore.nacm_write import Denial, WritePlaces, denials
from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.draft import Draft
from sdqkd.schema.path import format_path, parse_path
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container, Path, get

_BASE = "ietf-netconf"
# RFC 8341 section 3.4.4: closed unless a rule says otherwise.
_CLOSED_OPERATIONS = frozenset({(_BASE, "kill-session"), (_BASE, "delete-config")})
# They tell of a subscription and not of the device: RFC 8341 section 3.4.6, RFC 8639 section 2.7.
_SUBSCRIPTION_STATE = frozenset(
    {("nc-notifications", "replayComplete"), ("nc-notifications", "notificationComplete")}
    | {
        ("ietf-subscribed-notifications", name)
        for name in (
            "replay-completed",
            "subscription-completed",
            "subscription-modified",
            "subscription-resumed",
            "subscription-started",
            "subscription-suspended",
            "subscription-terminated",
        )
    }
)

# What a request for a node that exists, or does not, wanted to do.
_ASKED_FOR: Mapping[str, Access] = {"data-exists": "create", "data-missing": "delete"}
# From a tree to the same without the nodes whose `when` has become false.
Settle = Callable[[Container], Container]


class Rights:
    """What one user may do by the rules of one configuration; without rules, everything."""

    def __init__(self, schema: Schema, rules: AccessRules | None, user: str) -> None:
        self._schema = schema
        self._all = rules if rules is not None and rules.enabled else None
        self._rules = self._all.for_user(user) if self._all else ()
        self._user = user
        self._executable: dict[tuple[str, str], bool] = {}
        self._last_read: tuple[Container, Container] = (EMPTY, EMPTY)

    # Operations and notifications

    def may_execute(self, module: str, name: str) -> bool:
        """Whether the user may ask for an operation: RFC 8341 section 3.4.4."""
        if self._all is None:
            return True
        permitted = self._executable.get((module, name))
        if permitted is None:
            permitted = self._executable[module, name] = self._decide_operation(module, name)
        return permitted

    def _decide_operation(self, module: str, name: str) -> bool:
        if (module, name) == (_BASE, "close-session"):
            return True
        ruled = self._ruled("exec", "operation", module, name)
        if ruled is not None:
            return ruled
        rpc = self._schema.rpcs.get(f"{module}:{name}")
        closed = (module, name) in _CLOSED_OPERATIONS or (rpc is not None and bool(rpc.nacm))
        return self._all is not None and self._all.execute and not closed

    def may_receive(self, module: str, name: str) -> bool:
        """Whether the user may hear of such an event: RFC 8341 section 3.4.6."""
        if self._all is None or (module, name) in _SUBSCRIPTION_STATE:
            return True
        ruled = self._ruled("read", "notification", module, name)
        if ruled is not None:
            return ruled
        known = self._schema.notifications.get(f"{module}:{name}")
        return self._all.read and not (known is not None and known.nacm)

    def _ruled(self, access: Access, kind: Kind, module: str, name: str) -> bool | None:
        """Give what the first rule for an operation or notification says, None if there is none."""
        for rule in self._rules:
            if rule.covers(access, kind) and rule.module in (ANY, module) and rule.name in (ANY, name):
                return rule.permit
        return None

    def may_invoke(self, action: SchemaNode, path: Path) -> bool:
        """Whether the user may ask for the action at `path`, which ends in its name.

        The nodes above must be readable, and a rule or the default permit to execute it.
        """
        if self._all is None:
            return True
        if _along(self._read, path[:-1]) is None:
            return False
        place = self._root("exec", default=self._all.execute)
        for step in path[:-1]:
            place = place.step(step)
        return place.below(action).permitted

    # Reading

    def readable(self, tree: Container) -> Container:
        """Give a tree, configuration or state, without what the user may not read.

        It shares what it can with `tree`, and is `tree` if nothing is left out.
        """
        if self.reads_all:
            return tree
        if self._last_read[0] is not tree:
            self._last_read = (tree, readable(self._schema.data, tree, self._read))
        return self._last_read[1]

    @property
    def reads_all(self) -> bool:
        """Whether there is nothing that the user may not read."""
        return self._all is None or self._read.open

    def may_read(self, path: Path) -> bool:
        """Whether a node may be read with all above it. KeyError if the schema does not know the path."""
        return self._all is None or _along(self._read, path) is not None

    def may_read_text(self, path: str) -> bool:
        """Whether a node may be read, by its path as text; not if this is no path."""
        try:
            return self.may_read(parse_path(self._schema, path))
        except RpcError:  # written in another way than ours: better not told
            return False

    def readable_part(self, path: Path) -> Path:
        """Give as much of a path, from its start, as the user may read."""
        length = len(path)
        while length and not self.may_read(path[:length]):
            length -= 1
        return path[:length]

    # Writing

    def demand_change(self, before: Container, after: Container, settle: Settle | None = None) -> None:
        """Raise RpcError access-denied, with a path, unless the user may turn one configuration into the other.

        If `after` is what is left when nodes without a true `when` are gone, `settle` tells which these are:
        they went by themselves. The path names nothing that was there and that the user may not read.
        """
        if self._all is None:
            return
        waiting: list[tuple[Path, Denial]] = []
        for denial in self._denials(before, after):
            head = _conditional(self._schema, after, denial.path) if settle and denial.access == "delete" else None
            if head is None:
                raise self._denied(denial)
            waiting.append((head, denial))
        if waiting and settle:
            settled = self._restored(before, after, [head for head, _ in waiting], settle)
            for head, denial in waiting:
                if get(settled, head) is not None:
                    raise self._denied(denial)

    def _denials(self, before: Container, after: Container) -> Iterator[Denial]:
        return denials(self._schema.data, before, after, self._write)

    def _restored(self, before: Container, after: Container, heads: list[Path], settle: Settle) -> Container:
        draft = Draft(self._schema, after)
        for head in dict.fromkeys(heads):
            old = get(before, head)
            assert old is not None
            draft.put(head, old)
        restored = draft.finish()
        try:
            return settle(restored)
        except (RpcError, RpcErrors):
            return restored

    def may_write(self, access: Access, path: Path) -> bool:
        """Whether the user may create, update or delete the node at `path`."""
        if self._all is None:
            return True
        places = {"create": self._write.create, "update": self._write.update, "delete": self._write.delete}
        place = places[access]
        for step in path:
            place = place.step(step)
        return place.permitted

    def concealed(self, error: RpcError) -> RpcError:
        """Give an error without what it tells of nodes that the user may not read: RFC 8341 section 3.2.5."""
        if error.tag == "access-denied":  # made with care, in `_denied`
            return error
        try:
            path = parse_path(self._schema, error.path or "/")
        except RpcError:  # the path of something that the model does not have
            return error
        if self.may_read(path) and all(map(self.may_read_text, error.non_unique)):
            return error
        access = _ASKED_FOR.get(error.tag)
        if access and not self.may_write(access, path):
            return self._denied(Denial(access, path))
        part = self.readable_part(path)
        message = "something is wrong in a part of the configuration that you may not read"
        shown = format_path(part, self._schema) if part else None
        return RpcError(error.tag, message, error.type, shown, error.app_tag)

    def _denied(self, denial: Denial) -> RpcError:
        path = denial.path if denial.access == "create" else self.readable_part(denial.path)
        name = _name(denial.path) if path == denial.path else "a node"
        message = f"the user '{self._user}' may not {denial.access} {name} here"
        return RpcError("access-denied", message, path=format_path(path, self._schema) if path else None)

    # Places

    def _root(self, access: Access, *, default: bool) -> Place:
        return nacm_places.root(self._schema, self._rules, self._user, access, default=default)

    @cached_property
    def _read(self) -> Place:
        assert self._all is not None
        return self._root("read", default=self._all.read)

    @cached_property
    def _write(self) -> WritePlaces:
        assert self._all is not None
        default = self._all.write
        return WritePlaces(*(self._root(access, default=default) for access in ("create", "update", "delete")))


def _along(place: Place, path: Path) -> Place | None:
    """Give the place at the end of a path of which every node can be seen, else None."""
    for step in path:
        place = place.step(step)
        if not (place.permitted if isinstance(step, str) else place.identifiable):
            return None
    return place


def _conditional(schema: Schema, after: Container, path: Path) -> Path | None:
    """Give the outermost node on the way to `path` that has a `when` and is not in `after`."""
    known = schema.data
    for at, step in enumerate(path):
        member = step if isinstance(step, str) else step[0]
        node = known[member]
        heads: list[Path] = [(*path[:at], member)] if node.has_when else []
        if heads and node.kind == "list":
            heads.append(path[: at + 1])
        for head in heads:
            if get(after, head) is None:
                return head
        known = node.children
    return None


def _name(path: Path) -> str:
    last = path[-1] if isinstance(path[-1], str) else path[-1][0]
    return last.rpartition(":")[2]
