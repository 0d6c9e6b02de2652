"""Access control decides as an oracle that asks for each node alone: `vault_oracle`."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datastore.vault_oracle import ME, SCHEMA, Oracle, mixed, nodes, random_rules, random_tree, reordered

from sdqkd.datastore.nacm import Rights
from sdqkd.datastore.nacm_rules import Access, AccessRules, Rule, RuleList
from sdqkd.errors import RpcError
from sdqkd.schema.path import format_path
from sdqkd.schema.rule_path import RuleStep
from sdqkd.schema.tree import Container, Entries, walk

CHANCE = st.integers(0, 2**32).map(Random)


@settings(max_examples=600, deadline=None)
@given(CHANCE)
def test_pruning_leaves_what_the_oracle_shows(rng: Random) -> None:
    rules, tree = random_rules(rng), random_tree(rng)
    oracle, pruned = Oracle(rules), Rights(SCHEMA, rules, ME).readable(tree)
    assert list(nodes(pruned)) == [(path, value) for path, value in nodes(tree) if oracle.shows(path)]
    assert all(node != Container({}) for path, node in walk(pruned) if path[-1] != "safe")
    if len(list(nodes(pruned))) == len(list(nodes(tree))):
        assert pruned is tree


@settings(max_examples=600, deadline=None)
@given(CHANCE)
def test_an_edit_is_allowed_if_the_oracle_allows_each_node(rng: Random) -> None:
    rules, old = random_rules(rng), random_tree(rng)
    new = mixed(old, random_tree(rng), rng) if rng.random() < 0.7 else reordered(old, rng)
    assert isinstance(new, Container)
    oracle, rights = Oracle(rules), Rights(SCHEMA, rules, ME)
    denied = oracle.denied(old, new)
    if not denied and oracle.allows_order(old, new):
        rights.demand_change(old, new)
        return
    with pytest.raises(RpcError) as refused:
        rights.demand_change(old, new)
    assert refused.value.tag == "access-denied"
    # An access to what is there must not betray more of its path than the user may read.
    shown = {
        format_path(path if access == "create" else rights.readable_part(path), SCHEMA) for access, path in denied
    }
    assert not denied or (refused.value.path or "/") in shown


@settings(max_examples=200, deadline=None)
@given(CHANCE)
def test_single_questions_get_the_oracles_answers(rng: Random) -> None:
    rules, tree = random_rules(rng), random_tree(rng)
    oracle, rights = Oracle(rules), Rights(SCHEMA, rules, ME)
    for path, _ in nodes(tree):
        assert rights.may_read(path) is oracle.shows(path)
        for access in ("create", "update", "delete"):
            assert rights.may_write(access, path) is oracle.permits(access, path)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(["ana", "b", "c", "d"]), unique=True), st.booleans(), st.permutations("abcde"))
def test_what_may_not_be_updated_keeps_its_order(named: list[str], write: bool, order: list[str]) -> None:
    names = ["ana", "b", "c", "d", "e"]
    box, key = RuleStep("vault", "box"), "name"
    path = (RuleStep("vault", "vault"), RuleStep("vault", "shelf"))
    update: frozenset[Access] = frozenset({"update"})
    rules = [Rule("data", "*", update, not write, path=(*path, replace(box, keys=((key, one),)))) for one in named]
    access = AccessRules(
        write=write, groups={"g": frozenset({ME})}, rule_lists=(RuleList(frozenset("g"), tuple(rules)),)
    )
    old, new = (shelf_of(one) for one in (names, [names["abcde".index(letter)] for letter in order]))
    if Oracle(access).allows_order(old, new):
        Rights(SCHEMA, access, ME).demand_change(old, new)
    else:
        with pytest.raises(RpcError, match="may not update"):
            Rights(SCHEMA, access, ME).demand_change(old, new)


def shelf_of(names: list[str]) -> Container:
    """A shelf with boxes in this order."""
    boxes = Entries({(name,): Container({"name": name}) for name in names})
    shelf = Container({"row": "1", "place": "b", "box": boxes})
    return Container({"vault:vault": Container({"shelf": Entries({("1", "b"): shelf})})})
