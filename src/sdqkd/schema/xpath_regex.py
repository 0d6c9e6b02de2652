"""Regular expressions of XML Schema (RFC 7950 section 9.4.5), for `re-match` with what a client wrote.

A set of states is followed through the text, so the work is at most text times expression. Python's own `re`
backtracks, and a client could make it run for years.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

from sdqkd.schema.xpath import XPathError

MAX_LENGTH = 1000  # characters
MAX_STATES = 4000
MAX_DEPTH = 40
_MOST_KNOWN = 16
_MOST_REMEMBERED = 20_000
_QUANTIFIER = re.compile(r"[?*+]|\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}", re.ASCII)
_CATEGORY = re.compile(r"\{([LMNPZSC][a-z]?)\}")
_SINGLE = {char: char for char in "\\|.-^?*+{}()[]$"} | {"n": "\n", "r": "\r", "t": "\t"}
_SPACE = frozenset(" \t\n\r")

Admits: TypeAlias = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Choice:
    """One of these."""

    branches: tuple[_Sequence, ...]


@dataclass(frozen=True, slots=True)
class _Sequence:
    """These, one after the other, each at least `least` and at most `most` times (None: any number)."""

    pieces: tuple[tuple[_Choice | Admits, int, int | None], ...]


@dataclass(slots=True)
class _State:
    """Takes a character that it `admits` and goes to the next state; goes to all of `to` for nothing."""

    admits: Admits | None = None
    to: list[int] = field(default_factory=list)


class _Automaton:
    """The states of an expression; a match starts in the first and ends in the last.

    Where a set of states goes with a character is found once and remembered, as far as that does not grow.
    """

    def __init__(self, states: Sequence[_State]) -> None:
        self._states = states
        self._start = self._closure({0})
        self._next: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._remembered = 0  # states in it

    def __len__(self) -> int:
        return len(self._states)

    def matches(self, text: str, spend: Callable[[int], None]) -> bool:
        """Whether the whole text matches."""
        now = self._start
        spend(len(text) >> 2)
        for char in text:
            known = self._next.get((now, char))
            now = self._after(now, char, spend) if known is None else known
            if not now:
                return False
        return len(self._states) - 1 in now

    def _after(self, now: frozenset[int], char: str, spend: Callable[[int], None]) -> frozenset[int]:
        spend(1 + len(now))
        states = self._states
        taken = {at + 1 for at in now if (admits := states[at].admits) is not None and admits(char)}
        self._next[now, char] = after = self._closure(taken)
        self._remembered += len(now) + len(after) + 1
        if self._remembered > _MOST_REMEMBERED:
            self._next.clear()
            self._remembered = 0
        return after

    def _closure(self, found: set[int]) -> frozenset[int]:
        waiting = list(found)
        while waiting:
            new = [to for to in self._states[waiting.pop()].to if to not in found]
            found.update(new)
            waiting += new
        return frozenset(found)


_known: dict[str, _Automaton] = {}


def matches(regex: str, text: str, spend: Callable[[int], None] = lambda steps: None) -> bool:
    """Whether the whole text matches. `spend` hears of the work. Raises XPathError if `regex` is wrong."""
    automaton = _known.get(regex)
    if automaton is None:
        if len(regex) > MAX_LENGTH:
            raise XPathError(f"a regular expression of {len(regex)} characters is too long")
        builder = _Builder()
        builder.choice(_Reader(regex).whole())
        automaton = _Automaton(builder.states)
        spend(2 * len(automaton))
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[regex] = automaton
    return automaton.matches(text, spend)


class _Builder:
    """Makes states, each part's after those of the part before it, so that `+ 1` is always the next."""

    def __init__(self) -> None:
        self.states = [_State()]

    def _next(self) -> int:
        """Begin a state; the one before leads there if it takes no character."""
        if len(self.states) == MAX_STATES:
            raise XPathError("the regular expression is too large")
        self.states.append(_State())
        return len(self.states) - 1

    def _free(self) -> int:
        """The last state, or a new one after it, without a way out yet."""
        last = len(self.states) - 1
        new = self._next()
        self.states[last].to.append(new)
        return new

    def choice(self, choice: _Choice) -> None:
        start, ends = self._free(), []
        for branch in choice.branches:
            self.states[start].to.append(self._next())
            self._sequence(branch)
            ends.append(len(self.states) - 1)
        joined = self._next()
        for end in ends:
            self.states[end].to.append(joined)

    def _sequence(self, sequence: _Sequence) -> None:
        for part, least, most in sequence.pieces:
            for _ in range(least):
                self._part(part)
            if most is None:
                start = self._free()
                self._part(part)
                end = self._free()
                self.states[end].to.append(start)
                self.states[start].to.append(end)
            else:
                self._optional(part, most - least)

    def _optional(self, part: _Choice | Admits, times: int) -> None:
        starts = []
        for _ in range(times):
            starts.append(self._free())
            self._part(part)
        end = self._free()
        for start in starts:
            self.states[start].to.append(end)

    def _part(self, part: _Choice | Admits) -> None:
        if isinstance(part, _Choice):
            self.choice(part)
            return
        self.states[self._free()].admits = part
        self._next()


