import pytest

from sdqkd.devices.transponder import ChannelReport, ChannelSettings, Transponder
from sdqkd.errors import RpcError
from sdqkd.schema.table import load
from sdqkd.schema.tree import put

TOP = "sdqkd-optical-device:optical-device"


@pytest.fixture
def transponder(transponder_backend):
    return Transponder("alfa-transponder", load("transponder"), transponder_backend)


@pytest.fixture
def on_bench(bench, transponder):
    return bench(transponder)


def channel(name: str, port: str, **leaves: object) -> dict[str, object]:
    entry = {"name": name, "port": port, "role": "sdqkd-optical-types:encrypted-data", "frequency-thz": "192.1"}
    return entry | {"launch-power-dbm": "-3.5"} | leaves


def test_channels_reach_the_backend_and_come_back_as_state(on_bench, transponder, transponder_backend):
    entries = [channel("a", "1"), channel("b", "2", enabled=False)]
    tree = on_bench.with_content({TOP: {"optical-channel": entries}})
    transponder.check(tree)
    transponder.apply(tree)
    a = ChannelSettings("a", "1", "encrypted-data", 192_100_000_000_000, -3.5, True)
    b = ChannelSettings("b", "2", "encrypted-data", 192_100_000_000_000, -3.5, False)
    assert transponder_backend.channels == {"a": a, "b": b}
    transponder_backend.reports = {"a": ChannelReport("up", -11.266), "b": ChannelReport("disabled")}
    assert on_bench.state_with(tree)[TOP]["optical-channel"] == [
        {"name": "a", "oper-status": "sdqkd-optical-device:up", "received-power-dbm": "-11.27"},
        {"name": "b", "oper-status": "sdqkd-optical-device:disabled"},
    ]


def test_a_power_that_the_model_cannot_say_is_told_as_its_limit(on_bench, transponder, transponder_backend):
    tree = on_bench.with_content({TOP: {"optical-channel": [channel("a", "1")]}})
    transponder.apply(tree)
    transponder_backend.reports = {"a": ChannelReport("up", -140.0)}
    (entry,) = on_bench.state_with(tree)[TOP]["optical-channel"]
    assert entry["received-power-dbm"] == "-120.0"


def test_a_port_serves_one_channel(on_bench):
    with pytest.raises(RpcError):
        on_bench.with_content({TOP: {"optical-channel": [channel("a", "1"), channel("b", "1")]}})


def test_ports_come_with_the_hardware(transponder):
    more = put(transponder.schema, transponder.factory(), (TOP, ("port", ("9",)), "label"), "new")
    with pytest.raises(RpcError, match="no such part"):
        transponder.check(more)
