from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.schema.random_trees import SCHEMA, changed, children

from sdqkd.schema.overlay import Overlay
from sdqkd.schema.tree import EMPTY, Container, Entries, Node, merge


@settings(deadline=None, max_examples=80)
@given(seed=st.integers(0, 2**32))
def test_it_is_merge_and_shares_what_did_not_change(seed: int) -> None:
    rng = Random(seed)
    overlay, tree, over = Overlay(SCHEMA), EMPTY, EMPTY
    for _ in range(6):
        tree = changed(tree, rng) if rng.random() < 0.5 else children(SCHEMA.data, rng)
        over = changed(over, rng) if rng.random() < 0.5 else children(SCHEMA.data, rng)
        both = overlay.lay(tree, over)
        assert both == merge(SCHEMA, tree, over)
        assert shares(both, overlay.lay(tree, over))


def shares(first: Node, second: Node) -> bool:
    """Whether all entries of the outermost lists are the same objects."""
    if isinstance(first, Entries) and isinstance(second, Entries):
        keyed = all(isinstance(key, str) for keys in first.entries for key in keys)
        return not keyed or all(entry is second.entries[keys] for keys, entry in first.entries.items())
    if isinstance(first, Container) and isinstance(second, Container):
        return all(shares(node, second.children[name]) for name, node in first.children.items())
    return first == second
