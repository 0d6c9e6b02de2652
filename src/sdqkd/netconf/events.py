"""What a session tells its owner. All are values; `NEED_DATA` says that there is nothing more for now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from sdqkd.errors import RpcError
from sdqkd.netconf.hello import Hello
from sdqkd.netconf.messages import Notification, Reply, Rpc


class NeedData(Enum):
    """The type of `NEED_DATA`, so that type checkers can tell it from an event."""

    NEED_DATA = "NEED_DATA"


NEED_DATA: Final = NeedData.NEED_DATA


@dataclass(frozen=True, slots=True)
class HelloReceived:
    """The session is open. `chunked`: both announced base:1.1, so chunks frame what follows."""

    hello: Hello
    chunked: bool


@dataclass(frozen=True, slots=True)
class RpcReceived:
    """Server: a call to answer, in the order of arrival."""

    rpc: Rpc


@dataclass(frozen=True, slots=True)
class RpcRefused:
    """Server: a message that is no proper call. Answer it with `error`; the session goes on."""

    rpc: Rpc
    error: RpcError


@dataclass(frozen=True, slots=True)
class ReplyReceived:
    """Client: the answer to the call with this message-id."""

    message_id: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class NotificationReceived:
    """Client: an event that belongs to no call."""

    notification: Notification


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer sends no more. `truncated`: in the middle of a message."""

    truncated: bool


ServerEvent = HelloReceived | RpcReceived | RpcRefused | Ended
ClientEvent = HelloReceived | ReplyReceived | NotificationReceived | Ended
__all__ = [
    "NEED_DATA",
    "ClientEvent",
    "Ended",
    "HelloReceived",
    "NeedData",
    "NotificationReceived",
    "ReplyReceived",
    "RpcReceived",
    "RpcRefused",
    "ServerEvent",
]
