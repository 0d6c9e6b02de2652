"""What `get` shows of notifications: the streams (RFC 5277 and 8639) and the subscriptions (RFC 8639)."""

from __future__ import annotations

from collections.abc import Iterable

from sdqkd.notifications.board import Board
from sdqkd.notifications.outlet import Outlet
from sdqkd.notifications.refusals import SN
from sdqkd.notifications.streams import Stream
from sdqkd.notifications.subscription import DynamicSubscription
from sdqkd.notifications.times import time_text
from sdqkd.schema.tree import Container, Entries, Node

_NC = "nc-notifications"


def state_of(board: Board) -> Container:
    """The state trees of those modules that the model set has."""
    streams = board.streams.values()
    reports: dict[str, Node] = {
        f"{_NC}:netconf": Container({"streams": Container({"stream": _by("name", map(_legacy, streams))})}),
        f"{SN}:streams": Container({"stream": _by("name", map(_stream, streams))}),
    }
    subscriptions = [_subscription(outlet, one) for outlet, one in board.dynamic() if not one.ended]
    if subscriptions:
        reports[f"{SN}:subscriptions"] = Container({"subscription": _by("id", subscriptions)})
    return Container({member: node for member, node in reports.items() if member in board.schema.data})


def _by(key: str, containers: Iterable[Container]) -> Entries:
    return Entries({(str(one.children[key]),): one for one in containers})


def _legacy(stream: Stream) -> Container:
    leafs: dict[str, Node] = {"name": stream.spec.name, "description": stream.spec.description}
    leafs["replaySupport"] = "true" if stream.spec.replay else "false"
    if stream.spec.replay:
        leafs["replayLogCreationTime"] = time_text(stream.created)
        if stream.aged is not None:
            leafs["replayLogAgedTime"] = time_text(stream.aged)
    return Container(leafs)


def _stream(stream: Stream) -> Container:
    leafs: dict[str, Node] = {"name": stream.spec.name, "description": stream.spec.description}
    if stream.spec.replay:
        leafs |= {"replay-support": "", "replay-log-creation-time": time_text(stream.created)}
        if stream.aged is not None:
            leafs["replay-log-aged-time"] = time_text(stream.aged)
    return Container(leafs)


def _subscription(outlet: Outlet, subscription: DynamicSubscription) -> Container:
    name = f"session-{outlet.subscriber.id}"
    sent, excluded = subscription.counts
    receiver: dict[str, Node] = {
        "name": name,
        "sent-event-records": str(sent),
        "excluded-event-records": str(excluded),
        "state": "suspended" if subscription.suspended else "active",
    }
    return Container(
        {
            "id": str(subscription.id),
            **subscription.terms.tree.children,
            "encoding": f"{SN}:encode-xml",
            "receivers": Container({"receiver": Entries({(name,): Container(receiver)})}),
        }
    )
