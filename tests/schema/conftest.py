"""The fixture schema (tests/schema/data) and trees of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree
from tests.schema.random_trees import SCHEMA

from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container
from sdqkd.schema.validate import Validator
from sdqkd.schema.xml import decode


@pytest.fixture(scope="session")
def schema() -> Schema:
    return SCHEMA


@pytest.fixture(scope="session")
def validator(schema: Schema) -> Validator:
    return Validator(schema)


@pytest.fixture(scope="session")
def tree_of(schema: Schema) -> Callable[..., Container]:
    """A tree from elements, or from the text of some in the default namespace of the fixture module."""

    def build(source: str | etree._Element, *, state: bool = False) -> Container:
        if isinstance(source, str):
            source = etree.fromstring(f'<data xmlns="{schema.namespace_of("fixture")}">{source}</data>')
        return decode(schema, source, state=state)

    return build
