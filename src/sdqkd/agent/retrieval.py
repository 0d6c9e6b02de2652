"""What a request for data selects of a tree, and how it wants defaults: RFC 6241 sections 6 and 8.9, RFC 6243.

The basic mode is `explicit`: what a client has set is reported, and state with all its defaults. A filter sees
what the mode reports, except that `trim` trims what the filter has selected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from sdqkd.agent.call import Call
from sdqkd.agent.parameters import Filter, Parameters, bad_attribute
from sdqkd.datastore.locks import Target
from sdqkd.errors import RpcError
from sdqkd.netconf.xml import Element
from sdqkd.schema.defaults import with_defaults, without_defaults
from sdqkd.schema.filter import selector
from sdqkd.schema.marked import DEFAULT_PREFIX, DefaultMarks, encode_marked
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, merge
from sdqkd.schema.xml import encode
from sdqkd.schema.xpath import TooExpensiveError, XPathError, names_at
from sdqkd.schema.xpath_select import select

DefaultsMode: TypeAlias = Literal["report-all", "report-all-tagged", "trim", "explicit"]
Select: TypeAlias = Callable[[Container], Container]
Refuse: TypeAlias = Callable[[str], RpcError]

WITH_DEFAULTS = "{urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults}with-defaults"
DEFAULT_NAMESPACE = "urn:ietf:params:xml:ns:netconf:default:1.0"
_ALL = ("report-all", "report-all-tagged")


def defaults_mode(parameters: Parameters) -> DefaultsMode | None:
    """Read the parameter with-defaults; None if it is not there. Raises RpcError `invalid-value`."""
    return parameters.word("with-defaults", get_args(DefaultsMode))


def get_config(call: Call) -> bytes:
    """Give the content of the reply to get-config."""
    mode = defaults_mode(call.parameters) or "explicit"
    tree, explicit = configuration(call, call.parameters.datastore("source"), mode)
    return _data(call, tree, explicit, mode)


def configuration(call: Call, source: Target, mode: DefaultsMode) -> tuple[Container, Container]:
    """Give a datastore: as this mode wants it, not trimmed, and as it is set."""
    explicit = call.service.datastores.get_config(source)
    return (filled(call, source) if mode in _ALL else explicit), explicit


def get(call: Call) -> bytes:
    """Give the content of the reply to get: running, and what the device reports now."""
    mode = defaults_mode(call.parameters) or "explicit"
    tree, explicit = with_state(call, call.service.datastores.state(), mode)
    return _data(call, tree, explicit, mode)


def with_state(call: Call, state: Container, mode: DefaultsMode) -> tuple[Container, Container]:
    """Give running with what the device reports: as this mode wants it, not trimmed, and as it is set."""
    schema = call.service.schema
    explicit = tree = merge(schema, call.service.datastores.get_config("running"), state)
    if mode in _ALL:
        tree = merge(schema, filled(call, "running"), state)
    if mode != "trim":
        tree = with_defaults(schema, tree, config=False)
    return tree, explicit


def filled(call: Call, source: Target) -> Container:
    """Give a configuration datastore with the defaults in use."""
    return call.service.defaults.of(call.service.datastores.get_config(source))


def reshaping(schema: Schema, mode: DefaultsMode | None) -> Select | None:
    """Give what copy-config does to the source in this mode: a copy has no marks, so a tagged one is explicit."""
    if mode == "report-all":
        return lambda tree: with_defaults(schema, tree, state=False)
    return (lambda tree: without_defaults(schema, tree)) if mode == "trim" else None


def _data(call: Call, tree: Container, explicit: Container, mode: DefaultsMode) -> bytes:
    schema = call.service.schema
    # Before the filter, which must not find what the user may not see: RFC 8341 section 3.2.4.
    tree = call.readable(tree)
    wanted = call.parameters.filter()
    if wanted is not None:
        tree = by_filter(schema, wanted)(tree)
    if mode == "trim":
        tree = without_defaults(schema, tree)
    if mode == "report-all-tagged":
        content = encode_marked(schema, tree, DefaultMarks(explicit))
        return b'<data xmlns:%b="%b">%b</data>' % (DEFAULT_PREFIX.encode(), DEFAULT_NAMESPACE.encode(), content)
    return b"<data>%b</data>" % encode(schema, tree)


def by_filter(schema: Schema, wanted: Filter) -> Select:
    """Give a <filter> as a function, which raises RpcError."""
    if wanted.select is None:
        return by_subtree(schema, wanted.element)
    return by_xpath(
        schema, wanted.select, wanted.element, lambda message: bad_attribute(wanted.element, "select", message)
    )


def by_subtree(schema: Schema, element: Element, depth: int | None = None) -> Select:
    """Give a subtree filter as a function, which raises RpcError; each selected node comes with `depth` levels."""
    return selector(schema, schema.data, element, depth)


def by_xpath(schema: Schema, text: str, element: Element, refuse: Refuse, depth: int | None = None) -> Select:
    """Give an XPath filter that stands on `element` as a function; `refuse` gives the error for a wrong one."""

    def selected(tree: Container) -> Container:
        try:
            return select(schema, tree, text, names_at(schema, element), depth=depth)
        except TooExpensiveError as error:
            raise RpcError("resource-denied", str(error)) from error
        except XPathError as error:
            raise refuse(str(error)) from error

    return selected
