"""The operations of RFC 8639 and 8641 as they come in. Everything raises RpcError."""

from __future__ import annotations

from datetime import datetime, timedelta

from lxml import etree

from sdqkd.errors import RpcError
from sdqkd.notifications.refusals import SN, YP, hinted, refusal
from sdqkd.notifications.terms import CENTISECOND, DATA_FILTERS, OnChange, Periodic, Terms, Trigger
from sdqkd.notifications.times import time_text
from sdqkd.schema.elements import Element
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container
from sdqkd.schema.xml import decode_below

ESTABLISH = f"{SN}:establish-subscription"
MODIFY = f"{SN}:modify-subscription"


def read_establish(schema: Schema, operation: Element, now: datetime) -> Terms:
    """Read <establish-subscription>."""
    _check_encoding(operation)
    terms = Terms(_decoded(schema, operation, ESTABLISH)).compact()
    if terms.stream is None and terms.datastore is None:
        raise _missing("stream", "the subscription needs a stream or a datastore")
    if terms.datastore is not None and terms.trigger is None:
        raise _missing("periodic", "a subscription to a datastore is periodic or on-change")
    if terms.datastore is None and terms.trigger is not None:
        name = "periodic" if isinstance(terms.trigger, Periodic) else "on-change"
        raise _wrong("bad-element", name, f"{name} is for datastores, not for streams")
    _check_period(terms)
    _check_times(terms, now)
    return terms


def read_modify(schema: Schema, operation: Element) -> tuple[int, Terms]:
    """Read <modify-subscription>: the subscription's id, and what shall be otherwise."""
    tree = _decoded(schema, operation, MODIFY)
    rest = Container({name: node for name, node in tree.children.items() if name != "id"})
    return _id(tree), Terms(rest)


def read_id(schema: Schema, operation: Element, rpc: str) -> int:
    """Read an operation that has nothing but an id; `rpc` is its member name."""
    return _id(_decoded(schema, operation, rpc))


def _decoded(schema: Schema, operation: Element, rpc: str) -> Container:
    try:
        return decode_below(schema, schema.rpcs[rpc].input, operation)
    except RpcError as error:
        if error.path is not None:
            error.path = f"/{rpc}{error.path.removesuffix('/')}"
        raise


def modified(old: Terms, request: Terms, now: datetime) -> Terms:
    """The old terms with what the request changes, if it can be changed so."""
    if request.datastore not in {None, old.datastore}:
        raise _wrong("invalid-value", "datastore", "the target of a subscription cannot be changed")
    if request.filter is not None and (request.filter[0] in DATA_FILTERS) is (old.datastore is None):
        name = request.filter[0].rpartition(":")[2]
        raise _wrong("bad-element", name, "this filter is for the other kind of target")
    if request.trigger is not None and type(request.trigger) is not type(old.trigger):
        name = "periodic" if isinstance(request.trigger, Periodic) else "on-change"
        raise _wrong("bad-element", name, "a subscription stays what it is: periodic, on-change, or to a stream")
    terms = old.changed_by(request)
    _check_period(terms)
    if request.stop is not None:
        _check_stop(request.stop, None, now)
    return terms


def check_pace(operation: str, trigger: Trigger, shortest: timedelta) -> None:
    """Refuse updates that would come more often than the server can bear. No dampening at all is allowed."""
    asked = trigger.period if isinstance(trigger, Periodic) else trigger.dampening
    if asked >= shortest or (isinstance(trigger, OnChange) and not asked):
        return
    hint = str(-(-shortest // CENTISECOND))
    message = f"updates cannot come that often: the shortest period is {hint} hundredths of a second"
    raise hinted(operation, f"{YP}:period-unsupported", message, {"period-hint": hint}, data=True)


def _check_encoding(operation: Element) -> None:
    # Before anything else is read: the identity for JSON does not exist where its feature is off.
    for element in operation.iterchildren(f"{{{etree.QName(operation).namespace}}}encoding"):
        name = (element.text or "").strip().rpartition(":")[2]
        if name != "encode-xml":
            message = f"notifications come in XML only (encode-xml), not as '{name[:80]}'"
            raise refusal(f"{SN}:encoding-unsupported", message)


def _check_period(terms: Terms) -> None:
    periodic = terms.tree.children.get(f"{YP}:periodic")
    if isinstance(periodic, Container) and "period" not in periodic.children:
        raise _missing("period", "a periodic subscription needs its period")


def _check_times(terms: Terms, now: datetime) -> None:
    if terms.start is not None and terms.start >= now:
        message = f"the replay must start before now, which is {time_text(now)}"
        raise _wrong("invalid-value", "replay-start-time", message)
    if terms.stop is not None:
        _check_stop(terms.stop, terms.start, now)


def _check_stop(stop: datetime, start: datetime | None, now: datetime) -> None:
    earliest, what = (now, "now") if start is None else (start, "replay-start-time")
    if stop <= earliest:
        message = f"stop-time must be after {what}, which is {time_text(earliest)}"
        raise _wrong("invalid-value", "stop-time", message)


def _id(tree: Container) -> int:
    number = tree.children.get("id")
    if not isinstance(number, str):
        raise _missing("id", "the subscription's id is missing")
    return int(number)


def _missing(name: str, message: str) -> RpcError:
    return _wrong("missing-element", name, message)


def _wrong(tag: str, name: str, message: str) -> RpcError:
    return RpcError(tag, message, "protocol", info={"bad-element": name})
