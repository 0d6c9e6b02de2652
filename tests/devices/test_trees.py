import doctest

import pytest

from sdqkd.devices import qkd_link, trees
from sdqkd.schema.table import load
from sdqkd.schema.types import canonical


@pytest.mark.parametrize("module", [trees, qkd_link])
def test_examples(module):
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)


@pytest.mark.parametrize("value", [0.0, -0.0004, 7.47, 100.0, 12.3456, 1e-9])
def test_decimals_are_canonical(value):
    node = load("qkd-node").node(("etsi-qkd-sdn-node:qkd_node", "qkd_links", "qkd_link", "phys_channel_att"))
    assert canonical(node.type, trees.decimal(value, 3)) == trees.decimal(value, 3)
