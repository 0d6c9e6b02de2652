"""Runs real controllers, each in a process of its own, with a fault at one point of what they do.

    python -m tests.controller.matrix.host

Everything is imported once and then forked, which makes so many points affordable. Jobs come on stdin, a JSON list
a line: those of one line run at the same time. The answer is a line with what became of each.
The product has no hook for this: faults sit in the `Journal` and the `Connector` that a controller is given.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import resource
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.controller.matrix.agents import NETWORK
from tests.controller.matrix.witness import Witness

from sdqkd.controller.clock import SystemClock
from sdqkd.controller.connect import Dialler
from sdqkd.controller.controller import Controller
from sdqkd.controller.gate import OpenGate
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.journal import Lease, Record, Remark
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.controller.part import Terms
from sdqkd.controller.session import Timeouts
from sdqkd.errors import ApplyError, JournalError, SdqkdError, UnreachableError
from sdqkd.network.model import Device, Endpoint
from sdqkd.transport.links import Link, Receiver

_OPERATION = re.compile(rb"<rpc[^>]*><([a-z-]+)")
Job = dict[str, Any]


class Fault:
    """One fault, and the counters that say when it is due.

    A fault is {"kind", "what": "journal" or "rpc", "at": number, "when": "before", "after" or "answered"}, with
    "device" where it is one device's.
    """

    def __init__(self, fault: Job | None, wal: Path, witness: Witness) -> None:
        self.fault = fault or {}
        self.witness = witness
        self.flush: str | None = (
            None  # how flushing fails: `kept` or `lost` bytes, `late` for a controller that lies
        )
        self.counts = {"journal": 0, "rpc": 0}
        self.answers = 0
        self.by_device: dict[str, int] = {}
        self.operations: list[str] = []
        self.wal = wal
        self.cut: dict[str, float] = {}  # until when a device is cut off
        self.links: dict[str, Link] = {}
        self.ahead_s = 0.0

    def due(self, what: str, when: str, number: int, device: str = "") -> bool:
        """Whether this is the point; faults that end the process never return."""
        fault = self.fault
        if fault.get("device", device) != device or fault.get("what") != what:
            return False
        if (fault["at"], fault["when"]) != (number, when):
            return False
        self.strike(device)
        return True

    def strike(self, device: str) -> None:
        kind = self.fault["kind"]
        if kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif kind == "kill-agent":
            os.kill(self.fault["pid"], signal.SIGKILL)
        elif kind == "hang-up":
            self.links[device].close()
        elif kind == "cut":
            self.cut[device] = asyncio.get_running_loop().time() + self.fault["seconds"]
        elif kind == "clock":
            self.ahead_s = self.fault["seconds"]
        elif kind == "flush":
            self.flush = self.fault["bytes"]
        elif kind == "disk-full":
            size = self.wal.stat().st_size if self.wal.exists() else 0
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def is_cut(self, device: str) -> bool:
        return asyncio.get_running_loop().time() < self.cut.get(device, 0.0)


class FaultyLease:
    """A lease whose writes are counted."""

    def __init__(self, lease: Lease, fault: Fault) -> None:
        self.epoch, self.demand, self.renew, self.release = lease.epoch, lease.demand, lease.renew, lease.release
        self._lease, self._fault = lease, fault
        self._late: list[Record] = []

    def append(self, *records: Record) -> None:
        number = self._fault.counts["journal"] = self._fault.counts["journal"] + 1
        self._fault.due("journal", "before", number)
        try:
            self._append(records)
        except JournalError:
            self._fault.witness.excused = True
            raise
        self._fault.due("journal", "after", number)

    def _append(self, records: Sequence[Record]) -> None:
        how, fault = self._fault.flush, self._fault
        if how == "late":
            self._late, fault.flush = [*records], "again in time"
            return
        if how == "kept":
            # They are in the file, and it is not known for how long. Nothing else gets there any more.
            self._lease.append(*records)
            fault.flush = "lost"
        if how in ("kept", "lost"):
            raise JournalError("the journal cannot be used: disk I/O error")
        self._lease.append(*self._late, *records)
        self._late = []


class FaultyJournal:
    """A journal whose writes are counted."""

    def __init__(self, journal: SqliteJournal, fault: Fault) -> None:
        self.network, self.entries, self.close = journal.network, journal.entries, journal.close
        self._journal, self._fault = journal, fault

    def remark(self, remark: Remark) -> None:
        self._journal.remark(remark)

    def take(self, holder: str) -> Lease:
        self._fault.witness.synchronous = self._journal._pragma("synchronous")
        return FaultyLease(self._journal.take(holder), self._fault)


class FaultyLink:
    """The controller's end of a link. One that is cut loses what it is given, and its end as well."""

    def __init__(self, link: Link, device: str, fault: Fault) -> None:
        self.username, self.peer = link.username, link.peer
        self.pause_reading, self.resume_reading = link.pause_reading, link.resume_reading
        self._link, self._device, self._fault = link, device, fault

    def write(self, data: bytes) -> None:
        fault, found = self._fault, _OPERATION.search(data)
        if found is None:
            return self._pass_on(data)
        number = fault.counts["rpc"] = fault.counts["rpc"] + 1
        own = fault.by_device[self._device] = fault.by_device.get(self._device, 0) + 1
        fault.operations.append(f"{self._device} {found[1].decode()}")
        fault.witness.hear(self._device, data)
        at = own if "device" in fault.fault else number
        fault.due("rpc", "before", at, self._device)
        self._pass_on(data)
        fault.due("rpc", "after", at, self._device)
        return None

    def _pass_on(self, data: bytes) -> None:
        if not self._fault.is_cut(self._device):
            self._link.write(data)

    def close(self) -> None:
        if not self._fault.is_cut(self._device):
            self._link.close()


