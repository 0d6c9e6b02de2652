import dataclasses

import pytest

from sdqkd.devices.encryptor import REKEY, ConnectionReport, ConnectionSettings, Encryptor
from sdqkd.errors import RpcError
from sdqkd.schema import json
from sdqkd.schema.table import load
from sdqkd.schema.tree import EMPTY, Container, put, remove

TOP = "sdqkd-encryptor:encryptor"
KEY_ID = "0c000000-0000-4000-8000-000000000001"


@pytest.fixture(params=["encryptor", "adva-encryptor", "rohde-schwarz-encryptor"])
def encryptor(request, encryptor_backend):
    layer = "layer-1" if request.param == "adva-encryptor" else "layer-2"
    encryptor_backend.hardware = dataclasses.replace(encryptor_backend.hardware, layer=layer)
    return Encryptor("alfa-l2", load(request.param), encryptor_backend)


@pytest.fixture
def on_bench(bench, encryptor):
    return bench(encryptor)


def connection(name: str, **leaves: object) -> dict[str, object]:
    source = {"uri": "https://kme.alfa.example/api/v1/keys", "local-sae-id": "alfa", "peer-sae-id": "bravo"}
    return {"name": name, "line": "otn-1", "peer": "bravo-l2", "key-source": source} | leaves


def test_the_factory_configuration_is_the_hardware(on_bench, encryptor):
    tree = on_bench.with_content({})
    encryptor.check(tree)
    assert json.encode(encryptor.schema, tree)[TOP] == {
        "device-id": "0a000000-0000-4000-8000-000000000001",
        "vendor": "ADVA",
        "product": "AES10G",
        "layer": "layer-1" if encryptor.schema.name == "adva-encryptor" else "layer-2",
        "line": [{"name": "otn-1", "line-rate-bps": "10000000000"}, {"name": "otn-2"}],
    }


def test_connections_reach_the_backend_and_come_back_as_state(on_bench, encryptor, encryptor_backend):
    tree = on_bench.with_content({TOP: {"connection": [connection("c"), connection("d", enabled=False)]}})
    encryptor.check(tree)
    encryptor.apply(tree)
    assert encryptor_backend.connections["c"] == ConnectionSettings(
        name="c",
        line="otn-1",
        peer="bravo-l2",
        enabled=True,
        key_source_uri="https://kme.alfa.example/api/v1/keys",
        local_sae_id="alfa",
        peer_sae_id="bravo",
        rekey_interval_s=60,
        vlan=None,
    )
    assert not encryptor_backend.connections["d"].enabled
    encryptor_backend.reports = {
        "c": ConnectionReport("up", KEY_ID, 12, 3),
        "d": ConnectionReport("disabled"),
    }
    assert on_bench.state_with(tree)[TOP] == {
        "software-version": "1.0",
        "connection": [
            {"name": "c", "state": {"oper-status": "up", "key-id": KEY_ID, "key-age": 12, "rekey-count": "3"}},
            {"name": "d", "state": {"oper-status": "disabled", "rekey-count": "0"}},
        ],
    }


def test_interval_and_vlan_are_read(on_bench, encryptor, encryptor_backend):
    leaves = (
        {"rekey-interval": 300}
        if encryptor.schema.name == "adva-encryptor"
        else {"rekey-interval": 300, "vlan": 7}
    )
    encryptor.apply(on_bench.with_content({TOP: {"connection": [connection("c", **leaves)]}}))
    told = encryptor_backend.connections["c"]
    assert (told.rekey_interval_s, told.vlan) == (300, leaves.get("vlan"))


def test_layer_and_lines_come_with_the_hardware(encryptor):
    its, other = ("layer-1", "layer-2") if encryptor.schema.name == "adva-encryptor" else ("layer-2", "layer-1")
    with pytest.raises(RpcError, match=f"stays '{its}'") as caught:
        encryptor.check(put(encryptor.schema, encryptor.factory(), (TOP, "layer"), other))
    assert caught.value.path == f"/{TOP}/layer"
    with pytest.raises(RpcError) as caught:
        encryptor.check(remove(encryptor.factory(), (TOP, ("line", ("otn-2",)))))
    assert caught.value.path == f"/{TOP}/line[name='otn-2']"


def test_a_new_key_is_taken_at_once(encryptor, encryptor_backend):
    encryptor_backend.reports = {"c": ConnectionReport("up", KEY_ID, 12, 3), "d": ConnectionReport("up", KEY_ID)}
    output = encryptor.invoke(REKEY, (TOP, ("connection", ("c",))), EMPTY)
    assert output == Container({"time": "2026-11-23T09:30:00Z", "key-id": "0a000000-0000-4000-8000-000000000001"})
    assert encryptor_backend.rekeyed == ["c"]
    action = encryptor.schema.node((TOP, "connection")).operations["rekey"]
    assert set(output.children) == set(action.operations["output"].children)


@pytest.mark.parametrize(
    ("status", "why"),
    [("no-key", "its key source delivers none"), ("no-peer", "it is down"), ("disabled", "it is switched off")],
)
def test_who_is_not_up_takes_no_new_key(encryptor, encryptor_backend, status, why):
    encryptor_backend.reports = {"c": ConnectionReport(status, rekey_count=3)}
    with pytest.raises(RpcError, match=f"connection 'c' takes no new key: {why}") as caught:
        encryptor.invoke(REKEY, (TOP, ("connection", ("c",))), EMPTY)
    told = caught.value
    assert (told.tag, told.app_tag) == ("operation-failed", status)
    assert told.path == f"/{TOP}/connection[name='c']"
    assert encryptor_backend.rekeyed == []
