"""The gate that watches links and channels while a change is on trial: it reads, `health` judges.

    baseline    what both ends of every link in the footprint report before anything is written
    judge       reads again and again. What the change makes has to come up in time; then the soak begins.
                Whatever falls short of the limits on the way ends the trial at once

A device that cannot be read ends it too: nobody would know what became of the links.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sdqkd.controller.affected import Links, affected_channels, affected_links
from sdqkd.controller.clock import Clock
from sdqkd.controller.fleet import LIMIT
from sdqkd.controller.gate import GateRefusedError, Trial
from sdqkd.controller.health import Finding, Watched, channel_findings, link_findings, unreadable
from sdqkd.controller.readings import ChannelReading, LinkReading, channel_reading, link_reading
from sdqkd.errors import SdqkdError
from sdqkd.network.model import Network
from sdqkd.profiles.profile import load_profiles
from sdqkd.schema.tree import Container

SHOWN = 3  # links and channels in the message; the report in JSON has all findings
_PAUSE_S = 1.0  # between two looks
_REST = 4  # pauses are so many times as long as a look takes, if that is longer


class HealthRefusedError(GateRefusedError):
    """Links or channels that a change harms, or does not bring up."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        subjects = dict.fromkeys(finding.subject for finding in findings)
        told = [_told([one for one in findings if one.subject == subject]) for subject in [*subjects][:SHOWN]]
        more = [f"and {len(subjects) - SHOWN} more"] if len(subjects) > SHOWN else []
        super().__init__("the network does not bear it: " + "; ".join(told + more))
        self.findings = tuple(findings)

    def to_json(self) -> list[dict[str, Any]]:
        """All findings as JSON objects."""
        return [finding.to_json() for finding in self.findings]


def _told(findings: Sequence[Finding]) -> str:
    """All about one link or channel: the first finding in full, what else is wrong and where else in a word."""
    first = findings[0]
    quantities = dict.fromkeys(one.quantity for one in findings if one.quantity != first.quantity)
    ends = dict.fromkeys(one.end for one in findings if one.end != first.end)
    also = [", ".join(quantities)] * bool(quantities) + [f"at {', '.join(ends)}"] * bool(ends)
    return f"{first} (also: {', and '.join(also)})" if also else str(first)


Memory = dict[tuple[str, str], LinkReading]  # by link and device


@dataclass(frozen=True, slots=True)
class _Look:
    """What everybody reported at one time: by name of the link or channel, by device."""

    links: Mapping[str, Mapping[str, LinkReading | None]] = field(default_factory=dict)
    channels: Mapping[str, Mapping[str, ChannelReading | None]] = field(default_factory=dict)


