"""What all benchmarks print: the machine, and figures as median, smallest, largest."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterator, Mapping, Sequence

Figures = dict[str, list[float]]


def machine() -> dict[str, object]:
    """The size of this machine, without which no figure means anything."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory_bytes / 2**30),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def machine_line() -> str:
    """The same for people."""
    size = machine()
    return f"{size['cores']} cores, {size['memory_gib']} GiB, Python {size['python']}, {size['system']}"


def median(values: Sequence[float]) -> float:
    """The middle of some values, NaN without any."""
    return statistics.median(values) if values else float("nan")


def spread(values: Sequence[float]) -> str:
    """Median with the smallest and the largest, three digits each."""
    return f"{median(values):.3g} ({min(values):.3g} to {max(values):.3g})" if values else "-"


def table(figures: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """The figures as a Markdown table."""
    yield machine_line()
    yield ""
    yield "| figure | median | min | max | runs |"
    yield "|---|---|---|---|---|"
    for name, values in figures.items():
        yield f"| {name} | {median(values):.3g} | {min(values):.3g} | {max(values):.3g} | {len(values)} |"


def resident_mib(pid: int | str = "self") -> float:
    """Memory that a process holds, shared libraries included, in MiB."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor_s(pid: int) -> float:
    """Seconds that a process has worked, in its own code and in the system's."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as line:
        fields = line.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
