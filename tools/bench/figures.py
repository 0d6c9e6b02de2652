"""What is measured of a server, each figure by the same requests: setting up, reading, editing, memory."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from . import requests
from .raw_client import Client, Endpoint, RawSession
from .report import median, resident_mib


@dataclass(frozen=True, slots=True)
class Size:
    """How often each thing is done in one round."""

    set_ups: int = 10
    calls: int = 500
    flights: int = 2000
    sessions: int = 32
    reads: int = 10
    edits: int = 40
    links: int = 1000
    bulk_edits: int = 3


QUICK = Size(set_ups=3, calls=100, flights=300, reads=3, edits=10, links=200, bulk_edits=1)
IN_FLIGHT = 16


async def measure(at: Endpoint, size: Size) -> AsyncIterator[tuple[str, float]]:
    """One round: name and value of each figure. The server must have a node without links, and gets it back."""
    yield "memory idle [MiB]", resident_mib(at.pid)
    yield "session set-up and close [ms]", await set_up(at, size)
    client = await Client.open(at)
    session, node_id = client.session, await node_of(client.session)
    await commit(session, requests.make_links([0], node_id))
    latency_ms, rate = await sequential(session, size.calls)
    yield "small get-config [ms]", latency_ms
    yield "small get-config [calls/s]", rate
    _, rate = await sequential(session, size.calls, vary=True)
    yield "small get-config, each different [calls/s]", rate
    yield f"{IN_FLIGHT} in flight [calls/s]", await in_flight(session, size.flights)
    yield f"{size.sessions} sessions [calls/s]", await many_sessions(at, size)
    yield "edit and commit a leaf [ms]", await edits(session, size.edits, 0)
    others = range(1, size.links + 1)
    yield f"edit and commit {size.links} links [ms]", await bulk(session, size, node_id)
    await commit(session, requests.make_links(others, node_id))
    yield f"get {size.links} links [ms]", await timed(size.reads, lambda: session.ask(requests.get_links()))
    yield f"edit and commit a leaf, {size.links} links [ms]", await edits(session, size.edits, size.links // 2)
    yield f"get {size.links} links after an edit [ms]", await reads_after_edits(session, size)
    yield f"memory, {size.links} links [MiB]", resident_mib(at.pid)
    await commit(session, requests.drop_links([0, *others]))
    await client.close()


async def node_of(session: RawSession) -> bytes:
    """The identifier of the server's node."""
    answer = await session.ask(requests.get_small())
    found = re.search(rb"<qkdn_id[^>]*>([0-9a-f-]+)<", answer)
    if found is None:
        raise RuntimeError(f"the server has no node: {answer[:500]!r}")
    return found[1]


async def commit(session: RawSession, edit: bytes) -> None:
    await session.ask(edit)
    await session.ask(requests.COMMIT)


async def timed(times: int, action: Callable[[], Awaitable[object]]) -> float:
    """The median time of an action in ms."""
    taken_ms = []
    for _ in range(times):
        start = time.perf_counter()
        await action()
        taken_ms.append((time.perf_counter() - start) * 1000)
    return median(taken_ms)


async def set_up(at: Endpoint, size: Size) -> float:
    async def once() -> None:
        await (await Client.open(at)).close()

    await once()
    return await timed(size.set_ups, once)


async def sequential(session: RawSession, calls: int, *, vary: bool = False) -> tuple[float, float]:
    """Median latency in ms, and calls per second; with `vary`, no two requests are the same."""
    count = iter(range(1, calls + 10_000))

    def request() -> bytes:
        return requests.get_small(requests.blank(next(count)) if vary else b"")

    for _ in range(20):
        await session.ask(request())
    start = time.perf_counter()
    latency_ms = await timed(calls, lambda: session.ask(request()))
    return latency_ms, calls / (time.perf_counter() - start)


async def in_flight(session: RawSession, calls: int) -> float:
    request = requests.get_small()
    start = time.perf_counter()
    waiting: deque[asyncio.Future[bytes]] = deque()
    for _ in range(calls):
        if len(waiting) == IN_FLIGHT:
            await waiting.popleft()
        waiting.append(session.call(request))
    for answer in waiting:
        await answer
    return calls / (time.perf_counter() - start)


async def many_sessions(at: Endpoint, size: Size) -> float:
    clients = [await Client.open(at) for _ in range(size.sessions)]
    request = requests.get_small()
    each = max(1, 2 * size.flights // size.sessions)

    async def talk(client: Client) -> None:
        for _ in range(each):
            await client.session.ask(request)

    start = time.perf_counter()
    await asyncio.gather(*map(talk, clients))
    rate = each * size.sessions / (time.perf_counter() - start)
    for client in clients:
        await client.close()
    return rate


async def edits(session: RawSession, times: int, number: int) -> float:
    values = iter(range(1, times + 10))

    async def once() -> None:
        await session.ask(requests.set_loss(number, b"%d.5" % next(values)))
        await session.ask(requests.COMMIT)

    await once()
    return await timed(times, once)


async def reads_after_edits(session: RawSession, size: Size) -> float:
    """A read of all links when one of them has changed since the last: nothing of it can be remembered whole."""
    taken_ms = []
    for turn in range(size.reads):
        await commit(session, requests.set_loss(turn + 1, b"%d.25" % (turn + 1)))
        taken_ms.append(await timed(1, lambda: session.ask(requests.get_links())))
    return median(taken_ms)


async def bulk(session: RawSession, size: Size, node_id: bytes) -> float:
    taken_ms = []
    others = range(1, size.links + 1)
    edit = requests.make_links(others, node_id)
    for _ in range(size.bulk_edits):
        start = time.perf_counter()
        await commit(session, edit)
        taken_ms.append((time.perf_counter() - start) * 1000)
        await commit(session, requests.drop_links(others))
    return median(taken_ms)
