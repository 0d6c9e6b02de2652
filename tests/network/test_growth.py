"""How long the model takes to judge a large network file."""

from __future__ import annotations

import time

from tools.bench.ring import network_text

from sdqkd.network.read import TOP
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, Entries, put
from sdqkd.schema.validate import Validator
from sdqkd.schema.yaml import read_yaml

SCHEMA = load("network")
NODES = 1500


def _least_s(*trees: Container) -> list[float]:
    """Processor time of judging each of the trees as a new one; in turns, so that what else runs slows all."""
    return [min(times) for times in zip(*([_judged_s(tree) for tree in trees] for _ in range(3)), strict=True)]


def _judged_s(tree: Container) -> float:
    validator = Validator(SCHEMA)
    began_s = time.process_time()
    validator.check(tree)
    return time.process_time() - began_s


def test_a_file_without_multiplexers_takes_no_longer_than_one_with_them() -> None:
    """libyang walks through everything to find that a list is empty, for each lookup in it: 2.4 times as long."""
    without = read_yaml(SCHEMA, network_text(NODES), "ring.yaml").tree
    ports = Entries({("line",): Container({"name": "line"})})
    kind = Container({"name": "terminal", "line-port": "line", "port": ports})
    some = put(SCHEMA, without, (TOP, "multiplexer-type"), Entries({("terminal",): kind}))
    one = Container({"name": "M", "site": "S0", "type": "terminal"})
    some = put(SCHEMA, some, (TOP, "multiplexer"), Entries({("M",): one}))
    without_s, some_s = _least_s(without, some)
    assert without_s < 1.5 * some_s
