"""XPath by libxml2, over the XML of a tree: enough to hold filters against something real."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lxml import etree

from sdqkd.notifications.message import payload_of
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container
from sdqkd.schema.xml import decode, encode_elements


class LxmlXPath:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def matcher(self, expression: str, prefixes: Mapping[str, str]) -> Callable[[Container], bool]:
        compiled = _compiled(expression, prefixes)

        def matches(tree: Container) -> bool:
            document = etree.ElementTree(etree.fromstring(payload_of(self._schema, tree)))
            return bool(compiled(document))

        return matches

    def selector(self, expression: str, prefixes: Mapping[str, str]) -> Callable[[Container], Container]:
        """Whole top-level nodes only: those below which anything is selected."""
        compiled = _compiled(expression, prefixes)

        def select(tree: Container) -> Container:
            elements = encode_elements(self._schema, tree)
            found = [one for one in elements if compiled(etree.ElementTree(one))]
            return decode(self._schema, found, state=True)

        return select


def _compiled(expression: str, prefixes: Mapping[str, str]) -> etree.XPath:
    try:
        return etree.XPath(expression, namespaces=dict(prefixes))
    except etree.XPathSyntaxError as error:
        raise ValueError(f"'{expression}' is no expression: {error}") from error
