"""The XPath expressions of the models, each with what its prefixes mean and where it starts."""

from __future__ import annotations

import re
from typing import Any

from .load import Statement

Expression = dict[str, Any]
# A prefix, but not the axis of `child::name`. In a string too: an identity's name may stand there.
_PREFIX = re.compile(r"(?<![\w.\-])([A-Za-z_][\w.\-]*):(?!:)", re.ASCII)


def whens(statement: Statement) -> list[Expression]:
    """The conditions on a data node, choice or case, and on the augment or uses that brought it."""
    found = [xpath(statement, when, above=_is_above(statement, when)) for when in statement.search("when")]
    augment = getattr(statement, "i_augment", None)
    if augment is not None:
        found += [xpath(statement, when, above=True) for when in augment.search("when")]
    return found


def musts(statement: Statement) -> list[Expression]:
    """The conditions on the instances of a data node."""
    return [xpath(statement, must) for must in statement.search("must")]


def xpath(statement: Statement, holder: Statement, *, above: bool = False) -> Expression:
    """What `holder` says of `statement`; with `above` it starts at the data node above."""
    known = holder.i_orig_module.i_prefixes
    used = [prefix for prefix in dict.fromkeys(_PREFIX.findall(holder.arg)) if prefix in known]
    found: Expression = {
        "xpath": holder.arg,
        # Of a name without a prefix; where a grouping brought the expression, the module that uses it.
        "module": statement.main_module().arg,
        "prefixes": {prefix: known[prefix][0] for prefix in used},
        "above": above,
    }
    return {name: value for name, value in found.items() if value}


def _is_above(statement: Statement, when: Statement) -> bool:
    """RFC 7950 section 7.21.5: only a data node's own condition starts at that node."""
    return statement.keyword in ("choice", "case") or getattr(when, "i_origin", None) == "uses"
