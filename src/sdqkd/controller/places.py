"""From an instance path to the line of the file where it stands, so that an error names its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sdqkd.errors import InputError, InputErrors, RpcError, RpcErrors

Lines = Mapping[str, int]  # instance path to line, counted from 1


def nearest(lines: Lines, path: str | None) -> tuple[str | None, int | None]:
    """The deepest part of `path` that the file has, with its line. Without any: the path itself and no line."""
    for part in _shorter(path or ""):
        if part in lines:
            return part, lines[part]
    return path, None


def _shorter(path: str) -> Iterable[str]:
    # A slash or bracket inside a key value makes a part that no file has, which does no harm.
    yield path
    for end in range(len(path) - 1, 0, -1):
        if path[end] in "/[":
            yield path[:end]


def placed(errors: Iterable[InputError], file: str, lines: Lines) -> InputErrors:
    """The same errors with file and line, in the order of the lines."""
    found = []
    for error in errors:
        path, line = nearest(lines, error.path)
        found.append(InputError(error.message, file, line, path))
    return InputErrors(sorted(found, key=lambda error: error.line or 0))


def from_model(error: RpcError | RpcErrors, file: str, lines: Lines) -> InputErrors:
    """What the model says against a file, as errors of the file."""
    errors = error.errors if isinstance(error, RpcErrors) else (error,)
    return placed((InputError(each.message, path=each.path) for each in errors), file, lines)
