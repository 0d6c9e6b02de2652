"""Our agent for clients that were written elsewhere: in a process of its own, reached over real SSH."""

from __future__ import annotations

import pytest
from tests.conformance.conftest import Server, Start, keys, start_agent

__all__ = ["agent", "keys", "start_agent"]


@pytest.fixture(scope="session")
def agent(start_agent: Start) -> Server:
    """A QKD node of the example network."""
    return start_agent("qkd-node")
