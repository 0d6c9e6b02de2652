"""What people see: progress and messages on stderr, results on stdout, as text or as JSON.

Colours and moving bars only where a terminal reads; NO_COLOR and pipes are obeyed (rich does both).
"""

from __future__ import annotations

import json
import sys
from typing import Any, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

PLAIN_WIDTH = 140  # of tables that no terminal reads


class ProgressLines:
    """Progress on stderr: a moving bar on a terminal while a step lasts, one line for each finished step.

    No bar is left when a step is done, so that results can be printed between the steps.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def __call__(self, what: str, done: int, total: int) -> None:
        """`done` of `total` have been done of `what`."""
        if done >= total:
            self._clear()
            note(f"{what}: {done}/{total}")
        elif self._console.is_terminal:
            self._move(what, done, total)

    def _move(self, what: str, done: int, total: int) -> None:
        if self._bar is None or self._task is None:
            columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task(what, total=total)
            self._bar.start()
        self._bar.update(self._task, description=what, completed=done, total=total)

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None


def note(message: str) -> None:
    """One line on stderr, for people."""
    click.echo(message, err=True)


def _results() -> Console:
    # What a person wrote may look like markup: nothing in it is.
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def width() -> int:
    """Columns for results: those of the terminal, or enough for a table where there is none."""
    return _results().width


def show(renderable: Table | Text | str) -> None:
    """A result for people on stdout."""
    _results().print(renderable, soft_wrap=isinstance(renderable, (str, Text)))


def show_json(value: Any) -> None:
    """A result for programs on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
