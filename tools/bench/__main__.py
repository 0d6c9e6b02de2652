"""Figures of the demonstration network: `python -m tools.bench [--runs N] [--json]`, from the checkout.

Nothing here is a test: it prints what it saw on this machine, median with the smallest and the largest.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

NETWORK = Path(__file__).parents[2] / "examples" / "madqci" / "network.yaml"
Figures = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each command, after one that does not count")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    figures: Figures = {}
    for name, value in (*measure_help(options.runs), *measure_demo(options.runs)):
        figures.setdefault(name, []).append(value)
    if options.json:
        print(json.dumps({"machine": machine(), "figures": figures}, indent=2))
    else:
        print("\n".join(table(figures)))


def machine() -> dict[str, object]:
    """The size of this machine, without which no figure means anything."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory_bytes / 2**30),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def run(*arguments: str) -> tuple[float, str]:
    """Seconds of one run of the command line, and what it printed. Ends the program if the run failed."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "sdqkd", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"sdqkd {' '.join(arguments)} exited with {done.returncode}:\n{done.stderr}")
    return time.perf_counter() - start, done.stdout


def measure_help(runs: int) -> Iterator[tuple[str, float]]:
    """Whole-process time of `sdqkd --help`, in seconds."""
    run("--help")
    for _ in range(runs):
        yield "sdqkd --help [s]", run("--help")[0]


def measure_demo(runs: int) -> Iterator[tuple[str, float]]:
    """Times and memory of the demonstration's steps, each run with agents of its own."""
    run("demo", str(NETWORK), "--json")
    for count in range(runs):
        print(f"demo: run {count + 1} of {runs}", file=sys.stderr)
        seconds, printed = run("demo", str(NETWORK), "--json")
        result = json.loads(printed)
        yield "demo, whole process [s]", seconds
        for step, took_s in result["steps_s"].items():
            yield f"demo: {step} [s]", took_s
        for process, used_mib in result["memory_mib"].items():
            yield f"demo: peak memory, {process} [MiB]", used_mib
        yield "agents started per second", result["devices"] / result["steps_s"]["start agents"]


def table(figures: Figures) -> Iterator[str]:
    """The figures as a Markdown table."""
    size = machine()
    yield f"{size['cores']} cores, {size['memory_gib']} GiB, Python {size['python']}, {size['system']}"
    yield ""
    yield "| figure | median | min | max | runs |"
    yield "|---|---|---|---|---|"
    for name, values in figures.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        yield f"| {name} | {middle:.3g} | {low:.3g} | {high:.3g} | {len(values)} |"


if __name__ == "__main__":
    main()
