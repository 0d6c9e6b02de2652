"""Access control decides as `data/nacm-decisions.xml` says; it hides what may not be read and refuses changes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest
from lxml import etree
from tests.datastore.vault import nacm, vault, vault_schema, whole

from sdqkd.datastore.nacm import Rights
from sdqkd.datastore.nacm_rules import Access, AccessRules, read_rules
from sdqkd.errors import RpcError
from sdqkd.schema.path import parse_path
from sdqkd.schema.tree import Container, merge
from sdqkd.schema.validate import Validator
from sdqkd.schema.xml import decode

SCHEMA = vault_schema()
VALIDATOR = Validator(SCHEMA)
CASES = "{urn:sdqkd:test:cases}"
GROUPS = (
    "<groups><group><name>mine</name><user-name>ana</user-name></group>"
    "<group><name>others</name><user-name>ben</user-name></group></groups>"
)


def _questions() -> Iterator[Any]:
    document = etree.parse(
        Path(__file__).parent / "data/nacm-decisions.xml", etree.XMLParser(remove_comments=True)
    )
    for case in document.getroot():
        questions = case.findall(f"{CASES}ask")
        configured = [child for child in case if child not in questions]
        for at, question in enumerate(questions, 1):
            yield pytest.param(configured, dict(question.attrib), question.text, id=f"{case.get('name')} ({at})")


@pytest.mark.parametrize(("configured", "question", "answer"), list(_questions()))
def test_decision(configured: list[etree._Element], question: dict[str, str], answer: str) -> None:
    tree = merge(SCHEMA, nacm(GROUPS), nacm("".join(etree.tostring(one).decode() for one in configured)))
    VALIDATOR.check(tree)
    rights = Rights(SCHEMA, read_rules(tree), question.pop("user"))
    assert _permitted(rights, **question) is (answer == "permit")


def _permitted(rights: Rights, **question: str) -> bool:
    match question:
        case {"operation": operation}:
            return rights.may_execute(*operation.split(":"))
        case {"notification": notification}:
            return rights.may_receive(*notification.split(":"))
        case {"action": path}:
            above, _, name = path.rpartition("/")
            place = parse_path(SCHEMA, above)
            return rights.may_invoke(SCHEMA.node(place).operations[name], (*place, name))
        case {"access": "read", "path": path}:
            return rights.may_read(parse_path(SCHEMA, path))
    access = next(access for access in get_args(Access) if access == question["access"])
    return rights.may_write(access, parse_path(SCHEMA, question["path"]))


def rights(rules: str = "", *, user: str = "ana") -> Rights:
    """The rights of a user by one list of rules for the group `mine`, written without their names and ends."""
    named = "".join(f"<rule><name>{at}</name>{rule}</rule>" for at, rule in enumerate(rules.split("|")) if rule)
    return Rights(
        SCHEMA,
        read_rules(nacm(f"{GROUPS}<rule-list><name>x</name><group>mine</group>{named}</rule-list>")),
        user,
    )


PERMIT_ALL = "<action>permit</action>"
FULL = vault(
    "<label>x</label><secret>y</secret><safe><code>1</code></safe>"
    "<shelf><row>1</row><place>a</place><weight>5</weight><tag>red</tag><tag>blue</tag><dust>3</dust>"
    "<a:colour>green</a:colour></shelf>"
    "<shelf><row>2</row><place>a</place></shelf>"
    "<visit><who>ben</who></visit><visit><who>eve</who></visit>"
)


def test_who_may_read_all_gets_the_tree_itself() -> None:
    assert rights(PERMIT_ALL).readable(FULL) is FULL
    assert Rights(SCHEMA, None, "eve").readable(FULL) is FULL


def test_what_is_not_touched_is_shared() -> None:
    seen = rights("<path>/v:vault/v:shelf[v:row='1']</path><action>deny</action>").readable(FULL)
    top, below = FULL.children["vault:vault"], seen.children["vault:vault"]
    assert isinstance(top, Container)
    assert isinstance(below, Container)
    assert below.children["visit"] is top.children["visit"]
    assert set(top.children) - set(below.children) == {"secret", "safe"}
    assert [*below.children["shelf"].entries] == [("2", "a")]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("<path>/v:vault/v:shelf/v:tag[.='red']</path>", "<tag>blue</tag>"),
        ("<path>/v:vault/v:shelf/v:tag</path>", ""),
    ],
)
def test_single_values_of_a_leaf_list_can_be_hidden(rule: str, left: str) -> None:
    tree = vault(f"<shelf><row>1</row><place>a</place><tag>red</tag>{left}</shelf>")
    kept = vault(f"<shelf><row>1</row><place>a</place>{left}</shelf>")
    assert rights(f"{rule}<action>deny</action>").readable(tree) == kept


def test_an_entry_goes_with_a_key_that_may_not_be_read() -> None:
    seen = rights("<path>/v:vault/v:shelf[v:row='1']/v:place</path><action>deny</action>").readable(FULL)
    assert [*seen.children["vault:vault"].children["shelf"].entries] == [("2", "a")]  # type: ignore[union-attr]


def test_an_entry_of_a_list_without_keys_is_hidden_by_its_position() -> None:
    seen = rights("<path>/v:vault/v:visit[1]</path><action>deny</action>").readable(FULL)
    assert [*seen.children["vault:vault"].children["visit"].entries] == [("2",)]  # type: ignore[union-attr]


def test_an_emptied_container_goes_unless_it_means_something() -> None:
    only = vault("<label>x</label>")
    assert rights("<path>/v:vault/v:label</path><action>deny</action>").readable(only) == Container({})
    safe = vault("<safe><code>1</code></safe>")
    seen = rights(f"<path>/v:vault/v:safe/v:code</path><action>deny</action>|{PERMIT_ALL}").readable(safe)
    assert seen == vault("<safe/>")


ROW = "<row>1</row><place>a</place>"
CHANGES = [
    ("create", "<label>x</label>", "", "/vault:vault/label"),
    ("update", "<label>x</label>", "<label>y</label>", "/vault:vault/label"),
    ("delete", "", "<label>y</label>", "/vault:vault/label"),
    ("create", f"<shelf>{ROW}</shelf>", "", "/vault:vault/shelf[row='1'][place='a']"),
    (
        "create",
        f"<shelf>{ROW}<weight>1</weight></shelf>",
        f"<shelf>{ROW}</shelf>",
        "/vault:vault/shelf[row='1'][place='a']/weight",
    ),
    ("delete", "", f"<shelf>{ROW}</shelf>", "/vault:vault/shelf[row='1'][place='a']"),
    (
        "create",
        f"<shelf>{ROW}<tag>b</tag></shelf>",
        f"<shelf>{ROW}<tag>a</tag></shelf>",
        "/vault:vault/shelf[row='1'][place='a']/tag[.='b']",
    ),
    (
        "update",
        f"<shelf>{ROW}<turn>b</turn><turn>a</turn></shelf>",
        f"<shelf>{ROW}<turn>a</turn><turn>b</turn></shelf>",
        "/vault:vault/shelf[row='1'][place='a']/turn[.='b']",
    ),
    ("create", "<safe/>", "", "/vault:vault/safe"),
]


@pytest.mark.parametrize(("access", "after", "before", "path"), CHANGES)
def test_each_kind_of_change_needs_its_right(access: str, after: str, before: str, path: str) -> None:
    everything_else = " ".join(other for other in ("create", "update", "delete", "read") if other != access)
    most = f"<access-operations>{everything_else}</access-operations><action>permit</action>"
    with pytest.raises(RpcError) as refused:
        rights(most).demand_change(vault(before), vault(after))
    error = refused.value
    assert (error.tag, error.type, error.path) == ("access-denied", "application", path)
    assert error.message.startswith(f"the user 'ana' may not {access} ")
    enough = f"<access-operations>{access} read</access-operations><action>permit</action>"
    if "<tag>" in after:  # another value of a leaf-list is another node
        enough = enough.replace("create", "create delete")
    rights(enough).demand_change(vault(before), vault(after))


def test_what_is_only_named_or_a_container_that_is_always_there_needs_no_right() -> None:
    only_weight = "<path>/v:vault/v:shelf/v:weight</path><action>permit</action>"
    before, after = (vault(f"<shelf>{ROW}<weight>{weight}</weight></shelf>") for weight in "12")
    rights(only_weight).demand_change(before, after)
    rights("<path>/a:annex/a:label</path><action>permit</action>").demand_change(
        Container({}), whole("<a:annex><a:label>x</a:label></a:annex>")
    )


def test_what_another_case_displaces_needs_no_right() -> None:
    may = rights("<path>/v:vault/v:key</path><access-operations>create</access-operations><action>permit</action>")
    may.demand_change(vault("<pin>1</pin><digits>2</digits>"), vault("<key>k</key>"))
    with pytest.raises(RpcError, match="may not delete"):
        may.demand_change(vault("<pin>1</pin>"), Container({}))


def test_what_goes_because_its_when_has_become_false_needs_no_right() -> None:
    may = rights("<path>/v:vault/v:kind</path><action>permit</action>")
    before = vault("<kind>oven</kind><heat>2</heat>")
    settle = partial(VALIDATOR.settle, before)
    may.demand_change(before, vault("<kind>fridge</kind>"), settle)
    for after in (vault("<kind>oven</kind>"), vault("<kind>fridge</kind><label>x</label>")):
        with pytest.raises(RpcError, match="may not"):
            may.demand_change(before, after, settle)


def test_a_refusal_names_nothing_that_the_user_may_not_read() -> None:
    hidden = "<path>/v:vault/v:shelf[v:row='1']</path><action>deny</action>"
    before = vault(f"<shelf>{ROW}<weight>1</weight></shelf>")
    with pytest.raises(RpcError) as refused:
        rights(hidden).demand_change(before, Container({}))
    assert refused.value.path == "/vault:vault"
    assert refused.value.message == "the user 'ana' may not delete a node here"


@pytest.mark.parametrize(
    ("path", "tag", "told"),
    [
        ("/vault:vault/label", "operation-failed", ("operation-failed", "/vault:vault/label", "as it was")),
        ("/vault:vault/secret", "operation-failed", ("operation-failed", "/vault:vault", "may not read")),
        ("/vault:vault/secret", "data-exists", ("access-denied", "/vault:vault/secret", "may not create")),
        ("/vault:vault/secret", "data-missing", ("access-denied", "/vault:vault", "may not delete")),
        ("/vault:vault/nobody", "unknown-element", ("unknown-element", "/vault:vault/nobody", "as it was")),
        (None, "in-use", ("in-use", None, "as it was")),
    ],
)
def test_other_errors_keep_what_the_user_may_not_read(
    path: str | None, tag: str, told: tuple[str, str | None, str]
) -> None:
    error = rights().concealed(RpcError(tag, "as it was", path=path, info={"bad-element": "secret"}))
    assert (error.tag, error.path) == told[:2]
    assert told[2] in error.message
    assert ("secret" in str(error.info)) is (told[2] == "as it was")


def test_an_entry_that_the_user_may_not_read_is_not_named_as_the_one_that_has_the_same_values() -> None:
    error = RpcError(
        "operation-failed", "label and secret are the same", path="/vault:vault/label",
        app_tag="data-not-unique", non_unique=("/vault:vault/secret",),
    )  # fmt: skip
    told = rights().concealed(error)
    assert (told.tag, told.path, told.app_tag) == ("operation-failed", "/vault:vault/label", "data-not-unique")
    assert "secret" not in f"{told.message} {told.non_unique}"


def test_subscription_state_is_told_to_everybody() -> None:
    deaf = Rights(SCHEMA, AccessRules(read=False), "eve")
    assert deaf.may_receive("nc-notifications", "replayComplete")
    assert deaf.may_receive("ietf-subscribed-notifications", "subscription-terminated")
    assert not deaf.may_receive("ietf-yang-push", "push-update")


def test_what_is_configured_is_read_as_it_stands() -> None:
    assert read_rules(Container({})) == AccessRules()
    assert read_rules(decode(SCHEMA, [])) == AccessRules(enabled=True, read=True, write=False, execute=True)
