"""Where a running emulation hears what shall break: a socket in its run directory, for its owner alone.

One request a connection, a line of JSON: `{"do": ["cut", "quintin-quijote"]}`, or no `do` to ask what is broken.
The answer is a line too: `{"faults": [["cut", "quintin-quijote"]]}`, or `{"error": "..."}` if nothing was done.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from sdqkd.errors import InputError, SdqkdError, StoreError
from sdqkd.plant.accidents import Words, act, described
from sdqkd.plant.plant import Plant

SOCKET = "faults.sock"
MAX_LINE_BYTES = 65536
TIMEOUT_S = 10.0


@asynccontextmanager
async def control(plant: Plant, run_directory: Path) -> AsyncIterator[None]:
    """Hear what shall happen to a plant. Raises StoreError if the socket cannot be made."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                writer.write(json.dumps(answer(plant, await reader.readline())).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, OSError, ValueError):  # who asks is gone, silent, or never ends its line
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(hear, sock=_listening(run_directory), limit=MAX_LINE_BYTES)
    try:
        yield
    finally:
        server.close()
        (run_directory / SOCKET).unlink(missing_ok=True)


def answer(plant: Plant, line: bytes) -> dict[str, Any]:
    """What to answer to a line; what it asks for has been done then."""
    try:
        request = json.loads(line)
        words = request.get("do", []) if isinstance(request, dict) else None
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise InputError("a request is an object whose `do` is a list of words")
        if words:
            act(plant, words)
    except SdqkdError as error:
        return {"error": str(error)}
    except ValueError:
        return {"error": "a request is a line of JSON"}
    return {"faults": described(plant.faults)}


def ask(run_directory: Path, words: Sequence[str]) -> tuple[Words, ...]:
    """Do this to the emulation that runs there, if there are words; give all that is broken then.

    Raises InputError with the emulation's words if it refuses, StoreError if no emulation runs there.
    """
    with _near(run_directory) as place, socket.socket(socket.AF_UNIX) as talk:
        talk.settimeout(TIMEOUT_S)
        try:
            talk.connect(place)
            talk.sendall(json.dumps({"do": list(words)}).encode() + b"\n")
            with talk.makefile("rb") as lines:
                said = json.loads(lines.readline())
        except (OSError, ValueError) as error:
            raise StoreError(f"{run_directory}: no emulation answers there: {error}") from error
    if "error" in said:
        raise InputError(said["error"])
    return tuple(tuple(words) for words in said["faults"])


def _listening(run_directory: Path) -> socket.socket:
    (run_directory / SOCKET).unlink(missing_ok=True)  # of an emulation that was killed: its lock is ours now
    listener = socket.socket(socket.AF_UNIX)
    try:
        with _near(run_directory) as place, _for_the_owner_alone():
            listener.bind(place)
    except OSError as error:
        listener.close()
        raise StoreError(f"{run_directory / SOCKET}: cannot be made: {error.strerror}") from error
    return listener


@contextmanager
def _for_the_owner_alone() -> Iterator[None]:
    before = os.umask(0o177)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _near(run_directory: Path) -> Iterator[str]:
    """A name of the socket that is short: the system takes no more than some hundred bytes."""
    if not Path("/proc/self/fd").is_dir():
        yield str(run_directory / SOCKET)
        return
    try:
        folder = os.open(run_directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreError(f"{run_directory}: no emulation answers there: {error.strerror}") from error
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        with suppress(OSError):
            os.close(folder)
