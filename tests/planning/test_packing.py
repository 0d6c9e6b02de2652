"""What runs together: exact against all subsets, and what fast choices promise."""

from __future__ import annotations

from itertools import chain, combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from sdqkd.planning.packing import Packing, Row

COUNT = 7

_rows = st.builds(
    lambda options, most: Row(tuple(sorted(options)), most),
    st.sets(st.integers(0, COUNT - 1), min_size=1, max_size=COUNT),
    st.integers(0, 3),
)
packings = st.builds(lambda rows: Packing(COUNT, tuple(rows)), st.lists(_rows, max_size=6))
worths = st.lists(st.integers(0, 50).map(float), min_size=COUNT, max_size=COUNT)


def best_of_all(packing: Packing, values: list[float]) -> float:
    subsets = chain.from_iterable(combinations(range(COUNT), size) for size in range(COUNT + 1))
    return max(sum(values[one] for one in subset) for subset in subsets if _keeps(packing, subset))


def _keeps(packing: Packing, subset: tuple[int, ...]) -> bool:
    return all(sum(one in row.options for one in subset) <= row.most for row in packing.rows)


@settings(max_examples=60, deadline=None)
@given(packings, worths)
def test_best_is_the_best_of_all_subsets(packing: Packing, values: list[float]) -> None:
    choice = packing.best(values)
    best = best_of_all(packing, values)
    assert abs(choice.value - best) < 1e-6
    assert abs(choice.bound - best) < 1e-6
    assert _keeps(packing, choice.chosen)


@settings(max_examples=60, deadline=None)
@given(packings, worths)
def test_good_keeps_the_rules_and_its_bound_holds(packing: Packing, values: list[float]) -> None:
    choice = packing.good(values)
    assert _keeps(packing, choice.chosen)
    assert packing.allows(choice.chosen)
    assert abs(choice.value - sum(values[one] for one in choice.chosen)) < 1e-6
    assert choice.value <= best_of_all(packing, values) + 1e-6 <= choice.bound + 2e-6


@given(packings, worths, st.integers(0, COUNT - 1))
def test_blockers_make_room(packing: Packing, values: list[float], option: int) -> None:
    chosen = packing.first_fit(range(COUNT)) - {option}
    gone = packing.blockers(option, chosen)
    closed = any(row.most == 0 and option in row.options for row in packing.rows)
    assert closed or packing.allows([*(chosen - gone), option])


def test_nothing_to_choose_from() -> None:
    assert Packing(0, ()).best([]).value == 0
    assert Packing(0, ()).good([]).chosen == ()
