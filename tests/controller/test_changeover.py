"""Switching one link more: what ends for it, what the network file says then, what the devices do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.controller.conftest import MADQCI

from sdqkd.controller.changeover import Wish, changeover, module_named, wish_for_link
from sdqkd.controller.changeover_file import rewritten, write_down
from sdqkd.controller.checks import check
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.migration import making
from sdqkd.controller.plan import make_plan
from sdqkd.errors import ApplyError, InputError, StoreError
from sdqkd.network.model import FibreSharing, ModuleEnd, Network
from sdqkd.physics.grid import channel_to_hz
from sdqkd.planning.forecast import Forecast
from sdqkd.planning.routes import routing_combinations
from sdqkd.planning.spectrum import Rules
from sdqkd.plant.plant import Plant
from sdqkd.schema.tree import merge


@pytest.fixture(scope="module")
def forecast(madqci: LoadedNetwork) -> Forecast:
    return Forecast(madqci.network)


def test_every_routing_combination_can_be_switched(madqci: LoadedNetwork, forecast: Forecast) -> None:
    active = [link for link in madqci.network.qkd_links.values() if link.active and link.name.endswith("-CV")]
    for option in routing_combinations(forecast, Rules.of(madqci.network)).feasible:
        others = tuple(
            link.name
            for link in active
            if set(link.fibres) & set(option.path.fibres) and link.frequency_hz == option.frequency_hz
        )
        wish = Wish(option.transmitter, option.receiver, option.frequency_hz, option.path.fibres, others)
        change = changeover(forecast, wish)
        assert change.option == option
        assert check(change.network) == ()
        assert {name for name in change.stops if not name.endswith("-CV")} == set()


def test_a_link_of_modules_that_are_not_switched_is_not_in_its_own_way(
    madqci: LoadedNetwork, forecast: Forecast
) -> None:
    change = changeover(forecast, wish_for_link(madqci.network, "Quevedo-Quijano-Toshiba"))
    assert (change.network, change.stops) == (madqci.network, ())


def test_what_somebody_wrote_meanwhile_stays(madqci: LoadedNetwork, forecast: Forecast, tmp_path: Path) -> None:
    change = changeover(forecast, wish_for_link(madqci.network, "Quevedo-Quijote-CV"))
    file = tmp_path / "network.yaml"
    file.write_text("# not yet read\n" + MADQCI.read_text("utf-8").replace("length-km: 24.1", "length-km: 24.2"))
    write_down(madqci, file, change)
    text = file.read_text("utf-8")
    assert text.startswith("# not yet read\n")
    now = load_network(text, "network.yaml").network
    assert now.fibres["quintin-quijote"].length_km == 24.2
    assert now.qkd_links["Quevedo-Quijote-CV"].active
    assert not now.qkd_links["Quintin-Quijote-CV"].active


def test_another_channel_is_not_written_into_what_is_no_yaml(
    madqci: LoadedNetwork, forecast: Forecast, tmp_path: Path
) -> None:
    tuned = changeover(forecast, Wish(ModuleEnd("quintin-qkd", 2), ModuleEnd("quijote-qkd", 4), channel_to_hz(38)))
    file = tmp_path / "network.yaml"
    file.write_text("network: {")
    with pytest.raises(StoreError, match="it is no YAML any more"):
        write_down(madqci, file, tuned)


@pytest.mark.parametrize("now", ["network: {", "network: {name: MadQCI}\n", None])
def test_a_file_that_cannot_say_it_any_more_stays_as_it_is(
    madqci: LoadedNetwork, forecast: Forecast, tmp_path: Path, now: str | None
) -> None:
    change = changeover(forecast, wish_for_link(madqci.network, "Quevedo-Quijote-CV"))
    file = tmp_path / "network.yaml"
    if now is not None:
        file.write_text(now)
    with pytest.raises(StoreError, match="Quevedo-Quijote-CV runs, but the file could not be made to say so"):
        write_down(madqci, file, change)
    assert (file.read_text() if file.exists() else None) == now


def test_the_file_says_it_then(madqci: LoadedNetwork, forecast: Forecast) -> None:
    text = MADQCI.read_text("utf-8")
    for name in ("Quevedo-Quijote-CV", "Norte-Concepcion-CV"):
        change = changeover(forecast, wish_for_link(madqci.network, name))
        assert rewritten(madqci, text, change).network.qkd_links[name].active
    new = changeover(forecast, Wish(ModuleEnd("quijote-qkd", 3), ModuleEnd("norte-qkd", 5), channel_to_hz(38)))
    assert new.is_new
    link = rewritten(madqci, text, new).network.qkd_links["Quijote-Norte-CV"]
    assert (link.fibres, link.frequency_hz) == (("quijote-quevedo", "quevedo-norte"), channel_to_hz(38))
    tuned = changeover(forecast, Wish(ModuleEnd("quintin-qkd", 2), ModuleEnd("quijote-qkd", 4), channel_to_hz(38)))
    link = rewritten(madqci, text, tuned).network.qkd_links["Quintin-Quijote-CV"]
    assert link.frequency_hz == channel_to_hz(38)
    # What was measured on channel 37 does not hold on 38: the forecast stays what it was.
    assert link.calibration is not None
    assert link.calibration.frequency_hz == channel_to_hz(37)
    then = Forecast(rewritten(madqci, text, tuned).network)
    found = changeover(then, wish_for_link(then.network, "Quintin-Quijote-CV"))
    assert found.option.rate_bps == tuned.option.rate_bps


def test_a_module_that_must_move_breaks_first(madqci: LoadedNetwork, forecast: Forecast) -> None:
    change = changeover(forecast, wish_for_link(madqci.network, "Quevedo-Quijote-CV"))
    assert set(change.stops) == {"Quintin-Quijote-CV", "Quevedo-Norte-CV"}
    running = {name: wanted.tree for name, wanted in desired(madqci.network).items()}
    plan = make_plan("MadQCI", desired(change.network), running)
    with pytest.raises(ApplyError, match="made before something old is broken"):
        making(plan, change.network, running)


def test_idle_modules_make_before_they_break() -> None:
    distrito = ModuleEnd("distrito-qkd", 3), ModuleEnd("norte-qkd", 5)
    text = MADQCI.read_text("utf-8").replace(
        "    - name: Quevedo-Norte-CV\n", "    - name: Quevedo-Norte-CV\n      active: false\n"
    )
    loaded = load_network(text, "network.yaml")
    first = changeover(Forecast(loaded.network), wish_for_link(loaded.network, "Norte-Concepcion-CV"))
    wish = Wish(*distrito, instead_of=("Norte-Concepcion-CV",))
    second = changeover(Forecast(first.network), wish)
    assert second.stops == ("Norte-Concepcion-CV",)
    plant = Plant(first.network)
    running = {
        name: merge(plant.devices[name].schema, plant.devices[name].factory(), wanted.tree)
        for name, wanted in desired(first.network).items()
    }
    plan = make_plan("MadQCI", desired(second.network), running)
    half = making(plan, second.network, running)
    assert half.summary().add == 4
    assert half.summary().remove == 0


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        (Wish(ModuleEnd("quintin-qkd", 2), ModuleEnd("quijote-qkd", 3)), "roles or profiles do not fit"),
        (Wish(ModuleEnd("quintin-qkd", 2), ModuleEnd("quiron-qkd", 1)), "no key would come: .*too much noise"),
        (Wish(ModuleEnd("quintin-qkd", 2), ModuleEnd("quijote-qkd", 4), channel_to_hz(34)), "no light can run so"),
        (
            Wish(ModuleEnd("quevedo-qkd", 4), ModuleEnd("norte-qkd", 5), instead_of=("Norte-Concepcion-CV",)),
            "no active link",
        ),
        (
            Wish(ModuleEnd("quevedo-qkd", 4), ModuleEnd("distrito-qkd", 4), channel_to_hz(38)),
            "in the way is Distrito-Concepcion-CV .*--instead-of",
        ),
    ],
)  # fmt: skip
def test_refused(forecast: Forecast, wish: Wish, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        changeover(forecast, wish)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (
            FibreSharing(guard_hz=1_500_000_000_000),
            "on channel 24 is too close in fibre quevedo-norte: under 1500 GHz",
        ),
        (
            FibreSharing(spacing_hz=200_000_000_000),
            "Quevedo-Norte-CV (it has channel 37 of fibre quevedo-norte, only",
        ),
        (FibreSharing(per_fibre=2), "Quevedo-Norte-IDQ (it has one of the 2 quantum channels that fibre"),
    ],
)
def test_a_fibre_is_shared_as_the_file_says(madqci: LoadedNetwork, said: FibreSharing, complaint: str) -> None:
    """On channel 38 beside Quevedo-Norte-CV on 37, which goes on."""
    way = ("quijote-quevedo", "quevedo-norte", "concepcion-norte")
    wish = Wish(ModuleEnd("quijote-qkd", 3), ModuleEnd("concepcion-qkd", 3), channel_to_hz(38), way)
    assert "Quevedo-Norte-CV" not in changeover(Forecast(madqci.network), wish).stops
    shared = Forecast(_with_sharing(madqci.network, "quevedo-norte", said))
    with pytest.raises(InputError, match=re.escape(complaint)):
        changeover(shared, wish)


def test_a_link_that_ends_makes_room_in_a_full_fibre(madqci: LoadedNetwork) -> None:
    network = _with_sharing(madqci.network, "quevedo-norte", FibreSharing(per_fibre=2))
    ends = ModuleEnd("quijote-qkd", 3), ModuleEnd("concepcion-qkd", 3)
    change = changeover(Forecast(network), Wish(*ends, channel_to_hz(38), instead_of=("Quevedo-Norte-CV",)))
    assert "Quevedo-Norte-CV" in change.stops
    assert check(change.network) == ()


def _with_sharing(network: Network, name: str, said: FibreSharing) -> Network:
    return replace(network, fibres={**network.fibres, name: replace(network.fibres[name], sharing=said)})


def test_modules_by_their_place(forecast: Forecast) -> None:
    assert module_named(forecast, "Norte", "RECEIVER") == ModuleEnd("norte-qkd", 5)
    assert module_named(forecast, "norte-qkd:4", "TRANSMITTER") == ModuleEnd("norte-qkd", 4)
    with pytest.raises(InputError, match="'Quiron' is not one switched transmitter: it has none"):
        module_named(forecast, "Quiron", "TRANSMITTER")
    with pytest.raises(InputError, match="no link 'Nowhere'"):
        wish_for_link(forecast.network, "Nowhere")
