"""The example of docs/models.md runs as printed, and libyang takes what it makes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DOC = Path(__file__).resolve().parents[2] / "docs" / "models.md"
Refusal = Callable[[str, dict[str, Any]], str | None]


@pytest.fixture
def example() -> dict[str, Any]:
    """The names that the example leaves behind."""
    (code,) = re.findall(r"^```python\n(.*?)^```", DOC.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(compile(code, str(DOC), "exec"), names)
    return names


def test_example_takes_five_lines(example: dict[str, Any]) -> None:
    text = DOC.read_text(encoding="utf-8")
    block = text[text.index("root = ") : text.index("document = ")]
    assert len(block.split("\n\n")[0].splitlines()) == 5


def test_example_is_valid(example: dict[str, Any], refusal: Refusal) -> None:
    assert refusal("qkd-node", json.loads(example["document"])) is None


def test_the_same_on_a_virtual_link_is_not(example: dict[str, Any], refusal: Refusal) -> None:
    example["link"].qkdl_type = "VIRT"
    reason = refusal("qkd-node", json.loads(example["ietf"](example["root"])))
    assert reason
    assert "phys_" in reason


def test_classes_refuse_a_wrong_value_where_it_is_set(example: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="phys_wavelength must be of a type compatible"):
        example["link"].phys_wavelength = "0"
