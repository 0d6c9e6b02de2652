"""What the documentation names exists: links, files, modules, commands, options, targets of make."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from sdqkd.cli.main import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = "src|tests|tools|docs|yang|bindings|examples"

page = pytest.mark.parametrize("page", PAGES, ids=lambda file: file.name)


def commands(group: click.Group, name: str = "sdqkd") -> Iterator[tuple[str, click.Command]]:
    """Every command by its name as people type it."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        yield f"{name} {word}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {word}")


COMMANDS: Mapping[str, click.Command] = dict(commands(cli))


def options(command: click.Command) -> set[str]:
    return {"--help", *(word for parameter in command.params for word in parameter.opts)}


def code(text: str) -> list[str]:
    """What stands between backticks, and the lines of blocks, fenced or indented; continued lines as one."""
    lines = text.replace("\\\n", " ").splitlines()
    blocks = [line.strip() for line in lines if line.startswith("    ") or re.match(r"\$ ", line)]
    return re.findall(r"`([^`\n]+)`", text) + blocks


def anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@page
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8")):
        if link.startswith("http"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@page
def test_files_and_modules_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    for path in re.findall(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./-]*\w)", text):
        assert "NAME" in path or (ROOT / path).exists(), path
    for name in re.findall(r"(?<![\w./-])((?:sdqkd|tools)\.\w[\w.]*\w)", text):
        module, _, last = name.rpartition(".")
        assert (
            (ROOT / "tools" / last).exists()
            or hasattr(importlib.import_module(module), last)
            or (importlib.import_module(name))
        ), name


@page
def test_commands_have_the_options_that_are_named(page: Path) -> None:
    for line in code(page.read_text("utf-8")):
        for words in re.findall(r"\bsdqkd [a-z].*", line):
            name = max((each for each in COMMANDS if f"{words} ".startswith(f"{each} ")), key=len, default=None)
            assert name is not None, words
            asked = re.findall(r"(?<!\S)--[a-z][a-z-]*", words.partition("#")[0])
            assert set(asked) <= options(COMMANDS[name]), words


def test_every_command_stands_in_the_table_of_commands() -> None:
    table = (ROOT / "docs" / "operate.md").read_text("utf-8").partition("## What the controller owns")[0]
    named = set(re.findall(r"[a-z-]+", " ".join(re.findall(r"`([^`]*)`", table))))
    assert {name.split()[1] for name in COMMANDS} <= named


def test_every_page_can_be_reached_from_the_readme() -> None:
    linked = set(re.findall(r"\]\(docs/([^)#]+)", (ROOT / "README.md").read_text("utf-8")))
    assert {file.name for file in (ROOT / "docs").glob("*.md")} <= linked


def test_targets_of_make_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for file in PAGES:
        for words in code(file.read_text("utf-8")):
            if found := re.match(r"(?:\$ )?make ([a-z-]+)", words):
                assert found[1] in targets, file
