"""Who may do what on an agent: RFC 8341, asked at every operation, every answer and every notification.

The rules are those in running, so that they change with it. What they mean for a user is worked out once and kept
until they change. A recovery user is bound by none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sdqkd.agent.monitoring import without_hidden_nodes
from sdqkd.datastore.nacm import Rights
from sdqkd.datastore.nacm_rules import NACM, AccessRules, read_rules
from sdqkd.errors import RpcError, RpcErrors
from sdqkd.netconf.xml import BASE
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import EMPTY, Container, Node, Path

_COUNTER_LIMIT = 2**32


@dataclass(slots=True)
class Denied:
    """How often something was denied since the agent started: the counters of RFC 8341."""

    operations: int = 0
    data_writes: int = 0
    notifications: int = 0


class AccessControl:
    """The rules of one agent. `running` gives its running configuration.

    Everybody may do everything if it is not `enforced`, or if the schema does not have access control.
    """

    def __init__(
        self,
        schema: Schema,
        running: Callable[[], Container],
        *,
        recovery_users: Collection[str] = (),
        enforced: bool = True,
    ) -> None:
        self.denied = Denied()
        self._schema = schema
        self._running = running
        self._recovery_users = frozenset(recovery_users)
        self._supported = NACM in schema.data
        self._enforced = enforced and self._supported
        self._unbound = Rights(schema, None, "")
        self._nacm: Node | None = Container({})  # another than any in running, so the rules are read at first
        self._rules = AccessRules()
        self._by_user: dict[str, Rights] = {}

    def rights(self, user: str) -> Rights:
        """Give what a user may do now."""
        if not self._enforced or user in self._recovery_users:
            return self._unbound
        running = self._running()
        nacm = running.children.get(NACM)
        if nacm is not self._nacm:
            self._nacm, self._rules = nacm, read_rules(running)
            self._by_user.clear()
        rights = self._by_user.get(user)
        if rights is None:
            rights = self._by_user[user] = Rights(self._schema, self._rules, user)
        return rights

    def readable(self, user: str, tree: Container) -> Container:
        """Give of a tree, configuration or state, what a user may read. It may be `tree` itself."""
        rights = self.rights(user)
        return without_hidden_nodes(self._schema, rights, rights.readable(tree))

    def demand_operation(self, user: str, namespace: str, name: str) -> None:
        """Raise RpcError access-denied unless the user may ask for an operation: RFC 8341 section 3.4.4."""
        module = "ietf-netconf" if namespace == BASE else self._schema.module_of(namespace) or namespace
        if not self.rights(user).may_execute(module, name):
            self.denied.operations += 1
            raise RpcError("access-denied", f"the user '{user}' may not use <{name}>", "protocol")

    def demand_action(self, user: str, action: SchemaNode, path: Path) -> None:
        """Raise RpcError access-denied unless the user may ask for an action. `path` ends in its name."""
        rights = self.rights(user)
        if not rights.may_invoke(action, path):
            self.denied.operations += 1
            part = rights.readable_part(path[:-1])
            message = f"the user '{user}' may not use <{action.name}> here"
            raise RpcError("access-denied", message, path=format_path(part, self._schema) if part else None)

    def may_receive(self, user: str, notification: str) -> bool:
        """Whether to send a user such a notification, `module:name`. If not, it counts as denied.

        RFC 8341 section 3.4.6. None of our models has one that is tied to a data node.
        """
        module, _, name = notification.partition(":")
        permitted = self.rights(user).may_receive(module, name)
        if not permitted:
            self.denied.notifications += 1
        return permitted

    def refusal(self, user: str, error: RpcError | RpcErrors) -> RpcError | RpcErrors:
        """Give the error of an operation as the user may see it, and count it if access was denied."""
        rights = self.rights(user)
        errors = error.errors if isinstance(error, RpcErrors) else (error,)
        told = [rights.concealed(one) for one in errors]
        if any(one.tag == "access-denied" and one.type == "application" for one in told):
            self.denied.data_writes += 1
        if all(one is other for one, other in zip(told, errors, strict=True)):
            return error
        return RpcErrors(told) if isinstance(error, RpcErrors) else told[0]

    def state(self) -> Container:
        """Give the counters, as state of the container nacm."""
        if not self._supported:
            return EMPTY
        counted = {
            "denied-operations": self.denied.operations,
            "denied-data-writes": self.denied.data_writes,
            "denied-notifications": self.denied.notifications,
        }
        leafs = {name: str(number % _COUNTER_LIMIT) for name, number in counted.items()}
        return Container({NACM: Container(leafs)})
