"""YANG types: a `type` statement with its typedefs, restrictions and leafref becomes a TYPE of the table."""

from __future__ import annotations

from typing import Any

from pyang import statements, util

from sdqkd.errors import ModelError

from .conditions import xpath
from .load import Statement

Type = dict[str, Any]

INTEGERS = {
    **{f"int{bits}": (str(-(2 ** (bits - 1))), str(2 ** (bits - 1) - 1)) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": ("0", str(2**bits - 1)) for bits in (8, 16, 32, 64)},
}
LENGTHS = ("0", str(2**64 - 1))


def identity_name(identity: Statement) -> str:
    """`module:IDENTITY`, the canonical text of an identityref's value."""
    return f"{identity.main_module().arg}:{identity.arg}"


def compile_type(ctx: Any, leaf: Statement) -> Type:
    """The TYPE of a leaf or leaf-list, docs/models.md. `leaf` is where a leafref's path starts."""
    return _compile(ctx, leaf, leaf.search_one("type"))


def _compile(ctx: Any, leaf: Statement, statement: Statement) -> Type:
    typedef = statement.i_typedef
    if typedef is None:
        compiled: Type = {"base": statement.arg}
    else:
        below = _compile(ctx, leaf, typedef.search_one("type"))
        compiled = {"base": below["base"], "name": ""} | below | {"name": typedef.arg}
    _restrict(compiled, statement)
    _add_members(ctx, leaf, statement, compiled)
    return compiled


def _restrict(compiled: Type, statement: Statement) -> None:
    """Lay the restrictions written in one `type` statement over those of the type below it."""
    if digits := statement.search_one("fraction-digits"):
        compiled["fraction-digits"] = int(digits.arg)
    if expression := statement.search_one("range"):
        compiled["range"] = _intervals(expression.arg, compiled.get("range") or [_numeric_limits(compiled)])
    if expression := statement.search_one("length"):
        compiled["length"] = _intervals(expression.arg, compiled.get("length") or [LENGTHS])
    if patterns := [_pattern(pattern) for pattern in statement.search("pattern")]:
        compiled["patterns"] = [*compiled.get("patterns", []), *patterns]
    if enums := [enum for enum in statement.search("enum") if _implemented(enum)]:
        _set_enums(compiled, enums)
    if bits := [bit for bit in statement.search("bit") if _implemented(bit)]:
        compiled["bits"] = [bit.arg for bit in sorted(bits, key=lambda bit: int(bit.i_position))]
    if required := statement.search_one("require-instance"):
        compiled["require-instance"] = required.arg == "true"


def _set_enums(compiled: Type, enums: list[Statement]) -> None:
    """The names, and their numbers unless these are 0, 1, 2 …"""
    names = compiled.get("enums", [])
    # What restricts an enumeration keeps its numbers (RFC 7950 section 9.6.4.2), pyang's are new ones.
    numbers = dict(zip(names, compiled.pop("enum-values", range(len(names))), strict=True))
    values = [numbers.get(enum.arg, int(enum.i_value)) for enum in enums]
    compiled["enums"] = [enum.arg for enum in enums]
    if values != list(range(len(values))):
        compiled["enum-values"] = values


def _add_members(ctx: Any, leaf: Statement, statement: Statement, compiled: Type) -> None:
    """The parts that only the `type` statement of a built-in type has, beside its restrictions."""
    if statement.arg == "identityref":
        compiled["bases"] = [identity_name(base.i_identity) for base in statement.search("base")]
    elif statement.arg == "union":
        compiled["types"] = [_compile(ctx, leaf, member) for member in statement.search("type")]
    elif statement.arg == "leafref":
        target = _leafref_target(ctx, leaf, statement)
        compiled["path"] = schema_path(target)
        compiled["reference"] = xpath(leaf, statement.search_one("path"))
        compiled.setdefault("require-instance", True)
        compiled["target"] = _final(compile_type(ctx, target))
    elif statement.arg == "instance-identifier":
        compiled.setdefault("require-instance", True)


def _final(compiled: Type) -> Type:
    target: Type = compiled["target"] if compiled["base"] == "leafref" else compiled
    return target


def _leafref_target(ctx: Any, leaf: Statement, statement: Statement) -> Statement:
    spec = statement.i_type_spec
    found = statements.validate_leafref_path(ctx, leaf, spec.path_spec, spec.path_, accept_non_config_target=True)
    if found is None or found[0] is None:
        raise ModelError(f"{leaf.pos}: leafref {spec.path_.arg} leads nowhere")
    return found[0]


def schema_path(node: Statement) -> str:
    """The schema path of a data node in member names, without choices and cases."""
    steps: list[Statement] = []
    at = node
    while at.keyword not in ("module", "submodule"):
        if at.keyword not in ("choice", "case"):
            steps.insert(0, at)
        at = at.parent
    modules = [None, *(step.main_module().arg for step in steps)]
    return "".join(
        f"/{step.arg}" if module == modules[index] else f"/{module}:{step.arg}"
        for index, (step, module) in enumerate(zip(steps, modules[1:], strict=True))
    )


def _numeric_limits(compiled: Type) -> tuple[str, str]:
    if compiled["base"] != "decimal64":
        return INTEGERS[compiled["base"]]
    digits = compiled["fraction-digits"]
    whole, fraction = str(2**63 - 1)[:-digits], str(2**63 - 1)[-digits:]
    return f"-{whole}.{int(fraction) + 1:0{digits}}", f"{whole}.{fraction}"


def _intervals(expression: str, below: list[Any]) -> list[list[str]]:
    """`1..5 | 9..max` as [["1", "5"], ["9", highest]]. `below` gives what min and max stand for."""
    limits = {"min": below[0][0], "max": below[-1][1]}
    parts = ([limits.get(end.strip(), end.strip()) for end in part.split("..")] for part in expression.split("|"))
    return [[part[0], part[-1]] for part in parts]


def _pattern(statement: Statement) -> dict[str, Any]:
    inverted = {"invert": True} if statement.search_one("modifier") else {}
    return {"regex": statement.arg, **inverted}


def _implemented(statement: Statement) -> bool:
    return not hasattr(statement, "i_not_implemented")


def canonical_default(type_statement: Statement, default: Statement) -> str:
    """The default value as an instance would have it: identities with module, numbers unadorned."""
    return _canonical(type_statement, default.arg, default)


def _canonical(statement: Statement, text: str, default: Statement) -> str:
    if statement.i_typedef is not None:
        return _canonical(statement.i_typedef.search_one("type"), text, default)
    if statement.arg == "union":
        return next(
            (_canonical(m, text, default) for m in statement.search("type") if _fits(m, text, default)), text
        )
    if statement.arg == "identityref":
        return identity_name(_find_identity(text, default))
    if statement.arg in INTEGERS:
        return str(statement.i_type_spec.str_to_val([], default.pos, text, None))
    if statement.arg == "decimal64":
        return _plain_decimal(text)
    if statement.arg == "bits":
        positions = {bit.arg: int(bit.i_position) for bit in statement.search("bit")}
        return " ".join(sorted(text.split(), key=lambda name: positions[name]))
    return text


def _fits(statement: Statement, text: str, default: Statement) -> bool:
    errors: list[Any] = []
    spec = statement.i_type_spec
    value = spec.str_to_val(errors, default.pos, text, default.i_orig_module)
    return value is not None and not errors and spec.validate(errors, default.pos, value, None) is not False


def _find_identity(text: str, default: Statement) -> Statement:
    prefix, name = util.split_identifier(text)
    module = default.i_orig_module
    if prefix is not None and prefix != module.i_prefix:
        module = util.prefix_to_module(module, prefix, default.pos, [])
    return module.i_identities[name]


def _plain_decimal(text: str) -> str:
    """RFC 7950 section 9.3.2: no leading zeros, at least one digit after the point, else no trailing ones."""
    sign = "-" if text.startswith("-") else ""
    whole, _, fraction = text.lstrip("+-").partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}.{fraction.rstrip('0') or '0'}"
