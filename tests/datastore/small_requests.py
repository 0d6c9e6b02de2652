"""Requests for the small node, short enough to be read in a test."""

from __future__ import annotations

from lxml import etree
from tests.datastore.small_node import NODE

from sdqkd.schema.tree import Container, Node, get

_HEAD = (
    '<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'
    ' xmlns:t="urn:etsi:qkd:yang:etsi-qkd-node-types"><qkd_node xmlns="urn:etsi:qkd:yang:etsi-qkd-node">'
)


def config(inside: str) -> etree._Element:
    """A <config> with these elements in qkd_node; `nc:operation` and identities `t:…` may stand there."""
    return etree.fromstring(f"{_HEAD}{inside}</qkd_node></config>")


def place(name: str) -> etree._Element:
    """A <config> that moves the node."""
    return config(f"<qkdn_location_id>{name}</qkdn_location_id>")


def place_of(tree: Container) -> Node | None:
    """Where a configuration says that the node stands."""
    return get(tree, (NODE, "qkdn_location_id"))
