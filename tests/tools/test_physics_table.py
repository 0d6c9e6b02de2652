"""The table of the physics is what the command writes, and the checks that have an answer come out right."""

import math
from pathlib import Path

import pytest
from tools.physics_table.document import document
from tools.physics_table.published import rows
from tools.physics_table.table_two import against_the_loss, measured, predictions

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "madqci" / "network.yaml"


def test_the_document_is_as_computed():
    assert (ROOT / "docs" / "physics.md").read_text("utf-8") == document(EXAMPLE)


@pytest.mark.parametrize("source", ["ITU-T G.694.1", "Raman check figures", "Gobby, Yuan, Shields 2004"])
def test_what_needs_no_assumption_agrees(source):
    found = [row for row in rows() if row.source == source]
    assert found
    for row in found:
        assert row.ours == pytest.approx(row.published, rel=0.025)


def test_every_link_of_table_two_is_predicted_from_others_alone():
    links = measured(EXAMPLE)
    found = list(predictions(links))
    assert [one.link for one in found] == list(links)
    assert len(found) == 15
    for one in found:
        assert 0 <= one.by_loss_bps < math.inf
        assert 0 <= one.with_noise_bps < math.inf


def test_the_pair_that_only_noise_can_explain_is_named():
    pairs = {(near.name, far.name): explained for near, far, explained in against_the_loss(measured(EXAMPLE))}
    assert pairs["Quevedo-Quijano-Toshiba", "Distrito-Concepcion-Toshiba"]
    assert len(pairs) == 4
