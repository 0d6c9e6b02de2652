"""<get-schema>: RFC 6022 section 3.1. Every module and submodule can be had, in YANG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sdqkd.agent.call import Call, Operation
from sdqkd.agent.parameters import Parameters, invalid_value
from sdqkd.errors import RpcError
from sdqkd.netconf.xml import escape_text, local_name_of
from sdqkd.schema.sources import parts, source
from sdqkd.schema.table import ModuleInfo, SubmoduleInfo

NAMESPACE = "urn:ietf:params:xml:ns:yang:ietf-netconf-monitoring"


def _get_schema(call: Call) -> bytes:
    schema, parameters = call.service.schema, call.parameters
    identifier, version = parameters.text("identifier"), parameters.optional_text("version")
    _demand_yang(parameters)
    found = [part for _, part in parts(schema) if part.name == identifier and version in (None, part.revision)]
    text = source(schema, _only(found, identifier, version))
    return f'<data xmlns="{NAMESPACE}">{escape_text(text)}</data>'.encode()


def _demand_yang(parameters: Parameters) -> None:
    """Raise RpcError if another format is asked for. Without a prefix the name is taken as this module's."""
    if not parameters.has("format"):
        return
    element = parameters.element("format")
    prefix, colon, name = parameters.text("format").rpartition(":")
    if name != "yang" or (colon and element.nsmap.get(prefix) != NAMESPACE):
        message = f"<{local_name_of(element)}> must be yang: there is no other format here"
        raise invalid_value("format", message)


def _only(
    found: Sequence[ModuleInfo | SubmoduleInfo], name: str, version: str | None
) -> ModuleInfo | SubmoduleInfo:
    if not found:
        wanted = f"'{name[:80]}'" + (f" of revision '{version[:80]}'" if version is not None else "")
        raise invalid_value("identifier", f"there is no schema {wanted} here")
    if len(found) > 1:
        message = f"'{name}' is here in more than one version: give the one that you want"
        raise RpcError("operation-failed", message, app_tag="data-not-unique")
    return found[0]


OPERATIONS: Mapping[str, Operation] = {
    f"{{{NAMESPACE}}}get-schema": Operation(_get_schema, ("identifier", "version", "format"), changes=False),
}
