"""The two devices and the host of controllers of one run of the matrix; and what must be true after each point."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.journal_state import TransactionRecord, fold
from sdqkd.transport.keys import make_key_pair

ROOT = Path(__file__).parents[3]
NAMES = ("alfa-transponder", "bravo-transponder")
OLD, NEW = "-3.0", "-2.0"
Job = dict[str, Any]


class BrokenPromise(AssertionError):
    """What the transaction promises is not true after a point."""


def _spawn(module: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"tests.controller.matrix.{module}", *map(str, arguments)]
    pipe = subprocess.PIPE
    # The processes end with their standard input, so none is left behind.
    return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1)


def _line(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args} ended with {process.wait()}")
    return json.loads(line)


@dataclass
class AgentProcess:
    """One device, started again when it dies, at the same port."""

    name: str
    folder: Path
    port: int = 0
    host_key: str = ""
    starts: int = 0
    process: subprocess.Popen[str] = field(init=False)

    def start(self) -> None:
        self.process = _spawn("agents", self.name, self.folder, self.port)
        where = _line(self.process)
        self.port, self.host_key = where["port"], where["host_key"]
        self.starts += 1

    def ask(self, *command: object) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        return _line(self.process)

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


class Site:
    """Everything that runs. Devices hold OLD when a point begins, and NEW is what is wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_key_pair(folder / "noc_key")
        self.agents = {name: AgentProcess(name, folder) for name in NAMES}
        for agent in self.agents.values():
            agent.start()
        self._host = _spawn("host")
        assert _line(self._host) == "ready"
        self._points = 0
        self.state = folder

    def close(self) -> None:
        for agent in self.agents.values():
            agent.stop()
        self._host.kill()
        self._host.communicate()

    def begin(self) -> None:
        """Have both devices hold OLD, and a new state directory."""
        shutil.rmtree(self.state, ignore_errors=True) if self.state != self.folder else None
        self._points += 1
        self.state = self.folder / f"state-{self._points}"
        self.revive()
        for agent in self.agents.values():
            agent.ask("reset")
        (outcome,) = self.run(self.job(power=OLD))
        if outcome["result"] != "done":
            raise RuntimeError(f"no point can begin: {outcome}")

    def job(self, mode: str = "apply", fault: Job | None = None, **terms: Any) -> Job:
        devices = {name: [agent.port, agent.host_key] for name, agent in self.agents.items()}
        given = {"power": NEW, "timeout_s": 30, "patience_s": 6.0, "answer_s": 2.0, "lease_s": 10.0}
        given |= {"mode": mode, "fault": fault, "devices": devices, "noc_key": str(self.folder / "noc_key")}
        given |= {"state": str(self.state), "outcome": str(self.folder / f"outcome-{os.urandom(4).hex()}")}
        given |= {"early": str(self.folder / "early")}
        return given | terms

    def run(self, *jobs: Job) -> list[Job]:
        """What became of jobs that run at the same time; agents that die meanwhile are started again."""
        self.send(*jobs)
        return self.wait()

    def send(self, *jobs: Job) -> None:
        assert self._host.stdin is not None
        self._host.stdin.write(json.dumps(jobs) + "\n")

    def wait(self) -> list[Job]:
        assert self._host.stdout is not None
        while not select.select([self._host.stdout], [], [], 0.02)[0]:
            self.revive()
        outcomes: list[Job] = _line(self._host)
        self.revive()
        self._demand_journal_first(outcomes)
        return outcomes

    def _demand_journal_first(self, outcomes: list[Job]) -> None:
        early = self.folder / "early"
        if early.exists():
            told = early.read_text("utf-8")
            early.unlink()
            raise BrokenPromise(f"sent before it was in the journal: {told}{outcomes}")

    def revive(self) -> None:
        for agent in self.agents.values():
            if agent.process.poll() is not None:
                agent.process.communicate()
                agent.start()

    def shown(self) -> dict[str, Job]:
        return {name: agent.ask("show") for name, agent in self.agents.items()}

    def transactions(self) -> list[TransactionRecord]:
        """All but the one that brought the devices to OLD."""
        journal = SqliteJournal(self.state, "two-sites")
        try:
            return list(fold(journal.entries()).values())[1:]
        finally:
            journal.close()

    def judge(self, outcome: Job) -> str:
        """The oracle: `new`, `old`, or `in doubt`. Raises BrokenPromise.

        All devices old or all new; or reported in doubt, each device that is not as the others named with what it
        holds; and the record of the controller is what is read from the devices. That what is sent to a device was
        in the journal before is seen by `witness` at each RPC, and demanded after each run.
        """
        shown = self.shown()
        powers = {name: one["power"] for name, one in shown.items()}
        story = f"{outcome['result']}: {outcome.get('message')}\n devices: {shown}"
        if outcome["result"] == "InDoubtError":
            return self._judge_doubt(outcome, powers, story)
        demand(len(set(powers.values())) == 1, f"devices differ, and nobody says so: {story}")
        for name, one in shown.items():
            demand(not (one["dirty"] or one["locks"] or one["pending"]), f"{name} is not left in order: {story}")
        power = powers[NAMES[0]]
        for record in self.transactions():
            demand(not record.is_open, f"the journal is open: {record} {story}")
        self._compare_record(shown, story)
        demand(power in (OLD, NEW), f"neither old nor new: {story}")
        return "new" if power == NEW else "old"

    def _judge_doubt(self, outcome: Job, powers: dict[str, str], story: str) -> str:
        (record,) = [record for record in self.transactions() if record.is_open]
        demand(record.in_doubt.keys() == outcome["left"].keys(), f"others are in doubt in the journal: {story}")
        certain = {powers[name] for name in powers if name not in record.in_doubt}
        wanted = NEW if record.verdict == "CONFIRM" else OLD
        demand(certain <= {wanted}, f"a device that is not in doubt is not as decided: {story}")
        for name, holds in record.in_doubt.items():
            said = {NEW: "the new configuration", OLD: "the old configuration"}.get(powers[name], "neither")
            demand(holds.startswith((said, "not known")), f"{name} holds something else than is said: {story}")
        return "in doubt"

    def _compare_record(self, shown: dict[str, Job], story: str) -> None:
        ended = [record for record in self.transactions() if record.outcome in ("done", "rolled back")]
        for name, device in ended[-1].devices.items() if ended else ():
            if device.read_back:
                same = device.digest == shown[name]["digest"]
                demand(same, f"{name} holds something else than the journal says: {story}")


def demand(holds: bool, message: str) -> None:
    if not holds:
        raise BrokenPromise(message)
