from importlib.resources import files

import pytest

from sdqkd.coexistence.curves import Conditions, key_per_pulse
from sdqkd.errors import InputError
from sdqkd.physics.grid import band_of
from sdqkd.profiles.profile import CvFigures, DvFigures, load_profiles, profile_named, read_profile

TOSHIBA = files("sdqkd.profiles").joinpath("data/toshiba.toml").read_text("utf-8")


# What a network that operators have may be made of; a name in network files lives as long as they do.
KNOWN = [
    *("ait-cv-qkd", "heqa", "huawei-cv-qkd", "idquantique-c-band", "idquantique-o-band", "keequant"),
    *("luxquanta-nova-lq", "qti", "thinkquantum-quky", "toshiba"),
]


def test_every_figure_of_every_profile_says_where_it_comes_from():
    profiles = load_profiles()
    assert list(profiles) == KNOWN
    for profile in profiles.values():
        assert len(profile.provenance) == {"DV": 17, "CV": 15}[profile.technology]
        assert all(where.source for where in profile.provenance.values())
        assert {where.status for where in profile.provenance.values()} <= {"public", "assumed"}


@pytest.mark.parametrize("name", KNOWN)
def test_what_is_assumed_of_a_product_gives_key(name: str):
    """The law of its technology has key at the reference point of a profile, and its light is in a band."""
    profile = load_profiles()[name]
    assert key_per_pulse(profile, Conditions(profile.reference_loss_db, round(profile.lower_hz))) > 0
    assert 0 < profile.reference_rate_bps <= profile.cap_bps
    assert band_of(round(profile.lower_hz + profile.upper_hz) // 2) in ("O", "C")
    assert profile.adjacent_isolation_db <= profile.isolation_db


def test_figures_are_numbers_of_the_unit_that_the_name_says():
    toshiba = load_profiles()["toshiba"]
    assert (toshiba.technology, toshiba.cap_bps, toshiba.isolation_db) == ("DV", 2_857_120.0, 100.0)
    assert isinstance(toshiba.figures, DvFigures)
    assert (toshiba.figures.clock_hz, toshiba.figures.gate_s) == (1e9, 1e-10)
    huawei = load_profiles()["huawei-cv-qkd"].figures
    assert isinstance(huawei, CvFigures)
    assert huawei.quadratures == 1


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(InputError) as caught:
        profile_named(load_profiles(), "acme", "/sdqkd-network:network/device[name='x']")
    known = ", ".join(KNOWN)
    place = "/sdqkd-network:network/device[name='x']"
    assert str(caught.value) == f"there is no equipment profile 'acme'; known are: {known} (at {place})"


@pytest.mark.parametrize(
    ("name", "article"),
    [("ciena-6500", "a transponder"), ("qbird-falqon", "a hub for links of three parties")],
)
def test_a_profile_of_other_equipment_is_none_of_a_module(name: str, article: str):
    with pytest.raises(InputError, match=f"the profile '{name}' is of {article}, not of a QKD module"):
        profile_named(load_profiles(), name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[cap_bps]", "[cap_bps", "broken TOML"),
        ('vendor = "Toshiba"', "", "'vendor' must be a text"),
        ('"DV"', '"XV"', "technology is 'XV', not DV or CV"),
        ('"DV"', '"CV"', "unknown entry 'correction' for technology CV"),
        ("[acquisition_s]", "[acquisition]", "unknown entry 'acquisition'"),
        ('value = 14.3\nstatus = "public"', "value = 14.3", "'reference_loss_db' must be a table with"),
        ("value = 14.3", "value = nan", "the value of 'reference_loss_db' must be a number"),
        ("value = 14.3", "value = inf", "the value of 'reference_loss_db' must be a number"),
        ("value = 14.3", "value = true", "the value of 'reference_loss_db' must be a number"),
        ("value = 14.3", "value = -1", "the value of 'reference_loss_db' must be a number"),
        ('"public"', '"rumoured"', "the status of 'cap_bps' must be public or assumed"),
        ('source = "no public figure"', 'source = ""', "'acquisition_s' has no source"),
        ("value = 242_330", "value = 0", "'reference_rate_bps' must be above 0"),
        ("value = 0.9\n", "value = 1.1\n", "'sifting' must be above 0 and at most 1"),
        ("value = 191.3e12", "value = 196.2e12", "'lower_hz' to 'upper_hz' must be a stretch of spectrum"),
        ("value = 191.3e12", "value = 1", "'lower_hz' to 'upper_hz' must be a stretch of spectrum"),
        ("value = 1e-10", "value = 0", "'gate_s' must be above 0"),
        ("value = 0.015", "value = 3", "'misalignment' is a fraction"),
        ("value = 1.15", "value = 0.9", "'correction' must be at least 1"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(old: str, new: str, message: str):
    assert old in TOSHIBA
    with pytest.raises(InputError, match=r"^toshiba\.toml: ") as caught:
        read_profile("toshiba", TOSHIBA.replace(old, new))
    assert message in str(caught.value)


def test_a_coherent_receiver_measures_one_quadrature_or_both():
    huawei = files("sdqkd.profiles").joinpath("data/huawei-cv-qkd.toml").read_text("utf-8")
    with pytest.raises(InputError, match=r"'quadratures' must be 1 \(homodyne\) or 2 \(heterodyne\)"):
        read_profile("huawei", huawei.replace("[quadratures]\nvalue = 1", "[quadratures]\nvalue = 3"))
