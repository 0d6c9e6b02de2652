from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.schema.random_trees import SCHEMA, changed, children

from sdqkd.schema.size import growth_bytes, size_bytes
from sdqkd.schema.tree import EMPTY
from sdqkd.schema.xml import encode


@given(seed=st.integers(min_value=0))
def test_what_grows_is_the_difference_of_the_sizes(seed: int) -> None:
    rng = Random(seed)
    old = children(SCHEMA.data, rng)
    for new in (changed(old, rng), children(SCHEMA.data, rng), EMPTY, old):
        assert growth_bytes(old, new) == size_bytes(new) - size_bytes(old)


@given(seed=st.integers(min_value=0))
def test_the_size_is_roughly_that_of_the_text(seed: int) -> None:
    tree = children(SCHEMA.data, Random(seed))
    assert size_bytes(tree) / 4 <= len(encode(SCHEMA, tree)) <= 4 * size_bytes(tree)
