"""The framing of RFC 6242 as the kit writes and reads it: strict with what a server sends."""

from __future__ import annotations

import re
from typing import Literal

from sdqkd.errors import FramingError

Base = Literal["1.0", "1.1"]
EOM = b"]]>]]>"
_HEADER = re.compile(rb"\n#([1-9][0-9]{0,9})\n|\n##\n")
_LONGEST_HEADER = len(b"\n#4294967295\n")
_MAX_CHUNK = 4294967295


def frame(message: bytes, base: Base, chunk_bytes: int | None = None) -> bytes:
    """Frame a message: ended by a mark for 1.0, in chunks of `chunk_bytes` (or one chunk) for 1.1."""
    if base == "1.0":
        return message + EOM
    size = chunk_bytes or len(message)
    chunks = (message[start : start + size] for start in range(0, len(message), size))
    return b"".join(b"\n#%d\n%b" % (len(chunk), chunk) for chunk in chunks) + b"\n##\n"


class Reader:
    """Takes what a server sends apart into messages. Starts with the framing of hello; `base` may change later."""

    def __init__(self) -> None:
        self.base: Base = "1.0"
        self._buffer = bytearray()
        self._chunks: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Take bytes in."""
        self._buffer += data

    def next(self) -> bytes | None:
        """Give the next whole message, None if there is none yet. Raises FramingError."""
        return self._next_marked() if self.base == "1.0" else self._next_chunked()

    def _next_marked(self) -> bytes | None:
        end = self._buffer.find(EOM)
        if end < 0:
            return None
        message = bytes(self._buffer[:end])
        del self._buffer[: end + len(EOM)]
        return message

    def _next_chunked(self) -> bytes | None:
        while (header := _HEADER.match(self._buffer)) is not None:
            if header[1] is None:
                return self._end(header.end())
            size = int(header[1])
            if size > _MAX_CHUNK:
                raise FramingError(f"the server announces a chunk of {size} bytes")
            if len(self._buffer) < header.end() + size:
                return None
            self._chunks.append(bytes(self._buffer[header.end() : header.end() + size]))
            del self._buffer[: header.end() + size]
        if len(self._buffer) >= _LONGEST_HEADER or b"\n#"[: len(self._buffer)] != self._buffer[:2]:
            raise FramingError(f"the server sends {bytes(self._buffer[:20])!r} where a chunk should begin")
        return None

    def _end(self, header_bytes: int) -> bytes:
        if not self._chunks:
            raise FramingError("the server ends a message that has no chunk")
        del self._buffer[:header_bytes]
        message, self._chunks = b"".join(self._chunks), []
        return message
