"""Profiles of transponders, encryptors and hubs; and that all figures of all profiles have units."""

from importlib.resources import files

import pytest
from tools.equipment_table import DOCUMENT, document

from sdqkd.errors import InputError
from sdqkd.profiles.equipment import MdiHub, Transponder, load_equipment, read_equipment
from sdqkd.profiles.profile import load_profiles

CIENA = files("sdqkd.profiles").joinpath("data/equipment/ciena-6500.toml").read_text("utf-8")
FALQON = files("sdqkd.profiles").joinpath("data/equipment/qbird-falqon.toml").read_text("utf-8")
EMITTER = files("sdqkd.profiles").joinpath("data/equipment/qbird-emitter.toml").read_text("utf-8")

UNITS = ("hz", "bps", "s", "db", "dbm", "m")
# Numbers and shares. `misalignment` is a share, `modulation` and the noises are in units of shot noise.
NUMBERS = {
    *("mean_photons", "efficiency", "dark_counts", "misalignment", "correction", "sifting", "modulation"),
    *("excess_noise", "electronic_noise", "reconciliation", "quadratures", "layer", "key_bits", "emitters"),
    "overlap",
}


def test_all_equipment_is_known():
    assert list(load_equipment()) == [
        *("adva-5tce-aes10g", "adva-fsp-3000", "ciena-6500", "huawei-otn-muxponder", "qbird-emitter"),
        *("qbird-falqon", "rohde-schwarz-sitline-eth"),
    ]


@pytest.mark.parametrize("one", [*load_profiles().values(), *load_equipment().values()], ids=lambda one: one.name)
def test_every_figure_has_a_unit_and_a_mark(one):
    assert one.provenance
    for name, where in one.provenance.items():
        assert name in NUMBERS or name.rsplit("_", 1)[1] in UNITS, name
        assert where.status in ("public", "assumed")
        assert where.source


def test_a_transponder_has_power_limits_that_leave_something():
    for one in load_equipment().values():
        if isinstance(one, Transponder):
            assert one.least_launch_dbm < one.most_launch_dbm
            assert one.sensitivity_dbm < one.overload_dbm
            assert one.lower_hz < one.upper_hz


def test_a_hub_takes_several_emitters():
    hub = load_equipment()["qbird-falqon"]
    assert isinstance(hub, MdiHub)
    assert hub.emitters == 3


@pytest.mark.parametrize(
    ("text", "old", "new", "message"),
    [
        (CIENA, "[line_rate_bps]", "[line_rate_bps", "broken TOML"),
        (
            CIENA,
            '"transponder"',
            '"teapot"',
            "the kind is not one of transponder, encryptor, mdi-hub, mdi-emitter",
        ),
        (CIENA, '"transponder"', '"encryptor"', "unknown entry 'least_launch_dbm' for an encryptor"),
        (CIENA, "value = -20", "value = 5", "'least_launch_dbm' is more than 'most_launch_dbm'"),
        (CIENA, "value = -24", "value = -5", "'sensitivity_dbm' is not below 'overload_dbm'"),
        (CIENA, "value = -20", "value = -inf", "the value of 'least_launch_dbm' must be a number"),
        (CIENA, "value = 10e9", "value = -10e9", "the value of 'line_rate_bps' must be a number and not negative"),
        (CIENA, "value = 191.3e12", "value = 197e12", "must be a stretch of spectrum from O to U band"),
        (FALQON, "value = 3\n", "value = 1\n", "two emitters the least"),
        (FALQON, "value = 0.96", "value = 1.5", "'overlap' must be above 0 and at most 1"),
        (FALQON, "value = 200e6", "value = 0", "clock, gate, filter and reference rate must be above 0"),
        (EMITTER, "value = 0.4", "value = 0", "'mean_photons' must be above 0"),
        (EMITTER, "value = 0.01", "value = 0.2", "'misalignment' below 0.1"),
    ],
)
def test_a_wrong_file_is_refused(text: str, old: str, new: str, message: str):
    assert old in text
    with pytest.raises(InputError, match=r"^acme\.toml: ") as caught:
        read_equipment("acme", text.replace(old, new))
    assert message in str(caught.value)


def test_the_document_is_as_the_profiles_are():
    assert DOCUMENT.read_text("utf-8") == document()
