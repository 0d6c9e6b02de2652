"""What is judged of a change is enough: the verdict is that of libyang on the whole tree."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schema.random_models import edited, random_schema

from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.validate import Validator

EDITS = 40


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_a_change_is_judged_as_the_whole_tree_is(seed: int) -> None:
    compare(seed)


def compare(seed: int) -> tuple[int, int]:
    """Edit at random; how often both judged, and how often what they judged was right."""
    schema = random_schema(seed)
    if schema is None:
        return 0, 0
    rng = Random(seed + 1)
    validator = Validator(schema)
    tree, right, judged = EMPTY, 0, 0
    for _ in range(EDITS):
        proposed = tree
        for _ in range(rng.choice([1, 1, 2, 4])):
            proposed = edited(schema.data, proposed, rng)
        settled, refused = settle(validator, tree, proposed)
        fresh = Validator(schema)
        assert (settled, refused) == settle(fresh, tree, proposed)
        judged += 1
        if refused or verdict(Validator(schema), settled) != verdict(validator, settled):
            assert refused, f"seed {seed}"
            continue
        if not verdict(fresh, settled):
            tree = settled
            right += 1
    return judged, right


def settle(validator: Validator, before: Container, after: Container) -> tuple[Container, str]:
    try:
        return validator.settle(before, after), ""
    except RpcError as error:
        return after, f"{error.tag} {error.path} {error.message}"


def verdict(validator: Validator, tree: Container) -> list[str]:
    try:
        validator.check(tree)
    except RpcErrors as errors:
        return sorted(said(error) for error in errors.errors)
    except RpcError as error:
        return [said(error)]
    return []


def said(error: RpcError) -> str:
    return f"{error.tag} {error.app_tag} {error.path} {error.message}"
