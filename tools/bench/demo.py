"""Figures of the demonstration network: `python -m tools.bench demo [--runs N] [--json]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .report import Figures, machine, table

NETWORK = Path(__file__).parents[2] / "examples" / "madqci" / "network.yaml"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench demo", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each command, after one that does not count")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(arguments)
    figures: Figures = {}
    for name, value in (*measure_help(options.runs), *measure_demo(options.runs)):
        figures.setdefault(name, []).append(value)
    if options.json:
        print(json.dumps({"machine": machine(), "figures": figures}, indent=2))
    else:
        print("\n".join(table(figures)))


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
