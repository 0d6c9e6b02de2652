"""What the hello of an agent announces: RFC 6241 section 8, RFC 7950 section 5.6.4, RFC 8525.

A client learns modules from the YANG library. Only those of YANG 1.0 stand in the hello as well: RFC 6020.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from sdqkd.agent.library import features, library
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
    f"{_CAPABILITY}:xpath:1.0",
    f"{_CAPABILITY}:notification:1.0",
    f"{_CAPABILITY}:interleave:1.0",
    f"{_CAPABILITY}:with-defaults:1.0?basic-mode=explicit&also-supported=report-all,report-all-tagged,trim",
    f"{_CAPABILITY}:with-operational-defaults:1.0",
    f"{_CAPABILITY}:partial-lock:1.0",
)
STARTUP = f"{_CAPABILITY}:startup:1.0"


@functools.cache
def capabilities(schema: Schema, datastores: tuple[str, ...]) -> tuple[str, ...]:
    """Give the capability URIs of an agent with this schema and these datastores (see `library`)."""
    return tuple(_capabilities(schema, datastores))


def _capabilities(schema: Schema, datastores: tuple[str, ...]) -> Iterator[str]:
    yield from PROTOCOL
    if "startup" in datastores:
        yield STARTUP
    revision = next(module.revision for module in schema.modules if module.name == "ietf-yang-library")
    content_id = library(schema, datastores).content_id
    for version, parameter in (("1.0", "module-set-id"), ("1.1", "content-id")):
        parameters = {"revision": revision, parameter: content_id}
        yield _uri(f"{_CAPABILITY}:yang-library:{version}", parameters)
    for module in schema.modules:
        if module.implemented and module.yang_version != "1.1":
            yield _module_uri(module, datastores)


def _module_uri(module: ModuleInfo, datastores: Sequence[str]) -> str:
    parameters = {
        "module": module.name,
        "revision": module.revision,
        "features": ",".join(features(module, datastores)),
        "deviations": ",".join(module.deviations),
    }
    return _uri(module.namespace, parameters)


def _uri(base: str, parameters: Mapping[str, str]) -> str:
    query = "&".join(f"{name}={quote(value, safe=',')}" for name, value in parameters.items() if value)
    return f"{base}?{query}"
