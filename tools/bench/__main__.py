"""Figures of sdqkd on a machine: `python -m tools.bench [NAME] [options]`, in a checkout. The names:

    demo      the demonstration network, step by step (the default)
    netconf   our agent beside Debian's netconfd, in turn in one run; or any server
    agents    a thousand agents in one process, and one device that grows
    physics   noise and key rates over a full C band
    planning  light paths, channels and turns, on random networks by size
    scale     one controller and up to a thousand devices, beside bare loops of the same calls

Nothing here is a test: each prints what it saw, median with the smallest and the largest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from . import agents, demo, netconf, physics, planning, scale

COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "physics": physics.main,
    "planning": planning.main,
    "demo": demo.main,
    "netconf": netconf.main,
    "agents": agents.main,
    "scale": scale.main,
}


def main() -> None:
    arguments = sys.argv[1:]
    name = arguments.pop(0) if arguments and arguments[0] in COMMANDS else "demo"
    if name == "demo" and arguments and not arguments[0].startswith("-"):
        sys.exit(f"there is no benchmark '{arguments[0]}': choose {', '.join(COMMANDS)}")
    COMMANDS[name](arguments)


if __name__ == "__main__":
    main()
