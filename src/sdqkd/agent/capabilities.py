"""What the hello of an agent announces: RFC 6241 section 8, and RFC 6020 section 5.6.4 for modules."""

from __future__ import annotations

from urllib.parse import quote

from sdqkd.netconf.hello import BASE_1_0, BASE_1_1
from sdqkd.schema.table import ModuleInfo, Schema

_CAPABILITY = "urn:ietf:params:netconf:capability"
PROTOCOL = (
    BASE_1_0,
    BASE_1_1,
    f"{_CAPABILITY}:writable-running:1.0",
    f"{_CAPABILITY}:candidate:1.0",
    f"{_CAPABILITY}:confirmed-commit:1.1",
    f"{_CAPABILITY}:rollback-on-error:1.0",
    f"{_CAPABILITY}:validate:1.1",
)


STARTUP = f"{_CAPABILITY}:startup:1.0"


def capabilities(schema: Schema, *, startup: bool = False) -> tuple[str, ...]:
    """Give the capability URIs of an agent for this schema, with a startup datastore or without."""
    modules = tuple(_module_uri(module) for module in schema.modules if module.implemented)
    return PROTOCOL + ((STARTUP,) if startup else ()) + modules


def _module_uri(module: ModuleInfo) -> str:
    parameters = {
        "module": module.name,
        "revision": module.revision,
        "features": ",".join(module.features),
        "deviations": ",".join(module.deviations),
    }
    query = "&".join(f"{name}={quote(value, safe=',')}" for name, value in parameters.items() if value)
    return f"{module.namespace}?{query}"
