"""The rules of an agent follow its running configuration, cost nothing where they bind nobody, and are counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree
from tests.datastore.vault import nacm, vault, vault_schema, whole

from sdqkd.agent.access import AccessControl
from sdqkd.agent.roles import factory_access
from sdqkd.errors import RpcError, RpcErrors
from sdqkd.netconf.xml import BASE
from sdqkd.schema.table import load
from sdqkd.schema.tree import EMPTY, Container, merge
from sdqkd.schema.validate import Validator
from sdqkd.schema.xml import encode

SCHEMA = vault_schema()
VAULT = "urn:sdqkd:test:vault"
SHELF = ("vault:vault", ("shelf", ("1", "a")))


class Running:
    """A running configuration that a test changes."""

    def __init__(self, tree: Container) -> None:
        self.tree = tree

    def __call__(self) -> Container:
        return self.tree


@pytest.fixture
def running() -> Running:
    return Running(factory_access({"noc": "admin", "eva": "viewer"}))


@pytest.fixture
def access(running: Running) -> AccessControl:
    return AccessControl(SCHEMA, running, recovery_users=("root",))


def _counters(access: AccessControl) -> Iterator[str]:
    return etree.fromstring(encode(SCHEMA, access.state())).itertext()


def test_what_a_fresh_agent_is_delivered_with_fits_every_device() -> None:
    for users in ({}, {"noc": "admin"}, {"eva": "viewer", "noc": "admin", "ana": "admin"}):
        Validator(load("agent")).check(factory_access(users))  # type: ignore[arg-type]


def test_rights_are_worked_out_once_until_the_rules_change(access: AccessControl, running: Running) -> None:
    first = access.rights("noc")
    running.tree = merge(SCHEMA, running.tree, vault("<label>x</label>"))
    assert access.rights("noc") is first
    running.tree = merge(SCHEMA, running.tree, nacm("<write-default>permit</write-default>"))
    assert access.rights("noc") is not first
    assert access.rights("bob").may_write("create", ("vault:vault", "label"))
    running.tree = EMPTY
    assert not access.rights("noc").may_write("create", ("vault:vault", "label"))


def test_an_admin_a_recovery_user_and_everybody_without_rules_get_the_tree_itself(
    access: AccessControl, running: Running
) -> None:
    tree = merge(SCHEMA, running.tree, vault("<secret>x</secret>"))
    assert access.rights("noc").readable(tree) is access.rights("root").readable(tree) is tree
    assert AccessControl(SCHEMA, running, enforced=False).rights("bob").readable(tree) is tree
    assert access.rights("bob").readable(tree) == EMPTY


def test_the_same_tree_is_pruned_once(access: AccessControl) -> None:
    tree = vault("<label>x</label><secret>y</secret>")
    rights = access.rights("bob")
    assert rights.readable(tree) is rights.readable(tree) is not tree


def test_a_device_without_the_model_has_no_access_control() -> None:
    schema = load("fibre-switch", alone=True)
    access = AccessControl(schema, lambda: EMPTY)
    access.demand_operation("bob", BASE, "kill-session")
    assert access.rights("bob").may_write("create", ("sdqkd-optical-device:optical-device",))
    assert access.state() == EMPTY


def test_denials_are_counted_by_what_was_denied(access: AccessControl) -> None:
    for _ in range(3):
        with pytest.raises(RpcError, match="may not use <kill-session>") as refused:
            access.demand_operation("bob", BASE, "kill-session")
        assert (refused.value.tag, refused.value.type) == ("access-denied", "protocol")
    with pytest.raises(RpcError, match="may not use <break>"):
        access.demand_operation("bob", VAULT, "break")
    access.demand_operation("bob", VAULT, "knock")
    denied = RpcError("access-denied", "no", path="/vault:vault/label")
    assert access.refusal("bob", denied) is denied
    two = RpcErrors([denied, denied])
    assert access.refusal("bob", two) is two
    assert access.refusal("bob", RpcError("in-use", "no")).message == "no"  # type: ignore[union-attr]
    for name in ("alarm", "bell", "alarm", "alarm"):
        assert access.may_receive("bob", f"vault:{name}") is (name == "bell")
    assert list(_counters(access)) == ["4", "2", "3"]
    Validator(SCHEMA).check(merge(SCHEMA, whole(""), access.state()), state=True)


def test_errors_are_concealed_one_by_one(access: AccessControl) -> None:
    open_error = RpcError("operation-failed", "as it was", path="/vault:vault/label")
    closed_error = RpcError("operation-failed", "the secret is too short", path="/vault:vault/secret")
    told = access.refusal("bob", RpcErrors([open_error, closed_error]))
    assert isinstance(told, RpcErrors)
    assert told.errors[0] is open_error
    assert told.errors[1].path == "/vault:vault"
    assert "secret" not in str(told.errors[1])
    alone = access.refusal("bob", closed_error)
    assert isinstance(alone, RpcError)
    assert "secret" not in str(alone)
    assert access.refusal("noc", closed_error) is closed_error


def test_an_action_is_refused_without_telling_what_is_hidden(access: AccessControl, running: Running) -> None:
    action = SCHEMA.node(SHELF).operations["clean"]
    access.demand_action("bob", action, (*SHELF, "clean"))
    with pytest.raises(RpcError, match="may not use <clean> here") as refused:
        access.demand_action("eva", action, (*SHELF, "clean"))
    assert refused.value.path == "/vault:vault/shelf[row='1'][place='a']"
    running.tree = nacm("<read-default>deny</read-default>")
    with pytest.raises(RpcError) as refused:
        access.demand_action("bob", action, (*SHELF, "clean"))
    assert refused.value.path is None
    assert access.denied.operations == 2