class _Reader:
    """Recursive descent over the text of an expression."""

    def __init__(self, regex: str) -> None:
        self._regex = regex
        self._at = 0
        self._depth = 0

    def whole(self) -> _Choice:
        """Read all of it."""
        found = self._choice()
        if self._at < len(self._regex):
            self._fail()
        return found

    def _fail(self) -> NoReturn:
        raise XPathError(f"'{self._regex[:80]}' is no regular expression: it is wrong at character {self._at + 1}")

    def _peek(self) -> str:
        return self._regex[self._at : self._at + 1]

    def _take(self, char: str) -> bool:
        found = self._regex.startswith(char, self._at)
        self._at += len(char) * found
        return found

    def _choice(self) -> _Choice:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise XPathError(f"the regular expression is nested more than {MAX_DEPTH} deep")
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        self._depth -= 1
        return _Choice(tuple(branches))

    def _sequence(self) -> _Sequence:
        pieces = []
        while self._peek() not in {"", "|", ")"}:
            part = self._atom()
            least, most = self._quantifier()
            pieces.append((part, least, most))
        return _Sequence(tuple(pieces))

    def _quantifier(self) -> tuple[int, int | None]:
        match = _QUANTIFIER.match(self._regex, self._at)
        if match is None:
            return 1, 1
        if match[1] is None:
            self._at = match.end()
            return {"?": (0, 1), "*": (0, None), "+": (1, None)}[match[0]]
        least = int(match[1])
        most = int(match[3]) if match[3] else (None if match[2] else least)
        if most is not None and most < least:
            self._fail()
        self._at = match.end()
        return least, most

    def _atom(self) -> _Choice | Admits:
        if self._take("("):
            found = self._choice()
            if not self._take(")"):
                self._fail()
            return found
        if self._take("["):
            return self._class()
        if self._take("."):
            return lambda char: char not in "\n\r"
        char = self._peek()
        if char in set("?*+{}]"):
            self._fail()
        if char == "\\":
            return self._escape()
        self._at += 1
        return char.__eq__

    def _escape(self) -> Admits:
        letter = self._regex[self._at + 1 : self._at + 2]
        if letter in {"p", "P"}:
            match = _CATEGORY.match(self._regex, self._at + 2)
            if match is None:
                self._fail()
            self._at = match.end()
            return _category(match[1], negated=letter == "P")
        if letter in _CLASSES:
            self._at += 2
            return _CLASSES[letter]
        return self._character().__eq__

    def _character(self) -> str:
        """One character, or the escape of one."""
        char = self._peek()
        if char != "\\":
            self._at += 1
            return char
        single = _SINGLE.get(self._regex[self._at + 1 : self._at + 2])
        if single is None:
            self._fail()
        self._at += 2
        return single

    def _class(self) -> Admits:
        """The rest of a bracketed class, with what is taken away from it."""
        negated = self._take("^")
        members: list[Admits] = []
        without: Admits | None = None
        while not self._take("]"):
            if members and self._take("-["):
                without = self._class()
                if not self._take("]"):
                    self._fail()
                break
            members.append(self._member())
        if not members:
            self._fail()

        def admits(char: str) -> bool:
            inside = any(member(char) for member in members) is not negated
            return inside and not (without is not None and without(char))

        return admits

    def _member(self) -> Admits:
        """A character, a range, or a class by its escape."""
        start = self._at
        if self._peek() in {"", "["}:
            self._fail()
        if self._peek() == "\\" and self._regex[self._at + 1 : self._at + 2] not in _SINGLE:
            return self._escape()
        low = self._character()
        is_range = self._peek() == "-" and self._regex[self._at + 1 : self._at + 2] not in {"]", "[", ""}
        if not is_range:
            return low.__eq__
        self._at += 1
        high = self._character()
        if high < low:
            self._at = start
            self._fail()
        return lambda char: low <= char <= high


def _category(name: str, *, negated: bool = False) -> Admits:
    return lambda char: unicodedata.category(char).startswith(name) is not negated


def _is_word(char: str) -> bool:
    return unicodedata.category(char)[0] not in "PZC"


def _starts_name(char: str) -> bool:
    return char in ":_" or unicodedata.category(char)[0] == "L"


def _is_name(char: str) -> bool:
    return char in ":_-.·" or unicodedata.category(char)[0] in "LM" or unicodedata.category(char) == "Nd"


def _but(admits: Admits) -> Admits:
    return lambda char: not admits(char)


_POSITIVE: dict[str, Admits] = {
    "d": _category("Nd"),
    "s": _SPACE.__contains__,
    "w": _is_word,
    "i": _starts_name,
    "c": _is_name,
}
_CLASSES = _POSITIVE | {letter.upper(): _but(admits) for letter, admits in _POSITIVE.items()}
