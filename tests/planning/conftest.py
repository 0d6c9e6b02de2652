"""Networks to plan: MadQCI, and small ones drawn at random."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.planning.forecast import Forecast

MADQCI = Path(__file__).parents[2] / "examples" / "madqci" / "network.yaml"


@pytest.fixture(scope="session")
def madqci() -> LoadedNetwork:
    return load_network(MADQCI.read_text("utf-8"), "network.yaml")


@pytest.fixture(scope="session")
def forecast(madqci: LoadedNetwork) -> Forecast:
    return Forecast(madqci.network)
