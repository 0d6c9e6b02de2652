"""Messages that come again and again, the same but for their message-id: they are read once.

Only requests that read are kept, since an edit is seldom sent twice and may hold a secret; and of the answers on
one session the last with data, since a device that has not changed says the same again.
"""

from __future__ import annotations

import re

from sdqkd.netconf.messages import Reply, Rpc

ROOM = 128
MAX_ANSWER_BYTES = 8192  # of an answer that is kept
MAX_BYTES = 2048  # of a request that is kept: a tree takes some ten times that

# Up to the value of the message-id, which is found only where it can be nothing else; the value says itself.
_START = re.compile(
    rb"(?:<\?xml [^<>]*\?>\s*)?<(?:[\w.-]+:)?rpc(?:-reply)?"
    rb"(?:\s+[\w.:-]+\s*=\s*\"[^\"<>]*\")*?\s+message-id=\"([\w.:-]+)\""
)


class Repeats:
    """The last requests that were read, by their text. Nobody may change the elements of what it gives."""

    def __init__(self) -> None:
        self._known: dict[bytes, Rpc] = {}

    def find(self, message: bytes) -> tuple[bytes | None, Rpc | None]:
        """What to call a message in `keep` (None if it cannot be kept), and how it was read before (if it was)."""
        if len(message) > MAX_BYTES:
            return None, None
        start = _START.match(message)
        if start is None:
            return None, None
        first, end = start.span(1)
        text = message[:first] + message[end:]
        known = self._known.pop(text, None)
        if known is None:
            return text, None
        self._known[text] = known  # at the end, as the one used last
        message_id = start[1].decode()
        attributes = {**(known.attributes or {}), "message-id": message_id}
        return text, Rpc(message_id, attributes, known.prefixes, known.operation)

    def keep(self, text: bytes, rpc: Rpc) -> None:
        """Remember how a message was read."""
        if not rpc.name.startswith("get"):
            return
        if len(self._known) >= ROOM:
            del self._known[next(iter(self._known))]
        self._known[text] = rpc


class LastAnswer:
    """The last answer with data on one session. Who asks again gets the very same elements, and changes none."""

    def __init__(self) -> None:
        self._text = b""
        self._reply: Reply | None = None

    def find(self, message: bytes) -> tuple[bytes | None, Reply | None]:
        """What to call a message in `keep` (None if it cannot be kept), and what it was read as (if it was)."""
        start = _START.match(message) if len(message) <= MAX_ANSWER_BYTES else None
        if start is None:
            return None, None
        first, end = start.span(1)
        text = message[:first] + message[end:]
        if self._reply is None or text != self._text:
            return text, None
        return text, Reply(start[1].decode(), self._reply.errors, self._reply.content)

    def keep(self, text: bytes, reply: Reply) -> None:
        """Remember how a message was read."""
        if reply.data is not None and not reply.errors:
            self._text, self._reply = text, reply
