"""What people see: progress and messages on stderr, results on stdout, as text or as JSON.

Colours and moving bars only where a terminal reads; NO_COLOR and pipes are obeyed (rich does both).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 140  # of tables that no terminal reads


class ProgressLines:
    """Progress on stderr: moving bars on a terminal, one line a finished step elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not self._live,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> ProgressLines:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of `total` have been done of `what`."""
        if not self._live:
            if done == total:
                click.echo(f"{what}: {done}/{total}", err=True)
            return
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)


def note(message: str) -> None:
    """One line on stderr, for people."""
    click.echo(message, err=True)


def show(renderable: Table | Text | str) -> None:
    """A result for people on stdout; as wide as the terminal, or wide enough for a table where there is none."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    console.print(renderable, soft_wrap=isinstance(renderable, (str, Text)))


def show_json(value: Any) -> None:
    """A result for programs on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
