"""The module URIs of the hello: RFC 6020 section 5.6.4."""

from __future__ import annotations

import pytest

from sdqkd.agent.capabilities import capabilities
from sdqkd.schema import table


@pytest.mark.parametrize(
    ("model_set", "uri"),
    [
        (
            "fibre-switch",
            "urn:sdqkd:yang:sdqkd-optical-device?module=sdqkd-optical-device&revision={revision}"
            "&features=fibre-switch,variable-attenuator",
        ),
        (
            "adva-encryptor",
            "urn:sdqkd:yang:sdqkd-encryptor?module=sdqkd-encryptor&revision={revision}"
            "&deviations=sdqkd-adva-encryptor",
        ),
    ],
)
def test_a_module_is_announced_with_its_features_and_deviations(model_set: str, uri: str) -> None:
    schema = table.load(model_set)
    revisions = {module.name: module.revision for module in schema.modules}
    name = uri.partition("module=")[2].partition("&")[0]
    assert uri.format(revision=revisions[name]) in capabilities(schema)


def test_modules_that_are_only_imported_are_not_announced() -> None:
    schema = table.load("qkd-node")
    imported = {module.namespace for module in schema.modules if not module.implemented}
    assert imported
    assert not imported & {uri.partition("?")[0] for uri in capabilities(schema)}
