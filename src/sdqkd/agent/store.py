"""The configuration on disk: one JSON file, replaced as a whole.

    {"format": 1, "model-set": "qkd-node", "configuration": {RFC 7951}}

A save writes a new file beside it, flushes it, renames it over the old one and flushes the folder: after a
crash at any moment the file is the old one or the new one. If the folder cannot be flushed, a second name that
the old file got before brings it back. A lock on `FILE.lock` keeps other processes away.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

from sdqkd.errors import RpcError, RpcErrors, StoreError
from sdqkd.schema.json import decode, encode
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container

_FORMAT = 1
REMEDY = "bring back a copy of it, or move it away to start with the factory configuration"


class FileStore:
    """A `datastore.Store` in a file that only its owner can read."""

    def __init__(self, file: Path, schema: Schema) -> None:
        """Take the file for this process, until `close`. Raises StoreError if another one has it.

        `size` and `check_sum` (CRC-32) are those of the file as it was read or written last, 0 without one.
        """
        self.size = 0
        self.check_sum = 0
        self._file = file
        self._new_file = file.with_name(file.name + ".new")
        self._old_file = file.with_name(file.name + ".old")
        self._schema = schema
        self._lock = _take_lock(file.with_name(file.name + ".lock"))

    def close(self) -> None:
        """Let others have the file. May be called again."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def load(self) -> Container | None:
        """Read what was saved, None if there is no file. Raises StoreError with the file and the remedy."""
        try:
            text = self._file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self._file}: cannot be read: {error.strerror}") from error
        self._note(text)
        return self._decoded(text)

    def save(self, configuration: Container | None) -> None:
        """Write and flush, or remove. Raises StoreError, and then the file is the old one still."""
        if self._lock < 0:
            raise StoreError(f"{self._file}: the store is closed")
        text = b"" if configuration is None else self._encoded(configuration)
        try:
            if configuration is None:
                self._remove()
            else:
                self._replace(text)
        except OSError as error:
            _unlink(self._new_file)
            raise StoreError(f"{self._file}: cannot be written: {error.strerror}") from error
        self._note(text)

    def _note(self, text: bytes) -> None:
        self.size, self.check_sum = len(text), zlib.crc32(text)

    def _replace(self, text: bytes) -> None:
        _write_flushed(self._new_file, text)
        self._old_file.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            _name_again(self._file, self._old_file)
        self._new_file.replace(self._file)
        self._flush_or_undo()

    def _remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._file.replace(self._old_file)
            self._flush_or_undo()

    def _flush_or_undo(self) -> None:
        try:
            flush_folder(self._file.parent)
        except OSError:
            self._bring_back()
            raise
        _unlink(self._old_file)

    def _bring_back(self) -> None:
        # What the folder holds after a failed flush nobody knows; this is what the next process shall find.
        try:
            self._old_file.replace(self._file)
        except FileNotFoundError:
            _unlink(self._file)

    def _encoded(self, running: Container) -> bytes:
        document = {
            "format": _FORMAT,
            "model-set": self._schema.name,
            "configuration": encode(self._schema, running),
        }
        # Without an indent, which would take ten times as long.
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"

    def _decoded(self, text: bytes) -> Container:
        configuration = self._checked(text)
        try:
            return decode(self._schema, configuration)
        except (RpcError, RpcErrors) as error:
            message = f"{self._file}: does not fit the model set '{self._schema.name}': {error}; {REMEDY}"
            raise StoreError(message) from error

    def _checked(self, text: bytes) -> dict[str, Any]:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise StoreError(f"{self._file}: damaged, it is no whole JSON document; {REMEDY}") from None
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise StoreError(f"{self._file}: no configuration of an agent of this version; {REMEDY}")
        if document.get("model-set") != self._schema.name:
            other = document.get("model-set")
            message = f"holds a configuration for the model set {other!r}, not '{self._schema.name}'"
            raise StoreError(f"{self._file}: {message}; {REMEDY}")
        configuration = document.get("configuration")
        if not isinstance(configuration, dict):
            raise StoreError(f"{self._file}: damaged, its configuration is missing; {REMEDY}")
        return configuration


def _name_again(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except FileNotFoundError:
        raise
    except OSError:  # some file systems have no second names
        shutil.copy2(file, name)


def _unlink(file: Path) -> None:
    # A file that stays is in nobody's way, and there is an error to tell of already.
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)


def _take_lock(file: Path) -> int:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"{file}: cannot be made: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreError(f"{file}: another agent uses this store: stop it first") from None
    return handle


def _write_flushed(file: Path, data: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def flush_folder(folder: Path) -> None:
    """Flush which files a folder holds. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
