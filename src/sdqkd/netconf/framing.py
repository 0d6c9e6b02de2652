"""Where one NETCONF message ends and the next begins: RFC 6242 sections 4.2 (chunks) and 4.3 (`]]>]]>`).

A `Framer` is fed with bytes as they come and gives back whole messages. It is strict, since a peer that
frames wrongly cannot be followed any further, and it never holds more than one message of the permitted size
plus the bytes of the last read.
"""

from __future__ import annotations

import re

from sdqkd.errors import FramingError

END_OF_MESSAGE = b"]]>]]>"
MAX_CHUNK_BYTES = 4294967295  # RFC 6242 section 4.2: chunk-size
_MAX_HEADER_BYTES = len(b"\n#4294967295\n")
_HEADER_START = b"\n#"
_END_OF_CHUNKS = b"\n##\n"
_CHUNK = re.compile(rb"\n#([1-9][0-9]{0,9})\n")


def frame_eom(message: bytes) -> bytes:
    """Frame a message for a base:1.0 peer, and for every hello.

    Raises FramingError if the message contains the mark itself, which XML written by us never does.
    """
    if END_OF_MESSAGE in message:
        raise FramingError("the message contains ]]>]]>, which a base:1.0 peer would take for its end")
    return message + END_OF_MESSAGE


def frame_chunks(message: bytes) -> bytes:
    """Frame a message, of 1 byte to 4 GiB, for a base:1.1 peer: one chunk and the end-of-chunks mark."""
    if not 0 < len(message) <= MAX_CHUNK_BYTES:
        raise FramingError(f"a chunk cannot hold a message of {len(message)} bytes")
    return b"\n#%d\n%b\n##\n" % (len(message), message)


class Framer:
    """Cuts a stream of bytes into messages; starts with `]]>]]>` and goes over to chunks when told to.

    Messages are cut out one at a time, so that the bytes that follow a hello in the same burst are read with
    the framing that this hello decides.
    """

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._buffer = bytearray()  # not yet cut; deleting at the front is cheap for a bytearray
        self._searched = 0  # bytes of the buffer that hold no whole mark
        self._chunked = False
        self._message = bytearray()  # the chunks of the current message
        self._chunk_left = 0  # bytes of the current chunk that are still to come

    @property
    def mid_message(self) -> bool:
        """Whether the peer has begun a message that has not ended."""
        # Some line feeds between messages are none; a long buffer is not copied to find out.
        more = len(self._buffer) > _MAX_HEADER_BYTES or self._buffer.strip()
        return bool(self._message or self._chunk_left or more)

    @property
    def waiting_bytes(self) -> int:
        """How much has come that no message has been made of."""
        return len(self._buffer) + len(self._message)

    def limit(self, max_message_bytes: int) -> None:
        """Let the messages to come be of another length."""
        self._max_message_bytes = max_message_bytes

    def use_chunks(self) -> None:
        """Read what follows in chunks: both peers announced base:1.1."""
        self._chunked = True
        self._searched = 0

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came."""
        self._buffer += data

    def next_message(self) -> bytes | None:
        """Give the next whole message, or None when more bytes are needed.

        Raises FramingError for what RFC 6242 section 4 does not allow and for a message over the limit;
        the framer is of no use afterwards.
        """
        return self._next_chunked() if self._chunked else self._next_marked()

    def _next_marked(self) -> bytes | None:
        end = self._buffer.find(END_OF_MESSAGE, self._searched)
        # Without a mark, the last bytes may be the beginning of one.
        length = end if end >= 0 else max(0, len(self._buffer) - len(END_OF_MESSAGE) + 1)
        if length > self._max_message_bytes:
            raise self._too_long()
        if end < 0:
            self._searched = length
            return None
        message = bytes(self._buffer[:end])
        del self._buffer[: end + len(END_OF_MESSAGE)]
        self._searched = 0
        return message

    def _next_chunked(self) -> bytes | None:
        if not self._buffer:
            return None
        message = self._whole_message()
        return self._from_chunks() if message is None else message

    def _whole_message(self) -> bytes | None:
        """Cut out a message that has come whole and in one chunk, as nearly all do; None if it is another."""
        if self._message or self._chunk_left:
            return None
        header = _CHUNK.match(self._buffer)
        if header is None:
            return None
        start, size = header.end(), int(header[1])
        end = start + size
        if size > self._max_message_bytes or self._buffer[end : end + len(_END_OF_CHUNKS)] != _END_OF_CHUNKS:
            return None
        message = bytes(self._buffer[start:end])
        del header  # which would keep the buffer from getting shorter
        del self._buffer[: end + len(_END_OF_CHUNKS)]
        return message

    def _from_chunks(self) -> bytes | None:
        at = 0
        try:
            while True:
                if self._chunk_left:
                    piece = self._buffer[at : at + self._chunk_left]
                    self._message += piece
                    self._chunk_left -= len(piece)
                    at += len(piece)
                    if self._chunk_left:
                        return None
                header = self._header(at)
                if header is None:
                    return None
                size, at = header
                if size == 0:
                    return self._end_message()
                if size > self._max_message_bytes - len(self._message):
                    raise self._too_long()
                self._chunk_left = size
        finally:
            del self._buffer[:at]

    def _header(self, at: int) -> tuple[int, int] | None:
        """Read a chunk header: size (0 for end-of-chunks) and where the data start; None if incomplete."""
        head = bytes(self._buffer[at : at + _MAX_HEADER_BYTES])
        end = head.find(b"\n", 2)
        size = head[2:end] if end >= 0 else head[2:]
        if not (head.startswith(_HEADER_START) or _HEADER_START.startswith(head)):
            raise FramingError(f"a chunk must begin with a line feed and #, not with {head[:2]!r}")
        if end < 0 and len(head) < _MAX_HEADER_BYTES and _may_begin_size(size):
            return None
        if size == b"#":
            return 0, at + end + 1
        if not size.isdigit() or size.startswith(b"0") or int(size) > MAX_CHUNK_BYTES or end < 0:
            raise FramingError(f"{size!r} is no chunk size: a number from 1 to {MAX_CHUNK_BYTES} must stand there")
        return int(size), at + end + 1

    def _end_message(self) -> bytes:
        if not self._message:
            raise FramingError("end-of-chunks came without a chunk before it")
        message = bytes(self._message)
        self._message = bytearray()
        return message

    def _too_long(self) -> FramingError:
        return FramingError(f"the message is longer than the limit of {self._max_message_bytes} bytes")


def _may_begin_size(size: bytes) -> bool:
    return size in (b"", b"#") or (size.isdigit() and not size.startswith(b"0"))
