"""Work in steps: after each, whoever does it may let others have their turn."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

Result = TypeVar("Result")
Steps: TypeAlias = Generator[None, None, Result]


def finish(steps: Steps[Result]) -> Result:
    """Do all that is left at once, and give what comes of it."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: Result = done.value
            return result
