"""Two networks as input: three sites that have one of everything, and MadQCI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.controller.bench import Bench, small

from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.journal_sqlite import SqliteJournal
from sdqkd.network.model import Network

DATA = Path(__file__).parent / "data"
MADQCI = Path(__file__).parents[2] / "examples" / "madqci" / "network.yaml"


@pytest.fixture(scope="session")
def three_sites_text() -> str:
    return (DATA / "network.yaml").read_text("utf-8")


@pytest.fixture(scope="session")
def three_sites(three_sites_text: str) -> LoadedNetwork:
    return load_network(three_sites_text, "network.yaml")


@pytest.fixture(scope="session")
def madqci() -> LoadedNetwork:
    return load_network(MADQCI.read_text("utf-8"), "examples/madqci/network.yaml")


@pytest.fixture
def journal(three_sites: LoadedNetwork, tmp_path: Path) -> Iterator[SqliteJournal]:
    """The journal of the three sites."""
    journal = SqliteJournal(tmp_path / "controller", three_sites.network.name)
    yield journal
    journal.close()


Benches = Callable[[Network], Bench]


@pytest.fixture
def benches(tmp_path: Path) -> Iterator[Benches]:
    """Makes benches, and clears them away."""
    made: list[Bench] = []

    def make(network: Network) -> Bench:
        made.append(Bench(network, tmp_path / str(len(made))))
        return made[-1]

    yield make
    for bench in made:
        bench.journal.close()


@pytest.fixture
def bench(three_sites: LoadedNetwork, benches: Benches) -> Bench:
    return benches(three_sites.network)


@pytest.fixture
def two(three_sites: LoadedNetwork, benches: Benches) -> Bench:
    return benches(small(three_sites.network))
