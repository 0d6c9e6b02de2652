"""Which options can run together, and which of them are worth the most.

Every rule is a row: of these options at most so many. Solved exactly as an integer program (HiGHS), or fast: the
program without integrality gives a bound and a hint, a greedy choice follows the hint, and exchanges mend it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from sdqkd.planning.forecast import Option
from sdqkd.planning.spectrum import Rules

MAX_ROUNDS = 20  # of exchanges
GAIN = 1e-9  # that counts as one


class Row(NamedTuple):
    """Of these options, by index, at most so many run together."""

    options: tuple[int, ...]
    most: int


class Choice(NamedTuple):
    """Options, by index in order, what they are worth, and what no choice can exceed."""

    chosen: tuple[int, ...]
    value: float
    bound: float


@dataclass(frozen=True)
class Packing:
    """`count` options under rules."""

    count: int
    rows: tuple[Row, ...]

    @cached_property
    def rows_of(self) -> tuple[tuple[int, ...], ...]:
        """The rows that each option is in."""
        found: list[list[int]] = [[] for _ in range(self.count)]
        for number, row in enumerate(self.rows):
            for option in row.options:
                found[option].append(number)
        return tuple(map(tuple, found))

    def _program(self) -> Any:
        """The rows as a constraint of SciPy."""
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array

        places = [(number, option) for number, row in enumerate(self.rows) for option in row.options]
        if not places:
            return ()
        rows, columns = zip(*places, strict=True)
        shape = (len(self.rows), self.count)
        matrix = csr_array(([1.0] * len(places), (rows, columns)), shape=shape)
        return LinearConstraint(matrix, ub=[float(row.most) for row in self.rows])

    def best(self, values: Sequence[float], time_s: float | None = None) -> Choice:
        """The choice of the most value; if the time is over, the best that was found, with its bound."""
        if not self.count:
            return Choice((), 0.0, 0.0)
        from scipy.optimize import Bounds, milp

        options: dict[str, Any] = {"mip_rel_gap": 0.0} | ({} if time_s is None else {"time_limit": time_s})
        found = milp(
            [-value for value in values],
            integrality=[1] * self.count,
            bounds=Bounds(0, 1),
            constraints=self._program(),
            options=options,
        )
        if found.x is None:
            return self.good(values)
        chosen = tuple(index for index, share in enumerate(found.x) if share > 0.5)
        bound = (
            sum(map(max, values, [0.0] * self.count)) if found.mip_dual_bound is None else -found.mip_dual_bound
        )
        return Choice(chosen, sum(values[index] for index in chosen), max(bound, sum(values[i] for i in chosen)))

    def good(self, values: Sequence[float]) -> Choice:
        """A choice that is good and found fast, with the bound of the linear program."""
        shares, bound = self.relaxed(values)
        order = sorted(range(self.count), key=lambda index: (-shares[index], -values[index], index))
        trial = _Trial(self, values)
        trial.fill(order)
        for _ in range(MAX_ROUNDS):
            gains = sum(trial.exchange(option) for option in order if option not in trial.chosen)
            if not gains:
                break
        return Choice(tuple(sorted(trial.chosen)), trial.value, max(bound, trial.value))

    def relaxed(self, values: Sequence[float]) -> tuple[Sequence[float], float]:
        """The linear program: shares of the options, and its value, which no choice exceeds."""
        if not self.count:
            return (), 0.0
        from scipy.optimize import Bounds, milp

        found = milp([-value for value in values], bounds=Bounds(0, 1), constraints=self._program())
        return tuple(map(float, found.x)), -float(found.fun)

    def first_fit(self, order: Iterable[int]) -> set[int]:
        """Take options in this order, each if the rules still allow it."""
        trial = _Trial(self, [0.0] * self.count)
        trial.fill(order)
        return trial.chosen

    def allows(self, chosen: Iterable[int]) -> bool:
        """Whether these options can run together."""
        wanted = list(chosen)
        return len(self.first_fit(wanted)) == len(wanted)

    def beside(self, fixed: Collection[int]) -> Packing:
        """The rules of the rest while these options run; they themselves are chosen no more.

        Where they break a rule already nothing is added.
        """
        rows = []
        for row in self.rows:
            rest = tuple(option for option in row.options if option not in fixed)
            if rest:
                rows.append(Row(rest, max(0, row.most - (len(row.options) - len(rest)))))
        return Packing(self.count, (*rows, *(Row((option,), 0) for option in fixed)))

    def blockers(self, option: int, chosen: set[int]) -> set[int]:
        """Chosen options that have to go for this one: of each full row the first ones."""
        gone: set[int] = set()
        for row in self.rows_of[option]:
            there = [one for one in self.rows[row].options if one in chosen and one not in gone]
            gone.update(there[: max(0, len(there) + 1 - self.rows[row].most)])
        return gone


class _Trial:
    """A choice that is changed step by step, and always keeps the rules."""

    def __init__(self, packing: Packing, values: Sequence[float]) -> None:
        self.chosen: set[int] = set()
        self._packing = packing
        self._values = values
        self._used = [0] * len(packing.rows)

    @property
    def value(self) -> float:
        return sum(self._values[option] for option in self.chosen)

    def fill(self, order: Iterable[int]) -> list[int]:
        """Take these as far as the rules allow; which were taken."""
        rows, used = self._packing.rows, self._used
        taken = []
        for option in order:
            own = self._packing.rows_of[option]
            if option not in self.chosen and all(used[row] < rows[row].most for row in own):
                self._count(option, 1)
                self.chosen.add(option)
                taken.append(option)
        return taken

    def exchange(self, option: int) -> bool:
        """Take an option for those in its way, and fill what room they leave; undo it if nothing is gained."""
        gone = sorted(self._packing.blockers(option, self.chosen))
        self._drop(gone)
        come = self.fill([option, *self._near(gone)])
        gain = sum(self._values[one] for one in come) - sum(self._values[one] for one in gone)
        if gain > GAIN:
            return True
        self._drop(come)
        self.fill(gone)
        return False

    def _near(self, gone: Iterable[int]) -> list[int]:
        """What shares a rule with those gone, the most worth first."""
        rows = self._packing.rows
        near = {other for one in gone for row in self._packing.rows_of[one] for other in rows[row].options}
        return sorted(near, key=lambda index: (-self._values[index], index))

    def _drop(self, options: Iterable[int]) -> None:
        for option in options:
            self._count(option, -1)
            self.chosen.remove(option)

    def _count(self, option: int, by: int) -> None:
        for row in self._packing.rows_of[option]:
            self._used[row] += by


def packing_of(
    options: Sequence[Option],
    keys: Sequence[Hashable],
    rules: Rules,
    held: Mapping[str, int] = MappingProxyType({}),
) -> Packing:
    """The rules of options: one for a key, a module, a port of a switch; spacing and number on each fibre.

    `held` is how many quantum channels a fibre has beside these.
    """
    groups: dict[Hashable, list[int]] = defaultdict(list)
    by_fibre: dict[str, list[int]] = defaultdict(list)
    for index, (option, key) in enumerate(zip(options, keys, strict=True)):
        groups["key", key].append(index)
        for place in (option.transmitter, option.receiver, *option.ports):
            groups[place].append(index)
        for fibre in option.path.fibres:
            by_fibre[fibre].append(index)
    rows = {Row(tuple(group), 1) for group in groups.values() if len(group) > 1}
    for fibre, group in by_fibre.items():
        here = rules.in_(fibre)
        room = max(0, here.per_fibre - held.get(fibre, 0))
        rows.update(Row(clique, 1) for clique in _too_close(options, group, here.spacing_hz) if len(clique) > 1)
        if len(group) > room:
            rows.add(Row(tuple(group), room))
    return Packing(len(options), tuple(sorted(rows)))


def _too_close(options: Sequence[Option], group: Sequence[int], spacing_hz: int) -> Iterator[tuple[int, ...]]:
    """Sets of options no two of which keep their distance: those within one spacing from each frequency up."""
    for lowest in sorted({options[index].frequency_hz for index in group}):
        width = max(spacing_hz, 1)
        yield tuple(index for index in group if 0 <= options[index].frequency_hz - lowest < width)
