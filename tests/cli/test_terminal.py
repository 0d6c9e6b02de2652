"""What a person sees on a terminal: nothing overwritten, nothing cut, colours only where they are wanted."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pyte
import pytest
from tests.cli.conftest import THREE_SITES

LINES = 300  # tall enough that nothing scrolls away


def on_a_terminal(columns: int, *arguments: str, env: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Run the command with a terminal of this width as stdout and stderr; its exit code and all that it wrote."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "sdqkd", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
        env=clean | {"TERM": "xterm-256color"} | (env or {}),
    )
    os.close(its)
    written = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux says so when the last writer is gone
            chunk = b""
        if not chunk:
            break
        written += chunk
    os.close(ours)
    return process.wait(timeout=60), written


def rendered(written: bytes, columns: int) -> list[str]:
    """The lines on the screen after all was written."""
    screen = pyte.Screen(columns, LINES)
    pyte.ByteStream(screen).feed(written)
    return [line.rstrip() for line in screen.display]


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_the_demonstration_leaves_its_result_on_the_screen(columns: int) -> None:
    code, written = on_a_terminal(columns, "demo", str(THREE_SITES))
    lines = rendered(written, columns)
    screen = "\n".join(lines)
    assert code == 0, screen
    assert "12 of 12 devices in the desired state, 2 of 2 wanted links make key" in screen
    assert "a second apply: no changes" in lines
    assert screen.count("ACTIVE") == 2
    assert "switched" in screen
    assert "2.04" in screen
    assert "…" not in screen
    assert "━" not in screen, "a progress bar was left"


def test_colours_on_a_terminal_and_none_with_no_color() -> None:
    colour = re.compile(rb"\x1b\[[0-9;]*3[0-7]m")
    assert colour.search(on_a_terminal(120, "demo", str(THREE_SITES))[1])
    assert not colour.search(on_a_terminal(120, "demo", str(THREE_SITES), env={"NO_COLOR": "1"})[1])
