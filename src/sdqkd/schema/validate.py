"""Whole trees against everything that the models say, by libyang: must, when, leafref, mandatory, unique …

What libyang finds becomes rpc-errors with the tags of RFC 7950 section 15, said for people.
"""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Collection, Sequence
from pathlib import Path as FilePath
from typing import Any

import oopt_gnpy_libyang as libyang

from sdqkd.errors import ModelError, RpcErrors
from sdqkd.schema.constraints import Kind
from sdqkd.schema.delta import delta
from sdqkd.schema.diff import diff
from sdqkd.schema.findings import Finding, causes, explain
from sdqkd.schema.free import are_free
from sdqkd.schema.path import parse_path
from sdqkd.schema.reach import ALL, CONDITIONS, reach
from sdqkd.schema.rule_path import with_judgeable_rules
from sdqkd.schema.sources import pyang_folders
from sdqkd.schema.table import Schema, SchemaNode
from sdqkd.schema.tree import Container, Path, get, remove
from sdqkd.schema.xml import encode

SHOWN_ERRORS = 20
# Running, candidate, and one that somebody asks about.
_REMEMBERED = 3
# libyang carries these itself, in a newer revision than pyang.
_BUILT_IN = frozenset({"ietf-inet-types", "ietf-yang-types", "ietf-yang-metadata"})

_Parse = libyang.ParseOptions
_Check = libyang.ValidationOptions
_WHOLE = (_Parse.Strict | _Parse.NoState, _Check.MultiError | _Check.NoState)  # a whole configuration


class Validator:
    """Checks trees of one schema. Making one is cheap: the loaded models are kept for each schema.

    It remembers the last trees that were right. What is checked next is compared with one of these, and only
    what the difference can reach is judged by libyang; the verdict is that on the whole tree.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._context = _context(schema)
        self._right: deque[Container] = deque(maxlen=_REMEMBERED)
        self._settled: deque[Container] = deque(maxlen=_REMEMBERED)

    def check(self, tree: Container, *, state: bool = False) -> None:
        """The whole tree, mandatory nodes at the top included; with `state`, it may hold state.

        Raises RpcError, or RpcErrors if there are several: `operation-failed` with the app-tag
        `must-violation`, `data-not-unique`, `too-few-elements` or `too-many-elements`, `data-missing`
        (`instance-required`, `missing-choice`, or a mandatory node), `unknown-element` (a when that is
        false), `invalid-value`.
        """
        if state:
            self._raise(tree, self._findings(tree, _Parse.Strict, _Check.MultiError))
            return
        part = self._part(tree, self._right, ALL)
        if part is not None:
            self._raise(tree, self._findings(part, *_WHOLE))
        self._right.appendleft(tree)

    def _part(self, tree: Container, known: Sequence[Container], kinds: tuple[Kind, ...]) -> Container | None:
        """What must be judged of `tree`, of which some trees before are known to be right; None for nothing."""
        if any(tree is one for one in known):
            return None
        if not known:
            return tree
        if are_free(self._schema, diff(self._schema, known[0], tree)):
            return None
        found = delta(self._schema, known[0], tree)
        return reach(self._schema, tree, found, kinds) if found else None

    def settle(
        self, before: Container, after: Container, named: Callable[[], Collection[Path]] = tuple
    ) -> Container:
        """`after` without the nodes whose `when` an edit of `before` has made false (RFC 7950 section 8.3.2).

        A node that the request itself gave (one of `named()`, or different from `before`) is not deleted
        but refused. Raises RpcError `unknown-element`.
        """
        if after is before or not _has_conditions(self._schema) or self._stays_right(before, after):
            return after
        known = [before] if any(before is one for one in (*self._right, *self._settled)) else []
        while paths := self._false_conditions(self._part(after, known, CONDITIONS)):
            given = named()
            for path, finding in paths.items():
                if path in given or get(before, path) != get(after, path):
                    raise explain(self._schema, after, finding)
            for path in paths:
                after = remove(after, path, self._schema)
        self._settled.appendleft(after)
        return after

    def _stays_right(self, before: Container, after: Container) -> bool:
        """Whether an edit of a right tree gave another: then no condition is false, nor has `check` more to do."""
        if not any(before is one for one in self._right):
            return False
        part = self._part(after, [before], ALL)
        if part is not None and self._findings(part, *_WHOLE):
            return False
        self._right.appendleft(after)
        return True

    def _false_conditions(self, part: Container | None) -> dict[Path, Finding]:
        check = _Check.MultiError | _Check.NotFinal | _Check.NoDefaults
        found = [] if part is None else self._findings(part, _Parse.Strict, check)
        return {
            parse_path(self._schema, finding.path): finding
            for finding in found
            if finding.is_false_condition and finding.path
        }

    def _findings(self, tree: Container, parse: Any, check: Any) -> list[Finding]:
        """What libyang reports. Its errors stay with the context until they are read, so they are always."""
        text = encode(self._schema, with_judgeable_rules(self._schema, tree)).decode()
        data, form = (text, libyang.DataFormat.XML) if text else ("{}", libyang.DataFormat.JSON)
        try:
            self._context.parse_data(data, form, parse, check)
        except libyang.Error:
            return _stored_errors(self._context) or [Finding("libyang refuses this data without a reason")]
        finally:
            self._context.clean_all_errors()
        return []

    def _raise(self, tree: Container, findings: list[Finding]) -> None:
        if not findings:
            return
        findings = causes(self._schema, findings)
        errors = [explain(self._schema, tree, finding) for finding in findings[:SHOWN_ERRORS]]
        errors = list({(error.tag, error.message, error.path): error for error in errors}.values())
        if len(findings) > SHOWN_ERRORS:
            errors[-1].message += f" (and {len(findings) - SHOWN_ERRORS} more problems)"
        if len(errors) == 1:
            raise errors[0]
        raise RpcErrors(errors)


def _stored_errors(context: Any) -> list[Finding]:
    return [
        Finding(error.message or "", error.data_path, error.app_tag, at_parsing=bool(error.line))
        for error in context.errors()
        if error.level == libyang.LogLevel.Error
    ]


@functools.cache
def _context(schema: Schema) -> Any:
    """A libyang context that implements what the schema implements. Raises ModelError."""
    libyang.set_log_options(libyang.LogOptions.Store)  # nothing of it belongs on stderr
    options = libyang.ContextOptions.NoYangLibrary | libyang.ContextOptions.DisableSearchCwd
    context = libyang.Context(os.pathsep.join(map(str, _module_folders(schema))), options)
    for module in schema.modules:
        if not module.implemented:
            continue
        try:
            context.load_module(module.name, module.revision or None, list(module.features))
        except libyang.Error as error:
            reasons = "; ".join(finding.message for finding in _stored_errors(context)) or str(error)
            raise ModelError(f"the module {module.name} cannot be loaded: {reasons}") from error
    context.clean_all_errors()
    return context


def _module_folders(schema: Schema) -> list[FilePath]:
    folders: dict[FilePath, None] = {}
    for module in schema.modules:
        for folder in schema.model_dirs:
            if module.file and (folder / module.file).is_file():
                folders[(folder / module.file).parent] = None
    if any(not module.file and module.name not in _BUILT_IN for module in schema.modules):
        folders |= dict.fromkeys(pyang_folders())
    return list(folders)


@functools.cache
def _has_conditions(schema: Schema) -> bool:
    return any(map(_conditional_below, schema.data.values()))


def _conditional_below(node: SchemaNode) -> bool:
    # An edit makes no state.
    return node.config and (node.has_when or any(map(_conditional_below, node.children.values())))
