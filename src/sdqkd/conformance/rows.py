"""The rows of a YANG module as the published tables have them, and in what two tables differ."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from sdqkd.conformance.case import HERE

Row: TypeAlias = dict[str, str]
Statement: TypeAlias = Any  # a pyang statement; pyang carries no types


def rows_below(statement: Statement, path: str, module: str) -> Iterator[Row]:
    """One row for each node that the module itself defines below a statement; not what others augment."""
    for child in getattr(statement, "i_children", ()):
        if child.i_module.arg != module:
            continue
        yield _row(child, f"{path}/{child.arg}")
        yield from rows_below(child, f"{path}/{child.arg}", module)


def types_of(module: Statement) -> Iterator[Row]:
    """One row for each identity and typedef of a module, in its order."""
    for statement in module.substmts:
        if statement.keyword == "identity":
            text, pattern = argument(statement, "base"), ""
        elif statement.keyword == "typedef":
            text = _type_text(statement.search_one("type"))
            pattern = argument(statement.search_one("type"), "pattern")
        else:
            continue
        yield {"statement": statement.keyword, "name": statement.arg, "base_or_type": text, "pattern": pattern}


def _row(node: Statement, path: str) -> Row:
    type_statement = node.search_one("type")
    return {
        "path": path,
        "kind": node.keyword,
        "config": {True: "true", False: "false", None: "-"}[node.i_config],
        "type": _type_text(type_statement) if type_statement else "",
        "mandatory": argument(node, "mandatory"),
        "default": argument(node, "default"),
        "key": argument(node, "key"),
    }


def argument(statement: Statement, keyword: str) -> str:
    """The argument of a substatement, empty if it is not there."""
    found = statement.search_one(keyword)
    return str(found.arg) if found else ""


def _type_text(statement: Statement) -> str:
    if typedef := statement.i_typedef:
        return f"{typedef.main_module().i_prefix}:{typedef.arg}"
    restrictions = [f" {part.keyword}={part.arg}" for part in statement.substmts if part.keyword != "pattern"]
    return "".join([statement.arg, *restrictions])


def conditions_of(statement: Statement) -> Iterator[str]:
    """The XPath of each `when` below a statement, as it is written in the module."""
    for child in statement.substmts:
        if child.keyword == "when":
            yield re.sub(r"\s+", " ", child.arg)
        yield from conditions_of(child)


def published(kind: str) -> list[Row]:
    """The published rows of ETSI GS QKD 015 V2.1.1: `nodes` or `types`."""
    file = HERE / "published" / f"etsi-qkd-015-v2.1.1.{kind}.tsv"
    with file.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows, delimiter="\t"))


def differences_of(wanted: list[Row], found: list[Row]) -> Iterator[str]:
    """What is missing, what is too much, and what is otherwise."""
    here, there = {_name(row): row for row in wanted}, {_name(row): row for row in found}
    yield from (f"{one} is missing" for one in here if one not in there)
    yield from (f"{one} is not published" for one in there if one not in here)
    for one, row in here.items():
        other = there.get(one, row)
        for column, value in row.items():
            if other[column] != value:
                yield f"{one}: {column} is {other[column] or 'absent'} instead of {value or 'absent'}"


def _name(row: Row) -> str:
    return row["path"] if "path" in row else f"{row['statement']} {row['name']}"
