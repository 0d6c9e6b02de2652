"""A sample of the matrix of faults, another one each week but the same in CI; `make matrix` runs all of it.

Real controllers in processes of their own, real agents over SSH. `SDQKD_MATRIX_SEED` chooses the sample.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest
from tests.controller.matrix.__main__ import played
from tests.controller.matrix.faults import ROWS, Row
from tests.controller.matrix.site import Site

SEED = int(os.environ.get("SDQKD_MATRIX_SEED") or time.strftime("%G%V"))
# Each point of these waits for timers or for an agent to start.
SLOW = ("cut off", "agent killed", "timer that never fires", "slower than")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("matrix"))
    yield site
    site.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_all_devices_are_old_or_new_or_it_is_said_which_are_in_doubt(site: Site, row: Row) -> None:
    sample = 1 if any(word in row.name for word in SLOW) else 4
    print(f"to repeat: SDQKD_MATRIX_SEED={SEED}")  # shown with whatever fails
    points, outcomes, broken = played(site, row, sample, random.Random(f"{SEED} {row.name}"))
    assert not broken, "\n".join(broken)
    assert outcomes.total() == min(points, sample)


def test_the_oracle_sees_devices_that_differ(site: Site) -> None:
    """Were it blind, the matrix would prove nothing."""
    site.begin()
    site.agents["bravo-transponder"].ask("change", "-2.0")
    with pytest.raises(AssertionError, match="devices differ, and nobody says so"):
        site.judge({"result": "done", "left": {}})
    site.begin()
    site.agents["bravo-transponder"].ask("lock")
    with pytest.raises(AssertionError, match="is not left in order"):
        site.judge({"result": "done", "left": {}})
    site.begin()
    (outcome,) = site.run(site.job())
    for agent in site.agents.values():
        agent.ask("change", "-3.0")
    with pytest.raises(AssertionError, match="holds something else than the journal says"):
        site.judge(outcome)


@pytest.mark.parametrize(
    ("write", "seen"),
    [
        (2, "lock, and the journal has none"),
        (3, "edit-config, and the journal has none"),
        (4, "committed, and the journal does not know that it was to be"),
        (5, "confirmed, and the journal has no decision to confirm"),
    ],
)
def test_the_oracle_sees_what_is_sent_before_it_is_in_the_journal(site: Site, write: int, seen: str) -> None:
    """A journal that keeps one write to itself until the next, and says that it was flushed."""
    site.begin()
    late = {"kind": "flush", "bytes": "late", "what": "journal", "at": write, "when": "before"}
    with pytest.raises(AssertionError, match=f"sent before it was in the journal: .*: {seen}"):
        site.run(site.job(fault=late))
