"""Runs cases against a server, one after the other, and says of each what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Literal, TypeAlias

from sdqkd.conformance.bench import Bench, choose, explore, greet
from sdqkd.conformance.case import Case, Section, Step, Target
from sdqkd.conformance.expect import with_prefixes
from sdqkd.conformance.facts import Facts
from sdqkd.conformance.schemas import Library, Warned
from sdqkd.conformance.session import Patience
from sdqkd.conformance.ssh import Login
from sdqkd.conformance.steps import SESSION_ID, Play
from sdqkd.conformance.texts import MissingText, expand
from sdqkd.errors import SdqkdError

Outcome: TypeAlias = Literal["passed", "failed", "skipped", "warning"]
Progress: TypeAlias = Callable[[str, int, int], None]  # what is being done, how many are done, of how many


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case. `reason` says why it failed or was skipped, or what the warning is.

    `killed_by` is the case after which the server did not serve any more.
    """

    case: Case
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    killed_by: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of all cases of a run."""

    peer: str
    target: str
    sections: tuple[Section, ...]
    results: tuple[Result, ...]

    def count(self, outcome: Outcome, section: str | None = None) -> int:
        """How many cases ended so, in all or in one section."""
        mine = (one for one in self.results if section in (None, one.case.section))
        return sum(one.outcome == outcome for one in mine)


@dataclass(frozen=True, slots=True)
class Options:
    """What the person who runs the kit has given."""

    login: Login
    second: Login | None = None
    target: str | None = None
    restart_command: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)


def select(sections: Sequence[Section], patterns: Sequence[str]) -> tuple[Section, ...]:
    """The cases that one of the patterns names: by id, section or RFC (`edit-config/*`, `locks`, `8641`)."""
    if not patterns:
        return tuple(sections)

    def wanted(case: Case) -> bool:
        named = (case.id, case.section, case.rfc)
        return any(fnmatch(name, pattern) for name in named for pattern in (*patterns, *map(_within, patterns)))

    chosen = (Section(one.name, one.title, one.rfc, tuple(filter(wanted, one.cases))) for one in sections)
    return tuple(one for one in chosen if one.cases)


def _within(pattern: str) -> str:
    return f"*RFC {pattern}*"


def run(options: Options, sections: Sequence[Section], targets: tuple[Target, ...], progress: Progress) -> Report:
    """Run the cases. Raises SdqkdError if the server cannot be reached, or not be prepared."""
    bench = prepare(options, targets)
    cases = [case for section in sections for case in section.cases]
    results: list[Result] = []
    try:
        for number, case in enumerate(cases, 1):
            last = results[-1] if results else None
            results.append(_run_after(bench, last, case))
            progress("cases run", number, len(cases))
    finally:
        bench.dismiss()
    return Report(options.login.peer, bench.target.name, tuple(sections), tuple(results))


def _run_after(bench: Bench, last: Result | None, case: Case) -> Result:
    """Run a case; if the one before left a server that does not serve any more, revive it, or fail at once."""
    if last is not None and last.killed_by:
        try:
            bench.revive()
        except SdqkdError as error:
            reason = f"the server does not serve since {last.killed_by}: {error}"
            return Result(case, "failed", reason, killed_by=last.killed_by)
    return run_case(bench, case)


def prepare(options: Options, targets: tuple[Target, ...]) -> Bench:
    """Learn what the server offers and bring it into the state that the cases start from. Raises SdqkdError."""
    session = greet(options.login, options.patience)
    found = explore(session)
    session.drop()
    target = choose(targets, found, options.target)
    given = {"second-user": options.second, "restart-command": options.restart_command}
    named = frozenset(name for name, value in given.items() if value is not None)
    facts = Facts(found.capabilities, found.modules, named, target.name, frozenset(options.settings))
    bench = Bench(
        options.login,
        options.second,
        target,
        facts,
        options.settings,
        options.patience,
        options.restart_command,
        Library(facts),
    )
    bench.prepare()
    return bench


def run_case(bench: Bench, case: Case) -> Result:
    """Run one case and clean up after it. Never raises for what the server does."""
    reason = bench.facts.lacking(case.needs) or _lacking_text(bench, case)
    if reason is not None:
        return Result(case, "skipped", reason)
    start = time.monotonic()
    outcome, reason = _play(bench, case)
    killed_by = ""
    try:
        bench.restore()
    except SdqkdError as error:
        killed_by = case.id
        before = f"{reason}; " if outcome == "failed" else ""
        outcome, reason = "failed", f"{before}afterwards the server cannot be brought back: {error}"
    return Result(case, outcome, reason, time.monotonic() - start, killed_by)


def _play(bench: Bench, case: Case) -> tuple[Outcome, str]:
    play = Play(bench, case)
    outcome: Outcome = "passed"
    reason = ""
    for number, step in enumerate(case.steps, 1):
        try:
            play.do(step)
        except Warned as warning:
            outcome, reason = "warning", str(warning)
        except SdqkdError as error:
            said = with_prefixes(str(error), bench.target.namespaces)
            outcome, reason = "failed", f"step {number} ({step.verb}): {said}"
            break
    for step in case.last:
        _attempt(play, step)
    play.end(good=outcome != "failed")
    return outcome, reason


def _attempt(play: Play, step: Step) -> None:
    try:
        play.do(step)
    except SdqkdError:
        # What a case does in any event only repairs; whether that was enough, the clean-up finds out.
        play.spoil(step.session)


def _lacking_text(bench: Bench, case: Case) -> str | None:
    """Why the target model or the settings are not enough for a case; None if they are."""
    names = {**bench.names(case), **dict(_known(case))}
    try:
        for text in case.texts():
            expand(text, names)
    except MissingText as missing:
        if missing.name.startswith("set."):
            return f"--set {missing.name.removeprefix('set.')}=… is not given"
        return f"the target model {bench.target.name} has no '{missing.name}'"
    return None


def _known(case: Case) -> Iterator[tuple[str, str]]:
    for step in (*case.steps, *case.last):
        for name in step.options.get("save", {}):
            yield str(name), "1"
    for text in case.texts():
        for name in SESSION_ID.findall(text):
            yield name, "1"
