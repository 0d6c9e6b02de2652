"""`sdqkd routes`: what could be set up between switched modules."""

from __future__ import annotations

from tests.cli.conftest import MADQCI, THREE_SITES, Run


def test_madqci(sdqkd: Run) -> None:
    done = sdqkd("routes", MADQCI, "--json")
    assert done.code == 0
    assert (done.json["combinations"], done.json["paths"], done.json["inferred-modules"]) == (49, 17, 10)
    assert len(done.json["options"]) == 49


def test_table_says_what_is_inferred(sdqkd: Run) -> None:
    done = sdqkd("routes", MADQCI, "--all", "--dark", "distrito-norte")
    assert done.code == 0
    assert "no key" in done.out
    assert "inferred" in done.out


def test_unknown_fibre(sdqkd: Run) -> None:
    done = sdqkd("routes", THREE_SITES, "--dark", "nowhere")
    assert done.code == 1
    assert "there is no fibre 'nowhere'" in done.err
