"""From an instance path to the line of the file where it stands, so that an error names its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sdqkd.errors import InputError, InputErrors, RpcError, RpcErrors

Lines = Mapping[str, int]  # instance path to line, counted from 1

_DANGLING = ("instance-required", "unknown-element", "unknown-port")  # app-tags of references to nothing
_MODULES_DIFFER = "different-equipment"  # app-tag; so they do if the profile of one does not exist
_OWNERS = ("device", "element")  # leafs whose neighbours name a part of what they refer to
_ENTRY = re.compile(r"/[^/\[]+/[^/\[]+(\[[^=]+=('[^']*'|\"[^\"]*\")\])+")


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


def from_model(
    error: RpcError | RpcErrors, file: str, lines: Lines, unknown_profiles: Sequence[InputError] = ()
) -> InputErrors:
    """What the model says against a file, as errors of the file, with what refers to no equipment profile.

    An entry that refers to what is not there breaks other rules too, as those look at what it refers to. Told are
    then only the references of that entry: the rest follows from them.
    """
    errors = error.errors if isinstance(error, RpcErrors) else (error,)
    dangling = {_entry(each.path) for each in errors if each.app_tag in _DANGLING}
    told = [each for each in errors if each.app_tag in _DANGLING or _entry(each.path) not in dangling]
    # A rule that follows a reference to nothing is reported without a place, beside the reference itself.
    told = [each for each in told if each.path] or told
    told = [each for each in told if not (unknown_profiles and each.app_tag == _MODULES_DIFFER)]
    found = [InputError(each.message, path=each.path) for each in _roots(told)]
    return placed([*unknown_profiles, *found], file, lines)


def _roots(errors: Iterable[RpcError]) -> Iterator[RpcError]:
    """Without the faults of a port or line whose device, just beside it, is not there either."""
    all_errors = list(errors)
    owners = {
        _beside(each.path) for each in all_errors if each.app_tag in _DANGLING and _leaf(each.path) in _OWNERS
    }
    for each in all_errors:
        if _leaf(each.path) in _OWNERS or _beside(each.path) not in owners:
            yield each


def _entry(path: str | None) -> str:
    """The list entry of the network that a path lies in: `/top/list[key='…']`, up to its last predicate."""
    found = _ENTRY.match(path or "")
    return found.group() if found else path or ""


def _beside(path: str | None) -> str:
    return (path or "").rpartition("/")[0]


def _leaf(path: str | None) -> str:
    return (path or "").rpartition("/")[2]
