"""Compile the YANG models of `yang/` into `bindings/`: schema tables and typed classes.

python tools/compile_models.py            write what changed
python tools/compile_models.py --check    write nothing; exit 1 and name the stale files, if any
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from sdqkd.errors import ModelError
from yang_compiler.classes import write_classes
from yang_compiler.load import load
from yang_compiler.sets import read_sets
from yang_compiler.table import write_table

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "sdqkd_bindings"
BY_HAND = ("__init__.py", "json.py")


def compile_all(yang_dir: Path) -> dict[str, str]:
    """Every file to be made, by its path below the bindings folder. Raises `ModelError`."""
    files: dict[str, str] = {}
    for model_set in read_sets(yang_dir):
        _say(f"compiling {model_set.name}")
        loaded = load(model_set, yang_dir)
        files[f"{PACKAGE}/schema/{model_set.name}.json"] = write_table(loaded)
        if model_set.python:
            files[f"{PACKAGE}/{model_set.python}.py"] = write_classes(loaded)
    return files


def stale(files: Mapping[str, str], bindings_dir: Path) -> list[str]:
    """The files below the bindings folder that differ from `files`, are missing, or are no longer made."""
    package = bindings_dir / PACKAGE
    present = {*package.glob("schema/*.json"), *package.glob("*.py")} - {package / name for name in BY_HAND}
    made_before = {path.relative_to(bindings_dir).as_posix() for path in present}
    differing = {name for name, text in files.items() if _read(bindings_dir / name) != text}
    return sorted(differing | (made_before - set(files)))


def write(files: Mapping[str, str], bindings_dir: Path) -> list[str]:
    """Write what is stale, remove what is no longer made. Returns the names of both."""
    changed = stale(files, bindings_dir)
    for name in changed:
        path = bindings_dir / name
        if name in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return changed


def _read(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8") if path.exists() else None


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    parser.add_argument(
        "--yang", type=Path, default=ROOT / "yang", metavar="DIR", help="the models (default: %(default)s)"
    )
    parser.add_argument(
        "--bindings", type=Path, default=ROOT / "bindings", metavar="DIR", help="(default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    try:
        files = compile_all(options.yang)
    except ModelError as error:
        _say(str(error))
        return 1
    changed = stale(files, options.bindings) if options.check else write(files, options.bindings)
    for name in changed:
        print(f"{'stale' if options.check else 'wrote' if name in files else 'removed'}: {name}")
    if not changed:
        _say("up to date")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
