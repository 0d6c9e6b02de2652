"""Trees as XML elements, for tests: as a peer would receive them."""

from __future__ import annotations

from lxml import etree

from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container
from sdqkd.schema.xml import encode


def elements_of(schema: Schema, tree: Container) -> list[etree._Element]:
    """The top-level elements of `tree`.

    Read them where they are: when lxml moves an element it may drop a prefix that only a value uses.
    """
    return list(etree.fromstring(b"<data>" + encode(schema, tree) + b"</data>"))
