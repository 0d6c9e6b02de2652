"""`sdqkd assign`: channels for all links, limits for their neighbours, and words for what does not fit."""

from __future__ import annotations

from tests.cli.conftest import MADQCI, Run


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
