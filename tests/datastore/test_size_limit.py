"""A configuration that grows beyond what it may take is refused, and one that shrinks never."""

from __future__ import annotations

import pytest
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import SmallNode
from tests.datastore.small_requests import config, place, place_of

from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.locks import Target
from sdqkd.datastore.size_limit import MAX_BYTES, SizeLimit
from sdqkd.errors import RpcError
from sdqkd.schema.size import size_bytes
from sdqkd.schema.validate import Validator

ME = 1


def datastores(most_bytes: int, *, startup: bool = False) -> Datastores:
    node = SmallNode()
    running = node.factory()
    node.apply(running)
    return Datastores(
        node.schema,
        Validator(node.schema),
        node,
        MemoryStore(),
        running,
        startup=startup,
        size_limit=SizeLimit(most_bytes),
    )


@pytest.mark.parametrize("target", ["running", "candidate"])
def test_what_is_too_large_is_refused_and_nothing_changes(target: Target) -> None:
    place_bytes = 2 * 2**20
    stores = datastores(place_bytes + 10_000)
    stores.edit_config(ME, target, place("x" * place_bytes))
    before = stores.get_config(target)
    with pytest.raises(RpcError, match=r"would take 3\.0 MiB, and it may take 2\.\d+ MiB") as refused:
        stores.edit_config(ME, target, place("x" * (place_bytes + 2**20)))
    assert refused.value.tag == "resource-denied"
    assert stores.get_config(target) is before
    stores.edit_config(ME, target, place("rack 2"))
    assert place_of(stores.get_config(target)) == "rack 2"


def test_a_copy_that_is_too_large_is_refused() -> None:
    stores = datastores(2**20)
    larger = datastores(MAX_BYTES)
    larger.edit_config(ME, "candidate", place("x" * 2**21))
    with pytest.raises(RpcError) as refused:
        stores.copy_config(ME, larger.get_config("candidate"), "candidate")
    assert refused.value.tag == "resource-denied"


def test_what_was_too_large_already_may_shrink() -> None:
    stores = datastores(1)
    with pytest.raises(RpcError):
        stores.edit_config(ME, "running", place("a longer name than it had"))
    stores.edit_config(ME, "running", place("r"))
    assert place_of(stores.get_config("running")) == "r"


def test_a_hundred_thousand_links_fit() -> None:
    stores = datastores(MAX_BYTES)
    end = "<qkdn_id>11111111-1111-4111-8111-111111111111</qkdn_id><qkdi_id>1</qkdi_id>"
    link = (
        "<qkd_links><qkd_link><qkdl_id>00000000-0000-4000-8000-000000000000</qkdl_id>"
        "<qkdl_status>t:ACTIVE</qkdl_status><qkdl_enable>true</qkdl_enable><qkdl_type>t:PHYS</qkdl_type>"
        f"<qkdl_local>{end}</qkdl_local><qkdl_remote>{end}</qkdl_remote><phys_channel_att>7.5</phys_channel_att>"
        "<phys_wavelength>33</phys_wavelength><phys_qkd_role>t:TRANSMITTER</phys_qkd_role></qkd_link></qkd_links>"
    )
    before = size_bytes(stores.get_config("candidate"))
    stores.edit_config(ME, "candidate", config(link))
    assert 100_000 * (size_bytes(stores.get_config("candidate")) - before) < MAX_BYTES
