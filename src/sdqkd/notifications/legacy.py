"""Subscriptions of RFC 5277: create-subscription, one for each session, never modified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sdqkd.errors import RpcError
from sdqkd.notifications.filters import Filters, Matches, TooMuchWorkError, any_event
from sdqkd.notifications.message import NAMESPACE, Message
from sdqkd.notifications.reader import Mark, StreamReader
from sdqkd.notifications.streams import NETCONF, Event, Stream
from sdqkd.notifications.times import read_time
from sdqkd.schema.elements import Element, is_content

_BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
_MARKS = "urn:ietf:params:xml:ns:netmod:notification"
_PAYLOADS = {
    Mark.REPLAYED: b'<replayComplete xmlns="%b"/>' % _MARKS.encode(),
    Mark.DONE: b'<notificationComplete xmlns="%b"/>' % _MARKS.encode(),
}
_PARAMETERS = ("stream", "filter", "startTime", "stopTime")


@dataclass(frozen=True, slots=True)
class Request:
    """What create-subscription asks for."""

    stream: Stream
    matches: Matches
    start: datetime | None
    stop: datetime | None


def read_request(operation: Element, streams: Mapping[str, Stream], filters: Filters, now: datetime) -> Request:
    """Read <create-subscription>: RFC 5277 section 2.1.1. Raises RpcError."""
    given = _parameters(operation)
    start, stop = _time(given, "startTime"), _time(given, "stopTime")
    if stop is not None and start is None:
        raise _refused("missing-element", "startTime", "stopTime needs a startTime")
    if start is not None and start > now:
        raise _refused("bad-element", "startTime", "startTime is still to come; leave it out to hear what is new")
    if start is not None and stop is not None and stop < start:
        raise _refused("bad-element", "stopTime", "stopTime is before startTime")
    stream = _stream(given, streams)
    if start is not None and not stream.spec.replay:
        raise RpcError("operation-failed", f"nothing is logged of the stream {stream.spec.name}", "protocol")
    return Request(stream, _filter(given.get("filter"), filters), start, stop)


def _parameters(operation: Element) -> dict[str, Element]:
    given: dict[str, Element] = {}
    for child in filter(is_content, operation):
        namespace, _, name = str(child.tag).rpartition("}")
        # ncclient has the filter in the namespace of NETCONF's other operations.
        known_here = namespace[1:] == NAMESPACE or (name == "filter" and namespace[1:] == _BASE)
        if name not in _PARAMETERS or not known_here:
            known = ", ".join(_PARAMETERS)
            raise _refused("unknown-element", name[:80], f"create-subscription has no {name[:80]}, only {known}")
        if name in given:
            raise _refused("bad-element", name, f"{name} is given twice")
        given[name] = child
    return given


def _time(given: Mapping[str, Element], name: str) -> datetime | None:
    if name not in given:
        return None
    try:
        return read_time(given[name].text or "")
    except ValueError as error:
        raise _refused("bad-element", name, str(error)) from error


def _stream(given: Mapping[str, Element], streams: Mapping[str, Stream]) -> Stream:
    name = (given["stream"].text or "").strip() if "stream" in given else NETCONF.name
    stream = streams.get(name)
    if stream is None:
        known = ", ".join(streams)
        raise _refused("invalid-value", "stream", f"there is no stream '{name[:80]}'; there are {known}")
    return stream


def _filter(element: Element | None, filters: Filters) -> Matches:
    if element is None:
        return any_event
    # The examples of RFC 5277 have the attributes in NETCONF's namespace, everybody else has them in none.
    kind = element.get("type") or element.get(f"{{{_BASE}}}type") or "subtree"
    if kind == "subtree":
        try:
            return filters.events_by_subtree(element)
        except ValueError as error:
            raise _refused("too-big", "filter", str(error)) from error
    expression = element.get("select") or element.get(f"{{{_BASE}}}select")
    if kind != "xpath":
        raise _bad_filter("bad-attribute", "type", f"a filter is of the type subtree or xpath, not '{kind[:80]}'")
    if expression is None:
        raise _bad_filter("missing-attribute", "select", "a filter of the type xpath needs a select")
    try:
        return filters.events_by_xpath(expression, element)
    except ValueError as error:
        raise _bad_filter("bad-attribute", "select", str(error)) from error


def _bad_filter(tag: str, attribute: str, message: str) -> RpcError:
    return RpcError(tag, message, "protocol", info={"bad-attribute": attribute, "bad-element": "filter"})


def _refused(tag: str, element: str, message: str) -> RpcError:
    return RpcError(tag, message, "protocol", info={"bad-element": element})


class LegacySubscription:
    """One subscription of RFC 5277. It has no way to tell of a loss, so a loss ends its session."""

    def __init__(self, reader: StreamReader) -> None:
        self.reader = reader
        self._fault: str | None = None

    @property
    def broken(self) -> str | None:
        """Why its session must end, None as long as it need not."""
        return "notifications were lost: the client reads too slowly" if self.reader.is_behind else self._fault

    @property
    def over(self) -> bool:
        """Whether it will never have anything to say again."""
        return self.reader.done

    @property
    def due(self) -> datetime | None:
        """When it has something to say even if nothing happens."""
        return self.reader.interrupted or (None if self.over else self.reader.stop)

    def next_message(self, now: datetime) -> Message | None:
        """The next message, None if there is none for now. After a loss there is none ever."""
        try:
            item = None if self.broken else self.reader.read(now)
        except TooMuchWorkError as error:
            self._fault = f"the filter of its subscription takes too much work: {error}"
            return None
        if isinstance(item, Event):
            return Message(item.time, item.payload)
        return None if item is None else Message(now, _PAYLOADS[item])
