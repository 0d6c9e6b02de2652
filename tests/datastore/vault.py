"""A schema with every construct that access control tells apart (`data/vault`), and trees of it."""

from __future__ import annotations

import functools
from pathlib import Path

from lxml import etree
from tools.yang_compiler.load import load
from tools.yang_compiler.sets import read_sets
from tools.yang_compiler.table import write_table

from sdqkd.schema.table import Schema, read_table
from sdqkd.schema.tree import Container
from sdqkd.schema.xml import decode

YANG = Path(__file__).parent / "data" / "vault"
VAULT, ANNEX = "urn:sdqkd:test:vault", "urn:sdqkd:test:annex"
_NACM = "urn:ietf:params:xml:ns:yang:ietf-netconf-acm"


@functools.cache
def vault_schema() -> Schema:
    """Compile the models, once."""
    (model_set,) = read_sets(YANG)
    return read_table(write_table(load(model_set, YANG)), (YANG,))


def vault(inside: str, *, state: bool = True) -> Container:
    """A tree from the content of the container `vault`; the prefix `a` is that of annex."""
    return whole(f"<vault>{inside}</vault>", state=state)


def whole(elements: str, *, state: bool = True) -> Container:
    """A tree from top-level elements, in the namespace of vault where they name none."""
    text = f'<data xmlns="{VAULT}" xmlns:v="{VAULT}" xmlns:a="{ANNEX}">{elements}</data>'
    return decode(vault_schema(), etree.fromstring(text), state=state)


def nacm(inside: str) -> Container:
    """A configuration with the content of the container `nacm`; `v`, `a` and `n` are bound for paths."""
    return whole(f'<nacm xmlns="{_NACM}" xmlns:n="{_NACM}">{inside}</nacm>')
