"""Notifications as they are sent: RFC 5277 section 4, unframed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sdqkd.notifications.times import time_text
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container
from sdqkd.schema.xml import encode_one

NAMESPACE = "urn:ietf:params:xml:ns:netconf:notification:1.0"


@dataclass(frozen=True, slots=True)
class Message:
    """One notification for one subscriber. `payload` is the element after eventTime, in UTF-8."""

    time: datetime
    payload: bytes

    def xml(self) -> bytes:
        """The whole <notification>, ready to be framed."""
        return b'<notification xmlns="%b"><eventTime>%b</eventTime>%b</notification>' % (
            NAMESPACE.encode(),
            time_text(self.time).encode(),
            self.payload,
        )


def payload_of(schema: Schema, notification: Container) -> bytes:
    """The element of a notification, given as a tree with its member name at the top.

    KeyError if the model set does not have it.
    """
    ((member, content),) = notification.children.items()
    return encode_one(schema, schema.notifications[member], content)
