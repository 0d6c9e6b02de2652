"""What an XPath expression selects of a data tree: RFC 6241 section 8.9, RFC 8526 section 3.1.1."""

from __future__ import annotations

from sdqkd.schema.pick import pick
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Path
from sdqkd.schema.xpath import Names, NotNodesError
from sdqkd.schema.xpath_eval import Budget, evaluate
from sdqkd.schema.xpath_parse import parse
from sdqkd.schema.xpath_tree import Document


def find(schema: Schema, tree: Container, text: str, names: Names, budget: Budget | None = None) -> list[Path]:
    """The paths of the selected nodes, in document order; a text counts as its leaf.

    Raises XPathError, NotNodesError if the expression gives no nodes but a value, TooExpensiveError.
    """
    value = evaluate(parse(text), Document(schema, tree), names, budget=budget)
    if not isinstance(value, list):
        kind = "a boolean" if isinstance(value, bool) else "a number" if isinstance(value, float) else "a string"
        raise NotNodesError(f"the expression selects no nodes: it gives {kind}")
    return list(dict.fromkeys(place.path() for place in value))


def select(
    schema: Schema,
    tree: Container,
    text: str,
    names: Names,
    *,
    depth: int | None = None,
    budget: Budget | None = None,
) -> Container:
    """The selected nodes with all below (to `depth` levels), what is above them, and keys. Raises as `find`."""
    return pick(schema, tree, find(schema, tree, text, names, budget), depth)
