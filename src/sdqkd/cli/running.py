"""Event loops that end in good order: on Ctrl-C, on SIGTERM or SIGHUP, and when who started us is gone."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Run until done. A signal cancels the work, which then cleans up; raises KeyboardInterrupt after that.

    A second signal does not break into the cleaning up, as it would with `asyncio.run` alone.
    """

    async def run() -> T:
        task = asyncio.current_task()
        assert task is not None
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await work

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def until_stopped(*, at_eof: bool = False) -> None:
    """Wait for a signal; with `at_eof` also for the end of standard input, which comes when our parent dies."""
    _keep_what_is_loaded()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    if at_eof:
        await loop.connect_read_pipe(lambda: _Listener(stop), sys.stdin)
    await stop.wait()


def _keep_what_is_loaded() -> None:
    """Let the garbage collector look no more at what will stay: models and code are most of what there is."""
    gc.collect()
    gc.freeze()


class _Listener(asyncio.Protocol):
    """Sets an event when a pipe ends."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop.set()
