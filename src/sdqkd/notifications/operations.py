"""What clients ask for: create-subscription (RFC 5277), and the operations of RFC 8639 and 8641 over NETCONF.

Each takes the operation's element and gives the content of the reply, or raises RpcError. Whether the client may
call it is settled before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from sdqkd.errors import RpcError, SdqkdError
from sdqkd.notifications.board import Board
from sdqkd.notifications.filters import Matches
from sdqkd.notifications.legacy import LegacySubscription, read_request
from sdqkd.notifications.message import NAMESPACE
from sdqkd.notifications.outlet import Outlet, Subscriber, View
from sdqkd.notifications.push import OnChangePush, PeriodicPush, PushSubscription, datastore_refused
from sdqkd.notifications.reader import StreamReader, Wanted
from sdqkd.notifications.refusals import SN, SN_NAMESPACE, YP, YP_NAMESPACE, no_such_subscription, refusal
from sdqkd.notifications.requests import (
    ESTABLISH,
    MODIFY,
    check_pace,
    modified,
    read_establish,
    read_id,
    read_modify,
)
from sdqkd.notifications.selection import data_filter, event_filter, filter_unsupported, is_named
from sdqkd.notifications.sight import as_seen
from sdqkd.notifications.streams import Event
from sdqkd.notifications.subscription import DynamicSubscription, StreamSubscription
from sdqkd.notifications.terms import OnChange, Terms
from sdqkd.notifications.times import time_text
from sdqkd.schema.elements import Element
from sdqkd.schema.table import Schema
from sdqkd.schema.xml import encode_one

Handler: TypeAlias = Callable[[Board, Subscriber, Element, datetime], bytes]

_OK = b"<ok/>"
_CREATE = "notifications:create-subscription"
_DELETE = f"{SN}:delete-subscription"
_KILL = f"{SN}:kill-subscription"
_RESYNC = f"{YP}:resync-subscription"


def create(board: Board, subscriber: Subscriber, operation: Element, now: datetime) -> bytes:
    """Begin a subscription of RFC 5277."""
    outlet = board.outlets.get(subscriber.id)
    if outlet is not None and outlet.dynamic:
        # RFC 8640 section 3: a session is of the one kind or of the other.
        raise RpcError("operation-not-supported", "this session has a subscription of RFC 8639", "protocol")
    if outlet is not None and outlet.subscriptions:
        raise RpcError("in-use", "this session has a subscription already", "protocol")
    request = read_request(operation, board.streams, board.filters, now)
    if (full := _full(board, outlet)) is not None:
        raise RpcError("resource-denied", full, "protocol")
    wanted = _permitted(board.schema, subscriber, request.matches)
    reader = StreamReader(request.stream, wanted, request.start, request.stop)
    board.outlet(subscriber).subscriptions.append(LegacySubscription(reader))
    return _OK


def establish(board: Board, subscriber: Subscriber, operation: Element, now: datetime) -> bytes:
    """Begin a subscription of RFC 8639 section 2.4.2 or of RFC 8641; the reply tells its id."""
    outlet = board.outlets.get(subscriber.id)
    if outlet is not None and len(outlet.dynamic) < len(outlet.subscriptions):
        raise RpcError("operation-not-supported", "this session has a subscription of RFC 5277", "protocol")
    terms = read_establish(board.schema, operation, now)
    if (full := _full(board, outlet)) is not None:
        raise refusal(f"{SN}:insufficient-resources", full)
    number = board.last_id + 1
    begun: DynamicSubscription
    if terms.datastore is None:
        begun = _to_stream(board, subscriber, number, terms, operation)
    else:
        begun = _to_datastore(board, subscriber, number, terms, operation, now)
    board.last_id = number
    board.outlet(subscriber).subscriptions.append(begun)
    return _established(board, begun)


def _to_stream(
    board: Board, subscriber: Subscriber, number: int, terms: Terms, operation: Element
) -> StreamSubscription:
    stream = board.streams.get(terms.stream or "")
    if stream is None:
        message = f"there is no stream '{(terms.stream or '')[:80]}'; there are {', '.join(board.streams)}"
        raise RpcError("invalid-value", message, info={"bad-element": "stream"})
    if terms.start is not None and not stream.spec.replay:
        raise refusal(f"{SN}:replay-unsupported", f"nothing is logged of the stream {stream.spec.name}")
    matches = event_filter(board, terms, operation, "establish-subscription")
    reader = StreamReader(stream, _permitted(board.schema, subscriber, matches), terms.start, terms.stop)
    return StreamSubscription(board.schema, number, terms, reader)


def _to_datastore(
    board: Board, subscriber: Subscriber, number: int, terms: Terms, operation: Element, now: datetime
) -> PushSubscription:
    datastore, trigger = terms.datastore or "", terms.trigger
    if datastore not in board.sources:
        raise datastore_refused(datastore, board.sources)
    assert trigger is not None
    check_pace("establish-subscription", trigger, board.limits.shortest_period)
    view = _view(board, subscriber, terms, operation, "establish-subscription")
    if isinstance(trigger, OnChange):
        return OnChangePush(board.schema, number, terms, view, now)
    return PeriodicPush(board.schema, number, terms, view, now)


def _view(board: Board, subscriber: Subscriber, terms: Terms, operation: Element | None, name: str) -> View:
    select = data_filter(board, terms, operation, name)
    read = board.sources.read_changing if isinstance(terms.trigger, OnChange) else board.sources.read
    view = View(lambda: read(terms.datastore or ""), subscriber, select)
    try:
        view()  # what is read now is kept for the first update
    except ValueError as error:
        raise filter_unsupported(name, str(error), data=True) from error
    except SdqkdError:
        pass  # the device may answer later
    return view


def _established(board: Board, begun: DynamicSubscription) -> bytes:
    output = board.schema.rpcs[ESTABLISH].output.children
    leafs = {"id": str(begun.id)}
    start = begun.terms.start
    if isinstance(begun, StreamSubscription) and start is not None and start < begun.reader.stream.since:
        leafs["replay-start-time-revision"] = time_text(begun.reader.stream.since)
    return b"".join(encode_one(board.schema, output[name], value) for name, value in leafs.items())


def modify(board: Board, subscriber: Subscriber, operation: Element, now: datetime) -> bytes:
    """Change the terms of a subscription of this session: RFC 8639 section 2.4.3."""
    number, request = read_modify(board.schema, operation)
    subscription = _own(board, subscriber, number)
    terms = modified(subscription.terms, request, now)
    if request.trigger is not None and terms.trigger is not None:
        check_pace("modify-subscription", terms.trigger, board.limits.shortest_period)
    if request.filter is not None:
        _refilter(board, subscriber, subscription, terms, operation)
    subscription.change(terms)
    return _OK


def _refilter(
    board: Board,
    subscriber: Subscriber,
    subscription: DynamicSubscription,
    terms: Terms,
    operation: Element | None,
) -> None:
    if isinstance(subscription, StreamSubscription):
        matches = event_filter(board, terms, operation, "modify-subscription")
        subscription.reader.wanted = _permitted(board.schema, subscriber, matches)
    elif isinstance(subscription, PushSubscription):
        subscription.see(_view(board, subscriber, terms, operation, "modify-subscription"))


def delete(board: Board, subscriber: Subscriber, operation: Element, now: datetime) -> bytes:
    """End a subscription of this session: RFC 8639 section 2.4.4."""
    subscription = _own(board, subscriber, read_id(board.schema, operation, _DELETE))
    board.outlet(subscriber).subscriptions.remove(subscription)
    return _OK


def kill(board: Board, subscriber: Subscriber, operation: Element, now: datetime) -> bytes:
    """End anybody's subscription and tell its session: RFC 8639 section 2.4.5."""
    number = read_id(board.schema, operation, _KILL)
    for _, subscription in board.dynamic():
        if subscription.id == number and not subscription.ended:
            subscription.terminate(f"{SN}:no-such-subscription")
            return _OK
    raise refusal(f"{SN}:no-such-subscription", f"there is no subscription {number}")


