"""The matrix: every fault at every point, and what came of it.

    python -m tests.controller.matrix [--seed N --sample N] [--only TEXT] [--markdown]

Exits with 1 if a promise was broken anywhere.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.controller.matrix.faults import ROWS, Row
from tests.controller.matrix.site import BrokenPromise, Site


def played(site: Site, row: Row, sample: int | None, chance: random.Random) -> tuple[int, Counter[str], list[str]]:
    """How many points there are, what came of those that were tried, and the promises that were broken."""
    try:
        points = list(row.points(site))
    except BrokenPromise as error:
        return 0, Counter(BROKEN=1), [f"{row.name}, before any fault: {error}"]
    chosen = points if sample is None or sample >= len(points) else chance.sample(points, sample)
    outcomes: Counter[str] = Counter()
    broken = []
    for point in chosen:
        try:
            outcomes[row.play(site, *point)] += 1
        except BrokenPromise as error:
            outcomes["BROKEN"] += 1
            broken.append(f"{row.name}, {point}: {error}")
        except Exception as error:
            error.add_note(f"{row.name}, {point}")
            raise
    return len(points), outcomes, broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample", type=int, help="points of each fault; all unless given")
    parser.add_argument("--only", default="", help="faults whose name has this text")
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args()
    chance, broken = random.Random(given.seed), []
    form = "| {} | {} | {} | {} |" if given.markdown else "{:68} {:>5} {:>6}  {}"
    print(form.format("fault", "tried", "points", "what came of it"))
    if given.markdown:
        print("|---|---:|---:|---|")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        try:
            for row in ROWS:
                if given.only in row.name:
                    points, outcomes, faults = played(site, row, given.sample, chance)
                    told = ", ".join(f"{count} {what}" for what, count in sorted(outcomes.items()))
                    print(form.format(row.name, outcomes.total(), points, told), flush=True)
                    broken += faults
        finally:
            site.close()
    print(f"\n{time.monotonic() - began:.0f} s" + (f", seed {given.seed}" if given.sample else ""))
    for fault in broken:
        print(f"BROKEN: {fault}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
