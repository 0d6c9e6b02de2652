"""`sdqkd switch` before an emulated MadQCI: made before broken, moved at once, and back when no key comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import MADQCI, Done, Emulation, Run, emulate


class Bench:
    """MadQCI in its desired state, and a copy of its file that may be written."""

    def __init__(self, sdqkd: Run, emulation: Emulation, file: Path) -> None:
        self._sdqkd, self._emulation, self.file = sdqkd, emulation, file

    def run(self, name: str, *arguments: str) -> Done:
        return self._sdqkd(name, self.file, *arguments, "--inventory", self._emulation.inventory, "--json")

    def links(self) -> dict[str, str]:
        return {row["name"]: row["status"] for row in self.run("status").json["links"]}

    def fault(self, *words: str) -> None:
        done = self._sdqkd("fault", self.file, *words, "--run-dir", self._emulation.run_dir)
        assert done.code == 0, done.err


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network file; one link is given up if no key comes in three seconds."""
    text, link = MADQCI.read_text("utf-8"), "    - name: Norte-Concepcion-CV\n"
    assert link in text
    folder = tmp_path_factory.mktemp("network")
    (folder / "network.yaml").write_text(
        text.replace(link, f"{link}      health-gate: {{acquisition-s: 3}}\n"), "utf-8"
    )
    return folder / "network.yaml"


@pytest.fixture
def bench(sdqkd: Run, quick: Path, tmp_path: Path) -> Iterator[Bench]:
    file = tmp_path / "network.yaml"
    file.write_text(quick.read_text("utf-8"), "utf-8")
    emulation = emulate(file, tmp_path / "emulation")
    try:
        bench = Bench(sdqkd, emulation, file)
        done = bench.run("apply")
        assert done.code == 0, done.err
        yield bench
    finally:
        emulation.stop()


def test_goes_back_or_moves_or_makes_before_it_breaks(bench: Bench) -> None:
    before = bench.file.read_text("utf-8")
    bench.fault("fail", "concepcion-qkd", "3")
    done = bench.run("switch", "Norte-Concepcion-CV")
    assert done.code == 3, done.out
    assert "Norte-Concepcion-CV" in done.err
    assert bench.file.read_text("utf-8") == before
    bench.fault("heal")
    moved = bench.run("switch", "Norte-Concepcion-CV")
    assert moved.code == 0, moved.err
    assert [one["step"] for one in moved.json["transactions"]] == ["move"]
    assert sorted(moved.json["ends"]) == ["Distrito-Concepcion-CV", "Norte-Distrito-CV"]
    links = bench.links()
    assert links["Norte-Concepcion-CV"] == "ACTIVE"
    assert links["Norte-Distrito-CV"] == links["Distrito-Concepcion-CV"] == "not switched"
    assert bench.run("plan").code == 0  # the file says what runs

    assert bench.run("switch", "Quevedo-Quijote-CV").code == 0
    # Now two modules are idle, and a link of others gives way: first the new one is made.
    made = bench.run("switch", "distrito-qkd:3", "norte-qkd:5", "--instead-of", "Norte-Concepcion-CV")
    assert made.code == 0, made.err
    assert [one["step"] for one in made.json["transactions"]] == ["make", "remove"]
    assert made.json["ends"] == ["Norte-Concepcion-CV"]
    links = bench.links()
    assert links["Distrito-Norte-CV"] == "ACTIVE"
    assert links["Norte-Concepcion-CV"] == "not switched"
    assert bench.run("plan").code == 0


def test_says_what_would_be(sdqkd: Run, quick: Path) -> None:
    done = sdqkd(
        "switch", quick, "Quijote", "Norte", "--channel", "37", "--instead-of", "Quevedo-Norte-CV", "--dry-run"
    )
    assert done.code == 0, done.err
    assert "Quijote-Norte-CV: channel 37 over quijote-quevedo, quevedo-norte" in done.out
    assert "Quijote-Quiron-CV ends for it" in done.out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["Nowhere-CV"], "there is no link 'Nowhere-CV'"),
        (["Quiron", "Norte"], "'Quiron' is not one switched transmitter"),
        (["Quintin", "Quiron"], "no key would come"),
        (["a", "b", "c"], "give one LINK, or a TRANSMITTER and a RECEIVER"),
    ],
)
def test_refused(sdqkd: Run, quick: Path, arguments: list[str], complaint: str) -> None:
    done = sdqkd("switch", quick, *arguments, "--json")
    assert done.code == 1
    assert complaint in json.dumps(done.json, ensure_ascii=False)
