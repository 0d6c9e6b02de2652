"""Every conversion and figure in a docstring of the physics holds."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from sdqkd import physics

MODULES = [module.name for module in pkgutil.iter_modules(physics.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"sdqkd.physics.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