class FaultyReceiver:
    """The controller's receiver: what a device says may not reach it."""

    def __init__(self, inner: Receiver, device: str, fault: Fault) -> None:
        self._inner, self._device, self._fault = inner, device, fault

    def link_made(self, link: Link) -> None:
        self._fault.links[self._device] = link
        self._fault.witness.forget(self._device)
        self._inner.link_made(FaultyLink(link, self._device, self._fault))

    def data_received(self, data: bytes) -> None:
        fault = self._fault
        if b"<rpc-reply" in data:
            fault.answers += 1
            fault.due("rpc", "answered", fault.answers, self._device)
        if not fault.is_cut(self._device):
            self._inner.data_received(data)

    def link_lost(self, error: Exception | None) -> None:
        if not self._fault.is_cut(self._device):
            self._inner.link_lost(error)


class FaultyConnector:
    """Dials over real SSH."""

    def __init__(self, fault: Fault) -> None:
        self._real, self._fault = Dialler(timeout_s=2.0), fault

    async def open(self, device: Device, receiver: Receiver) -> Link:
        if self._fault.is_cut(device.name):
            raise UnreachableError(device.name, "it is cut off")
        return await self._real.open(device, FaultyReceiver(receiver, device.name, self._fault))


class JumpingClock(SystemClock):
    """A clock whose time of day jumps."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def wall(self) -> datetime:
        return super().wall() + timedelta(seconds=self._fault.ahead_s)


def network_of(job: Job) -> LoadedNetwork:
    """The network with the wanted power, its devices being where the job says."""
    text = NETWORK.read_text("utf-8").replace("launch-power-dbm: -3", f"launch-power-dbm: {job['power']}")
    loaded = load_network(text, "network.yaml")
    devices = {
        name: dataclasses.replace(
            device, management=Endpoint("127.0.0.1", *job["devices"][name], "noc", job["noc_key"])
        )
        for name, device in loaded.network.devices.items()
    }
    return dataclasses.replace(loaded, network=dataclasses.replace(loaded.network, devices=devices))


async def work(job: Job, fault: Fault) -> Job:
    """Recover and apply, as `sdqkd apply` does; with `mode` recover, no more than that."""
    loaded = network_of(job)
    terms = Terms(timeout_s=job["timeout_s"], patience_s=job["patience_s"])
    timeouts = Timeouts(hello_s=job["answer_s"], answer_s=job["answer_s"])
    with closing(SqliteJournal(Path(job["state"]), loaded.network.name, lease_s=job["lease_s"])) as real:
        journal, connector, clock = FaultyJournal(real, fault), FaultyConnector(fault), JumpingClock(fault)
        async with Controller(
            loaded, connector, timeouts=timeouts, journal=journal, terms=terms, clock=clock
        ) as controller:
            recovered = await controller.recover()
            left = {name: doubt.holds for one in recovered for name, doubt in one.doubts.items()}
            if left:
                return {"result": "InDoubtError", "message": "recovered", "left": left}
            if job["mode"] == "apply":
                await controller.read()
                plan = controller.plan()
                if job.get("meanwhile"):
                    await asyncio.to_thread(meanwhile, job["meanwhile"])
                if not plan.is_empty:
                    await controller.apply(plan, gate=OpenGate())
    return {"result": "done", "left": {}}


def meanwhile(pipes: list[str]) -> None:
    """Let the test do something between plan and apply, and wait until it has."""
    ready, go = pipes
    Path(ready).touch()
    with open(go, "rb") as pipe:
        pipe.read()


def run(job: Job) -> Job:
    """What became of a job, in its own process."""
    state = Path(job["state"])
    fault = Fault(job.get("fault"), state / "journal.sqlite-wal", Witness(state, "two-sites", Path(job["early"])))
    try:
        outcome = asyncio.run(work(job, fault))
    except SdqkdError as error:
        left = dict(error.left) if isinstance(error, ApplyError) else {}
        outcome = {"result": type(error).__name__, "message": str(error), "left": left}
    except BaseException:
        outcome = {"result": "crash", "message": traceback.format_exc(), "left": {}}
    return {**outcome, **fault.counts, "by_device": fault.by_device, "operations": fault.operations}


def fork(job: Job) -> int:
    """A process for a job; it leaves what became of it in a file."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        outcome = json.dumps(run(job))
        resource.setrlimit(resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)[1:] * 2)
        Path(job["outcome"]).write_text(outcome, "utf-8")
        os._exit(0)
    return pid


def ended(pid: int, job: Job) -> Job:
    """Wait until a process has ended, or stands still."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"result": "stopped", "pid": pid, "left": {}}
    if os.WIFSIGNALED(status):
        return {"result": "killed", "left": {}}
    outcome: Job = json.loads(Path(job["outcome"]).read_text("utf-8"))
    return outcome


def main() -> None:
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        jobs = json.loads(line)
        pids = [job["continue"] if "continue" in job else fork(job) for job in jobs]
        for pid, job in zip(pids, jobs, strict=True):
            if "continue" in job:
                os.kill(pid, signal.SIGCONT)
        print(json.dumps([ended(pid, job) for pid, job in zip(pids, jobs, strict=True)]), flush=True)


if __name__ == "__main__":
    main()
