"""The configuration on disk, kept change by change: a commit costs what it changes, not what there is.

Beside the file of a `FileStore` lies `FILE.journal`, to which a save appends what it changes, as the content of
an edit-config request, and flushes it:

    sdqkd-journal 1 CRC-OF-FILE
    CRC LENGTH
    <config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">…</config>

A record that was not written to its end is that of a save that never answered, and counts for nothing. When the
journal has grown as large as the file, the file is written anew. A journal names the file that it continues by
its check sum, so that after a crash in between, or when somebody has brought back a copy, what is no longer
needed is not read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from sdqkd.agent.store import REMEDY, FileStore, flush_folder
from sdqkd.errors import RpcError, StoreError
from sdqkd.netconf.xml import BASE, parse
from sdqkd.schema.changes import changes_to_xml
from sdqkd.schema.diff import diff
from sdqkd.schema.edit import edit
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container

LEAST_BYTES = 64 * 1024  # of a journal that is worth being folded into the file
_MOST = 4  # times as much as that: then a save waits for it

# Calls a function soon, when nobody waits for an answer.
Later: TypeAlias = Callable[[Callable[[], None]], object]

_HEADER = re.compile(rb"([0-9a-f]{8}) ([0-9]{1,12})\n")
_LOG = logging.getLogger(__name__)


class JournalStore:
    """A `datastore.Store` like `FileStore`, with a journal. `later` lets the folding wait for a quiet moment."""

    def __init__(self, file: Path, schema: Schema, later: Later | None = None) -> None:
        """Take file and journal for this process, until `close`. Raises StoreError if another one has them."""
        self._whole = FileStore(file, schema)
        self._file = file.with_name(file.name + ".journal")
        self._schema = schema
        self._later = later
        self._kept: Container | None = None
        self._handle = -1
        self._end = 0  # of the last record in the journal
        self._folding = False

    def close(self) -> None:
        """Let others have the files. May be called again."""
        self._close_journal()
        self._whole.close()

    def load(self) -> Container | None:
        """Read what was saved last, None if there is nothing. Raises StoreError with the file and the remedy."""
        self._close_journal()
        self._kept = self._whole.load()
        if self._kept is not None and (text := self._journal()):
            self._kept = self._replayed(self._kept, text)
        return self._kept

    def save(self, configuration: Container | None) -> None:
        """Keep a configuration, or nothing. Raises StoreError, and then what was kept before still is."""
        if configuration is None or self._kept is None or self._handle < 0:
            self._save_whole(configuration)
            return
        if self._end > _MOST * self._enough():
            self._save_whole(configuration)
            return
        changes = diff(self._schema, self._kept, configuration)
        self._append(_record(changes_to_xml(self._schema, changes)))
        self._kept = configuration
        if self._end > self._enough():
            self._fold_later()

    def _enough(self) -> int:
        return max(LEAST_BYTES, self._whole.size)

    def _save_whole(self, configuration: Container | None) -> None:
        self._whole.save(configuration)
        self._kept = configuration
        self._close_journal()
        # Whatever an old journal holds, it continues another file than this one.
        with contextlib.suppress(OSError):
            if configuration is None:
                self._file.unlink(missing_ok=True)
            else:
                self._begin_journal()

    def _begin_journal(self) -> None:
        """Start an empty one. If that fails, the next save is of the whole again."""
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, self._title())
            os.fsync(handle)
            flush_folder(self._file.parent)
        except OSError:
            os.close(handle)
            raise
        self._handle, self._end = handle, len(self._title())

    def _title(self) -> bytes:
        return b"sdqkd-journal 1 %08x\n" % self._whole.check_sum

    def _close_journal(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _append(self, record: bytes) -> None:
        try:
            written = 0
            while written < len(record):
                written += os.pwrite(self._handle, record[written:], self._end + written)
            os.fdatasync(self._handle)
        except OSError as error:
            self._cut_off()
            raise StoreError(f"{self._file}: cannot be written: {error.strerror}") from error
        self._end += len(record)

    def _cut_off(self) -> None:
        """Take back what was written of a record, so that no restart finds it."""
        try:
            os.ftruncate(self._handle, self._end)
            os.fdatasync(self._handle)
        except OSError as error:
            _LOG.error("%s: a refused change cannot be taken back: %s", self._file, error.strerror)
            self._close_journal()

    def _fold_later(self) -> None:
        if self._later is None:
            self._fold()
        elif not self._folding:
            self._folding = True
            self._later(self._fold)

    def _fold(self) -> None:
        """Write the file anew. If that cannot be done, journal and file are as good as before."""
        self._folding = False
        if self._handle < 0 or self._end <= self._enough():
            return
        try:
            self._save_whole(self._kept)
        except StoreError as error:
            _LOG.warning("the journal grows on: %s", error)

    def _journal(self) -> bytes:
        """Open the journal and give what is in it; b"" if there is none for this file."""
        try:
            self._handle = os.open(self._file, os.O_RDWR | os.O_CLOEXEC)
            with open(self._handle, "rb", closefd=False) as stream:
                text = stream.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            self._close_journal()
            raise StoreError(f"{self._file}: cannot be read: {error.strerror}") from error
        if text.startswith(self._title()):
            return text
        self._close_journal()
        return b""

    def _replayed(self, tree: Container, text: bytes) -> Container:
        self._end = len(self._title())
        for payload, end in _records(text, self._end):
            try:
                tree = edit(self._schema, tree, parse(payload))
            except RpcError as error:
                message = f"does not fit the model set '{self._schema.name}': {error}"
                raise StoreError(f"{self._file}: {message}; {REMEDY}") from error
            self._end = end
        if any(True for _ in _records_anywhere(text, self._end)):
            raise StoreError(f"{self._file}: damaged, a change in the middle of it is not whole; {REMEDY}")
        if self._end < len(text):
            self._cut_off()
        return tree


def _record(changes: bytes) -> bytes:
    payload = b'<config xmlns="%b">%b</config>' % (BASE.encode(), changes)
    return b"%08x %d\n%b\n" % (zlib.crc32(payload), len(payload), payload)


def _records(text: bytes, start: int) -> Iterator[tuple[bytes, int]]:
    """The records one after the other, each with where it ends, up to the first that is not whole."""
    while (header := _HEADER.match(text, start)) and (payload := _payload(text, header)) is not None:
        start = header.end() + len(payload) + 1
        yield payload, start


def _payload(text: bytes, header: re.Match[bytes]) -> bytes | None:
    end = header.end() + int(header[2])
    payload = text[header.end() : end]
    whole = text[end : end + 1] == b"\n" and zlib.crc32(payload) == int(header[1], 16)
    return payload if whole else None


def _records_anywhere(text: bytes, start: int) -> Iterator[bytes]:
    """Whole records after one that is not, wherever they begin: a crash never leaves that."""
    for header in _HEADER.finditer(text, start):
        payload = _payload(text, header)
        if payload is not None:
            yield payload
