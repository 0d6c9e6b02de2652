"""<get-data> and <edit-data>: the datastores of RFC 8342, by the operations of RFC 8526.

Nothing is inactive or templated here, so intended is running. Operational is what is in use: running with its
defaults, and what the device reports.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

from sdqkd.agent.call import OK, Call, Operation
from sdqkd.agent.parameters import NMDA, Parameters, identity_of, invalid_value
from sdqkd.agent.retrieval import (
    DEFAULT_NAMESPACE,
    Select,
    by_subtree,
    by_xpath,
    configuration,
    defaults_mode,
    with_state,
)
from sdqkd.datastore.datastores import DefaultOperation
from sdqkd.datastore.locks import Target
from sdqkd.errors import RpcError
from sdqkd.netconf.xml import Element, text_of
from sdqkd.schema.defaults import without_defaults
from sdqkd.schema.marked import DEFAULT_PREFIX, AllMarks, DefaultMarks, Marks, encode_marked
from sdqkd.schema.origin import ORIGIN_PREFIX, Origin, OriginMarks, Origins, Restriction
from sdqkd.schema.pick import pick
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import EMPTY, Container
from sdqkd.schema.xml import encode

# Those that are there beside what clients lock and write.
Derived: TypeAlias = Literal["intended", "operational"]
DERIVED: tuple[Derived, ...] = get_args(Derived)
_WRITABLE: tuple[Target, ...] = ("running", "candidate")

_ORIGIN_MODULE = "ietf-origin"
_FILTERS = ("subtree-filter", "xpath-filter")
_ORIGIN_FILTERS = ("origin-filter", "negated-origin-filter")
_MAX_DEPTH = 65535


def _get_data(call: Call) -> bytes:
    parameters, schema, datastores = call.parameters, call.service.schema, call.service.datastores
    datastore = parameters.identified("datastore", (*datastores.targets, *DERIVED))
    operational = datastore == "operational"
    # What is in use belongs to operational, set or not: RFC 8342 section 5.3.
    mode = defaults_mode(parameters) or ("report-all" if operational else "explicit")
    with_origin = _with_origin(parameters, operational)
    select, restriction = _selection(schema, parameters), _restriction(schema, parameters, operational)
    if datastore == "operational":
        state = datastores.state()
        tree, explicit = with_state(call, state, mode)
        origins = Origins(datastores.get_config("running"), state)
    else:
        tree, explicit = configuration(call, "running" if datastore == "intended" else datastore, mode)
        origins = Origins(explicit, EMPTY)
    # Before the filter, which must not find what the user may not see: RFC 8341 section 3.2.4.
    tree = restriction.left(schema.data, select(call.readable(tree)), origins)
    marks: list[Marks] = [OriginMarks(origins)] if with_origin else []
    if mode == "report-all-tagged":
        marks.append(DefaultMarks(explicit))
    return _printed(schema, without_defaults(schema, tree) if mode == "trim" else tree, marks)


def _printed(schema: Schema, tree: Container, marks: Sequence[Marks]) -> bytes:
    if not marks:
        return b'<data xmlns="%b">%b</data>' % (NMDA.encode(), encode(schema, tree))
    prefixes = {ORIGIN_PREFIX: schema.namespace_of(_ORIGIN_MODULE), DEFAULT_PREFIX: DEFAULT_NAMESPACE}
    declared = "".join(f' xmlns:{prefix}="{namespace}"' for prefix, namespace in prefixes.items())
    content = encode_marked(schema, tree, AllMarks(marks))
    return b'<data xmlns="%b"%b>%b</data>' % (NMDA.encode(), declared.encode(), content)


def _selection(schema: Schema, parameters: Parameters) -> Select:
    """Read the filter and max-depth."""
    parameters.at_most_one(*_FILTERS)
    depth = _depth(parameters)
    if parameters.has("subtree-filter"):
        return by_subtree(schema, parameters.element("subtree-filter"), depth)
    if parameters.has("xpath-filter"):
        element = parameters.element("xpath-filter")
        return by_xpath(
            schema, text_of(element), element, lambda message: invalid_value("xpath-filter", message), depth
        )
    return lambda tree: pick(schema, tree, [()], depth)


def _depth(parameters: Parameters) -> int | None:
    if parameters.optional_text("max-depth") in (None, "unbounded"):
        return None
    return parameters.number("max-depth", 1, _MAX_DEPTH)


def _with_origin(parameters: Parameters, operational: bool) -> bool:
    asked = parameters.flag("with-origin")
    if asked and not operational:
        raise invalid_value("with-origin", "only what is in operational has an origin")
    return asked


def _restriction(schema: Schema, parameters: Parameters, operational: bool) -> Restriction:
    """Read config-filter and the filters of origins."""
    word = parameters.word("config-filter", ("true", "false"))
    parameters.at_most_one(*_ORIGIN_FILTERS)
    asked = {name: parameters.elements(name) for name in _ORIGIN_FILTERS if parameters.has(name)}
    if asked and not operational:
        # Their `when` is false: RFC 7950 section 8.3.1.
        name = next(iter(asked))
        message = f"<{name}> is for operational: nothing else has origins"
        raise RpcError("unknown-element", message, "protocol", info={"bad-element": name})
    origins = None
    for name, elements in asked.items():
        wanted = {_origin(schema, name, element) for element in elements}
        origins = _admitted(schema, wanted, negated=name != "origin-filter")
    return Restriction(None if word is None else word == "true", origins)


def _admitted(schema: Schema, wanted: Collection[str], *, negated: bool) -> frozenset[Origin]:
    """Give the origins that are one of those wanted or derived from one; if negated, the others."""
    found: set[Origin] = set()
    for origin in get_args(Origin):
        identity = f"{_ORIGIN_MODULE}:{origin}"
        if any(one in wanted for one in (identity, *schema.identities[identity])) != negated:
            found.add(origin)
    return frozenset(found)


def _origin(schema: Schema, name: str, element: Element) -> str:
    identity = f"{_ORIGIN_MODULE}:{identity_of(element, schema.namespace_of(_ORIGIN_MODULE))}"
    if f"{_ORIGIN_MODULE}:origin" not in schema.identities.get(identity, ()):
        raise invalid_value(name, f"'{text_of(element)[:80]}' is no origin")
    return identity


def _edit_data(call: Call) -> bytes:
    parameters = call.parameters
    call.service.datastores.edit_config(
        call.session.id,
        parameters.identified("datastore", _WRITABLE),
        parameters.element("config"),
        default_operation=parameters.word("default-operation", get_args(DefaultOperation)) or "merge",
        error_option="rollback-on-error",
        rights=call.rights,
    )
    return OK


_GET_DATA = (
    "datastore",
    *_FILTERS,
    "config-filter",
    *_ORIGIN_FILTERS,
    "max-depth",
    "with-origin",
    "with-defaults",
)

OPERATIONS: Mapping[str, Operation] = {
    f"{{{NMDA}}}get-data": Operation(_get_data, _GET_DATA, changes=False, lists=_ORIGIN_FILTERS),
    f"{{{NMDA}}}edit-data": Operation(_edit_data, ("datastore", "default-operation", "config")),
}
