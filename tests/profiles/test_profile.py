from importlib.resources import files

import pytest

from sdqkd.errors import InputError
from sdqkd.profiles.profile import load_profiles, profile_named, read_profile

TOSHIBA = files("sdqkd.profiles").joinpath("data/toshiba.toml").read_text("utf-8")


def test_every_figure_of_every_profile_says_where_it_comes_from():
    profiles = load_profiles()
    assert list(profiles) == ["huawei-cv-qkd", "idquantique-c-band", "idquantique-o-band", "toshiba"]
    for profile in profiles.values():
        assert len(profile.provenance) == 6
        assert all(where.source for where in profile.provenance.values())
        assert {where.status for where in profile.provenance.values()} == {"public", "assumed"}


def test_figures_are_numbers_of_the_unit_that_the_name_says():
    toshiba = load_profiles()["toshiba"]
    assert (toshiba.technology, toshiba.cap_bps, toshiba.no_key_loss_db) == ("DV", 2_857_120.0, 26.0)
    assert toshiba.low_loss_qber == 0.03
    assert toshiba.low_loss_snr_db is None


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(InputError) as caught:
        profile_named(load_profiles(), "acme", "/sdqkd-network:network/device[name='x']")
    assert str(caught.value) == (
        "there is no equipment profile 'acme'; known are: huawei-cv-qkd, idquantique-c-band, idquantique-o-band,"
        " toshiba (at /sdqkd-network:network/device[name='x'])"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[cap_bps]", "[cap_bps", "broken TOML"),
        ('vendor = "Toshiba"', "", "'vendor' must be a text"),
        ('"DV"', '"XV"', "technology is 'XV', not DV or CV"),
        ('"DV"', '"CV"', "unknown entry 'low_loss_qber' for technology CV"),
        ("[acquisition_s]", "[acquisition]", "unknown entry 'acquisition'"),
        ('value = 26.0\nstatus = "assumed"', "value = 26.0", "'no_key_loss_db' must be a table with"),
        ("value = 26.0", "value = nan", "the value of 'no_key_loss_db' must be a number"),
        ("value = 26.0", "value = inf", "the value of 'no_key_loss_db' must be a number"),
        ("value = 26.0", "value = true", "the value of 'no_key_loss_db' must be a number"),
        ("value = 26.0", "value = -1", "the value of 'no_key_loss_db' must be a number"),
        ('"public"', '"rumoured"', "the status of 'cap_bps' must be public or assumed"),
        ('source = "no public figure"', 'source = ""', "'acquisition_s' has no source"),
        ("value = 242_330", "value = 0", "'reference_rate_bps' must be above 0"),
        ("value = 26.0", "value = 14.3", "'reference_loss_db' must be below"),
        ("value = 0.03", "value = 3", "'low_loss_qber' is a fraction"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(old: str, new: str, message: str):
    assert old in TOSHIBA
    with pytest.raises(InputError, match=r"^toshiba\.toml: ") as caught:
        read_profile("toshiba", TOSHIBA.replace(old, new))
    assert message in str(caught.value)
