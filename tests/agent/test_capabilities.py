"""What the hello announces: RFC 6241 section 8, RFC 7950 section 5.6.4, RFC 8525."""

from __future__ import annotations

from sdqkd.agent.capabilities import capabilities
from sdqkd.agent.library import library
from sdqkd.schema import table

RUNNING = ("running", "candidate")
STARTUP = (*RUNNING, "startup")


def test_a_module_of_yang_1_0_is_announced_with_its_features() -> None:
    (uri,) = (uri for uri in capabilities(table.load("qkd-node"), RUNNING) if "module=ietf-netconf&" in uri)
    start, _, features = uri.partition("&features=")
    assert start == "urn:ietf:params:xml:ns:netconf:base:1.0?module=ietf-netconf&revision=2011-06-01"
    assert {"writable-running", "candidate", "confirmed-commit", "validate"} <= set(features.split(","))


def test_modules_of_yang_1_1_and_imported_ones_are_left_to_the_library() -> None:
    schema = table.load("qkd-node")
    announced = {uri.partition("?")[0] for uri in capabilities(schema, RUNNING)}
    for module in schema.modules:
        assert (module.namespace in announced) == (module.implemented and module.yang_version == "1")


def test_a_startup_datastore_is_announced_where_there_is_one() -> None:
    schema, startup = table.load("qkd-node"), "urn:ietf:params:netconf:capability:startup:1.0"
    assert startup not in capabilities(schema, RUNNING)
    announced = capabilities(schema, STARTUP)
    assert startup in announced
    assert any("features=writable-running" in uri and uri.endswith(",startup") for uri in announced)


def test_the_library_is_announced_with_what_identifies_its_contents() -> None:
    schema = table.load("qkd-node")
    content_id = library(schema, RUNNING).content_id
    capability = "urn:ietf:params:netconf:capability:yang-library"
    assert f"{capability}:1.1?revision=2019-01-04&content-id={content_id}" in capabilities(schema, RUNNING)
    assert f"{capability}:1.0?revision=2019-01-04&module-set-id={content_id}" in capabilities(schema, RUNNING)


def test_all_agents_of_a_kind_share_the_texts() -> None:
    schema = table.load("qkd-node")
    assert capabilities(schema, RUNNING) is capabilities(schema, RUNNING)
