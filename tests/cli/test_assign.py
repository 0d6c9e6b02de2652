"""`sdqkd assign`: channels for all links, limits for their neighbours, and words for what does not fit."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import MADQCI, THREE_SITES, Run

MDI_HUB = MADQCI.parents[1] / "mdi-hub" / "network.yaml"


def test_madqci(sdqkd: Run) -> None:
    done = sdqkd("assign", MADQCI, "--json")
    assert done.code == 0
    assert done.json["method"] == "exact"
    assert len(done.json["links"]) == 13
    assert done.json["unserved"] == {}
    assert done.json["links-more-at-most"] == 0
    assert all(not one["contradicts"] for one in done.json["launch-power"])


def test_says_what_is_in_the_way(sdqkd: Run) -> None:
    done = sdqkd("assign", MADQCI, "--per-fibre", "1")
    assert done.code == 2
    assert "has none: it would need 2 quantum channels in a fibre" in done.out
    assert "no choice serves more" in done.out


def test_a_cut_fibre_takes_another_way(sdqkd: Run) -> None:
    done = sdqkd("assign", MADQCI, "--dark", "distrito-norte", "--json")
    assert done.code == 2
    assert "Distrito-Norte-IDQ" in done.json["unserved"]
    assert done.json["links"]["Norte-Distrito-CV"]["fibres"] == ["concepcion-norte", "distrito-concepcion"]


def test_nothing_moves_where_everything_works(sdqkd: Run) -> None:
    done = sdqkd("assign", MADQCI, "--keep", "--json")
    assert done.code == 0
    assert done.json["counts"] == {"stays": 13, "moves": 0, "lost": 0}
    assert all(one["before"] == one["after"] for one in done.json["links"].values())


def test_a_cut_moves_only_what_it_broke(sdqkd: Run) -> None:
    done = sdqkd("assign", MADQCI, "--keep", "--dark", "distrito-norte", "--json")
    assert done.code == 2
    assert done.json["counts"] == {"stays": 10, "moves": 1, "lost": 2}
    moved = done.json["links"]["Norte-Distrito-CV"]
    assert (moved["outcome"], moved["why"]) == ("moves", "distrito-norte is cut")
    assert moved["before"]["fibres"] == ["distrito-norte"]
    assert moved["after"]["fibres"] == ["concepcion-norte", "distrito-concepcion"]
    lost = done.json["links"]["Distrito-Norte-IDQ"]
    assert (lost["outcome"], lost["after"]) == ("lost", None)
    assert [one["constraint"] for one in done.json["unserved"]["Distrito-Norte-IDQ"]] == ["cut"]


def test_says_what_becomes_of_each_link(sdqkd: Run) -> None:
    done = sdqkd("assign", THREE_SITES, "--keep", "--dark", "bravo-charlie")
    assert done.code == 2
    assert "links as they are: 1, moved: 0, lost: 1" in done.out
    assert (
        "Alfa-Charlie-CV is lost: bravo-charlie is cut; it would need light in fibre bravo-charlie again"
        in done.out
    )
    assert sdqkd("assign", THREE_SITES, "--keep").code == 0


def test_a_stricter_rule_moves_a_link(sdqkd: Run) -> None:
    """What nobody said is no rule for what runs; what is asked for is one."""
    done = sdqkd("assign", MADQCI, "--keep", "--guard", "1300", "--json")
    assert done.code == 2
    broken = {name: one["why"] for name, one in done.json["links"].items() if one["outcome"] != "stays"}
    assert "Quevedo-Quijano-Toshiba" in broken
    assert "too close" in broken["Quevedo-Quijano-Toshiba"]


def test_keeping_is_no_way_to_choose_anew(sdqkd: Run) -> None:
    done = sdqkd("assign", MADQCI, "--keep", "--method", "first-fit")
    assert done.code == 1
    assert "--keep chooses by" in done.err


def test_links_of_three_parties_are_lost_with_their_fibre(sdqkd: Run, tmp_path: Path) -> None:
    for keep in ([], ["--keep"]):
        whole = sdqkd("assign", MDI_HUB, *keep, "--json")
        assert whole.code == 0
        assert not any(one["obstacle"] for one in whole.json["of-three-parties"].values())
        assert whole.json["launch-power"][0]["set-by"] == "Alfa-Charlie"
        cut = sdqkd("assign", MDI_HUB, *keep, "--dark", "alfa-hub", "--json")
        assert cut.code == 2
        left = {
            name: (one["key-rate-bps"] > 0, one["obstacle"]) for name, one in cut.json["of-three-parties"].items()
        }
        gone = (False, "alfa-hub is cut")
        assert left == {"Alfa-Bravo": gone, "Alfa-Charlie": gone, "Bravo-Charlie": (True, None)}
        assert cut.json["launch-power"][0]["set-by"].startswith("laser")
    said = sdqkd("assign", MDI_HUB, "--keep", "--dark", "alfa-hub").out
    assert "links as they are: 1, moved: 0, lost: 2" in said
    assert "Alfa-Charlie is lost: alfa-hub is cut" in said
    assert "no link of two parties is active, so there is nothing to choose" in sdqkd("assign", MDI_HUB).out
    starved = tmp_path / "network.yaml"
    starved.write_text(MDI_HUB.read_text("utf-8").replace("demand-bps: 50,", "demand-bps: 5000,"), "utf-8")
    done = sdqkd("assign", starved)
    assert done.code == 2
    assert "Alfa-Charlie is not served: 92 bit/s is less than its demand of 5,000" in done.out
