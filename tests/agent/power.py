"""An agent that can be switched off in the middle of anything, and on again with what its disk holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.agent.memory_client import Clock
from tests.datastore.small_node import SmallNode

from sdqkd.agent.journal import JournalStore
from sdqkd.agent.server import Agent


class Power:
    """One node and its disk. Nothing is told to an agent that is switched off."""

    def __init__(self, node: SmallNode, store_file: Path, clock: Clock) -> None:
        self.node = node
        self.clock = clock
        self._file = store_file
        self._store: JournalStore | None = None

    def on(self, **options: Any) -> Agent:
        """Switch off, and on with these options of an agent."""
        self.off()
        self._store = JournalStore(self._file, self.node.schema)
        return Agent(self.node, self._store, clock=self.clock, **options)

    def off(self) -> None:
        """Let time stand still for the agent, and its file be anybody's."""
        self.clock.timers.clear()
        if self._store is not None:
            self._store.close()
            self._store = None
