import pytest

from sdqkd.devices.fibre_switch import CrossConnection, FibreSwitch, SwitchSettings
from sdqkd.errors import RpcError
from sdqkd.schema import json
from sdqkd.schema.table import load
from sdqkd.schema.tree import remove

TOP = "sdqkd-optical-device:optical-device"


@pytest.fixture
def switch(switch_backend):
    return FibreSwitch("alfa-switch", load("fibre-switch"), switch_backend)


@pytest.fixture
def on_bench(bench, switch):
    return bench(switch)


def test_the_factory_configuration_is_the_hardware(on_bench, switch):
    tree = on_bench.with_content({})
    switch.check(tree)
    assert json.encode(switch.schema, tree)[TOP] == {
        "device-id": "0a000000-0000-4000-8000-000000000001",
        "vendor": "Polatis",
        "port": [{"name": "1"}, {"name": "2"}, {"name": "3"}],
    }


def test_cross_connections_and_attenuation_reach_the_backend_and_come_back_as_state(
    on_bench, switch, switch_backend
):
    crossing = {"name": "x", "a-port": "1", "b-port": "3", "purpose": "link"}
    attenuator = {"port": "3", "attenuation-db": "2.5"}
    tree = on_bench.with_content({TOP: {"cross-connection": [crossing], "attenuator": [attenuator]}})
    switch.check(tree)
    switch.apply(tree)
    assert switch_backend.settings == SwitchSettings({"x": CrossConnection("x", "1", "3")}, {"3": 2.5})
    switch_backend.reports = {"x": "down"}
    assert on_bench.state_with(tree)[TOP] == {
        "software-version": "1.0",
        "cross-connection": [{"name": "x", "oper-status": "sdqkd-optical-device:down"}],
    }


def test_ports_come_with_the_hardware(switch):
    with pytest.raises(RpcError) as caught:
        switch.check(remove(switch.factory(), (TOP, ("port", ("2",)))))
    assert caught.value.path == f"/{TOP}/port[name='2']"
    assert caught.value.app_tag == "factory-hardware"