class HealthGate:
    """Watches one change; use it once."""

    def __init__(
        self,
        network: Network,
        clock: Clock,
        on_look: Callable[[str], None] = lambda what: None,
        remembered: Memory | None = None,
    ) -> None:
        """`on_look` is told, for people, what is being waited for.

        `remembered`, empty at first, is shared by the gates of a change in stages: what links did before the first
        of them. They may do better in between, and need not keep that up.
        """
        self._network = network
        self._clock = clock
        self._on_look = on_look
        self._links: Links = {}
        self._channels: Mapping[str, Watched] = {}
        self._before = _Look()
        self._remembered = {} if remembered is None else remembered

    async def baseline(self, trial: Trial) -> None:
        """See what links and channels do before the change. Raises GateRefusedError if that cannot be read."""
        self._links = affected_links(trial.plan, trial.footprint, self._network, load_profiles())
        self._channels = affected_channels(trial.plan, trial.footprint, self._network)
        self._before = self._recalled(await self._look(trial))
        missing = [
            finding
            for name, (_, watched) in self._links.items()
            for finding in unreadable(watched, self._before.links[name])
        ]
        if missing:
            raise HealthRefusedError(missing)

    async def judge(self, trial: Trial) -> None:
        """Return when everything is up and has kept to its limits for the soak. Raises GateRefusedError."""
        soak_s = max((watched.limits.soak_s for watched in self._watched), default=0)
        began_s = self._clock.now_s()
        arrived: set[str] = set()
        up_since_s: float | None = None
        while True:
            look_s = self._clock.now_s()
            waiting, wrong = self._judged(await self._look(trial), arrived, look_s - began_s)
            if wrong:
                raise HealthRefusedError(wrong)
            now_s = self._clock.now_s()
            if waiting:
                up_since_s = None
            elif up_since_s is None:
                up_since_s = look_s
            left_s = soak_s if up_since_s is None else soak_s - (now_s - up_since_s)
            if left_s <= 0:
                return
            self._on_look(f"waiting for {len(waiting)} to come up" if waiting else f"watching for {left_s:.0f} s")
            pause_s = max(_PAUSE_S, _REST * (now_s - look_s))
            await self._clock.sleep(pause_s if waiting else min(pause_s, left_s))

    @property
    def _watched(self) -> list[Watched]:
        return [*(watched for _, watched in self._links.values()), *self._channels.values()]

    def _judged(self, now: _Look, arrived: set[str], elapsed_s: float) -> tuple[list[str], list[Finding]]:
        """What still has time to come up, and what is wrong. Notes in `arrived` what has come up."""
        waiting: list[str] = []
        wrong: list[Finding] = []
        for watched, findings in self._findings(now):
            if not findings:
                arrived.add(watched.subject)
            elif watched.made and watched.subject not in arrived and elapsed_s < watched.acquisition_s:
                waiting.append(watched.subject)
            else:
                wrong += findings
        return waiting, wrong

    def _findings(self, now: _Look) -> list[tuple[Watched, list[Finding]]]:
        before = self._before
        links = [
            (watched, [*link_findings(watched, before.links[name], now.links[name])])
            for name, (_, watched) in self._links.items()
        ]
        channels = [
            (watched, [*channel_findings(watched, before.channels[name], now.channels[name])])
            for name, watched in self._channels.items()
        ]
        return links + channels

    def _recalled(self, look: _Look) -> _Look:
        """What is seen before this stage, or was before the first one where that was less."""
        links = {
            name: {end: self._lesser((name, end), reading) for end, reading in ends.items()}
            for name, ends in look.links.items()
        }
        return _Look(links, look.channels)

    def _lesser(self, place: tuple[str, str], now: LinkReading | None) -> LinkReading | None:
        known = self._remembered.get(place)
        if now is None or not now.key_rate_bps:
            return now
        if known is None:
            known = self._remembered[place] = now
        return known if (known.key_rate_bps or 0) < now.key_rate_bps else now

    async def _look(self, trial: Trial) -> _Look:
        """Read every end once. Raises GateRefusedError if one cannot be read."""
        devices = sorted({end for watched in self._watched for end in watched.ends})
        slots = asyncio.Semaphore(LIMIT)

        async def read(name: str) -> Container:
            async with slots:
                try:
                    return await (await trial.session(name)).get()
                except SdqkdError as error:
                    reason = str(error).removeprefix(f"{name}: ")
                    message = f"{name} cannot be read, so nobody knows what became of its links: {reason}"
                    raise GateRefusedError(message) from None

        trees = dict(zip(devices, await _all([read(name) for name in devices]), strict=True))
        return _Look(
            {
                name: {
                    end.device: link_reading(trees[end.device], link.link_id, end.interface)
                    for end in (link.transmitter, link.receiver)
                }
                for name, (link, _) in self._links.items()
            },
            {
                name: {end: channel_reading(trees[end], name) for end in one.ends}
                for name, one in self._channels.items()
            },
        )


async def _all(reads: Sequence[Coroutine[Any, Any, Container]]) -> list[Container]:
    """What all of them give; the first failure, when all have ended."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]