def resync(board: Board, subscriber: Subscriber, operation: Element, now: datetime) -> bytes:
    """Send everything again to an on-change subscription: RFC 8641 section 4.4.4."""
    number = read_id(board.schema, operation, _RESYNC)
    try:
        subscription = _own(board, subscriber, number)
    except RpcError as error:
        raise refusal(f"{YP}:no-such-subscription-resync", error.message) from error
    if not isinstance(subscription, PushSubscription):
        message = "a subscription to a stream has nothing to resynchronise"
        raise refusal(f"{YP}:on-change-sync-unsupported", message)
    subscription.resync()
    return _OK


def follow_filters(board: Board) -> None:
    """Let subscriptions follow the configured filters that they name: RFC 8639 section 2.7.2."""
    for outlet, subscription in board.dynamic():
        if subscription.ended or not is_named(subscription.terms):
            continue
        try:
            _refilter(board, outlet.subscriber, subscription, subscription.terms, None)
        except RpcError:
            subscription.terminate(f"{SN}:filter-unavailable")
        else:
            subscription.change(subscription.terms)


def _own(board: Board, subscriber: Subscriber, number: int) -> DynamicSubscription:
    outlet = board.outlets.get(subscriber.id)
    for subscription in outlet.dynamic if outlet is not None else ():
        if subscription.id == number and not subscription.ended:
            return subscription
    raise no_such_subscription(number)


def _full(board: Board, outlet: Outlet | None) -> str | None:
    """Why there is no room for another subscription, None if there is."""
    if outlet is not None and len(outlet.subscriptions) >= board.limits.subscriptions_of_session:
        return f"this session has {len(outlet.subscriptions)} subscriptions, which is as many as it may have"
    if sum(len(one.subscriptions) for one in board.outlets.values()) >= board.limits.subscriptions:
        return "all sessions together have as many subscriptions as they may have"
    return None


def _permitted(schema: Schema, subscriber: Subscriber, matches: Matches) -> Wanted:
    def wanted(event: Event) -> Event | None:
        seen = as_seen(schema, subscriber, event) if subscriber.may_receive(event.name) else None
        # A filter looks at what is seen: what it passes would tell of what is not.
        return seen if seen is not None and matches(seen) else None

    return wanted


_HANDLERS: Mapping[str, tuple[str, Handler]] = {
    f"{{{NAMESPACE}}}create-subscription": (_CREATE, create),
    f"{{{SN_NAMESPACE}}}establish-subscription": (ESTABLISH, establish),
    f"{{{SN_NAMESPACE}}}modify-subscription": (MODIFY, modify),
    f"{{{SN_NAMESPACE}}}delete-subscription": (_DELETE, delete),
    f"{{{SN_NAMESPACE}}}kill-subscription": (_KILL, kill),
    f"{{{YP_NAMESPACE}}}resync-subscription": (_RESYNC, resync),
}


def handlers(board: Board) -> Mapping[str, Handler]:
    """The operations that the model set has, by XML name as lxml writes it."""
    return {tag: handler for tag, (member, handler) in _HANDLERS.items() if member in board.schema.rpcs}
