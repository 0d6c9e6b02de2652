import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.netconf.error_path import from_xpath, to_xpath

CASES = json.loads((Path(__file__).parent / "cases" / "error_paths.json").read_text())
SAME = {module: module for module in CASES["modules"]}

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
values = st.text(st.characters(codec="utf-8", exclude_characters="'"), max_size=12)
steps = st.tuples(st.sampled_from(["a", "b"]), names, st.none() | st.tuples(names, values))


@pytest.mark.parametrize("case", CASES["paths"], ids=lambda case: case["inner"])
def test_both_ways(case: dict) -> None:
    xpath, modules = to_xpath(case["inner"])
    assert xpath == case["xpath"]
    assert all(f"{module}:" in xpath for module in modules)
    assert from_xpath(xpath, SAME) == case["inner"]


@pytest.mark.parametrize("case", CASES["foreign"], ids=lambda case: case["xpath"])
def test_prefixes_of_other_servers(case: dict) -> None:
    assert from_xpath(case["xpath"], case["prefixes"]) == case["inner"]


@given(st.lists(steps, min_size=1, max_size=6))
def test_a_path_survives_the_wire(path: list[tuple[str, str, tuple[str, str] | None]]) -> None:
    inner, current = "", ""
    for module, name, key in path:
        inner += f"/{name}" if module == current else f"/{module}:{name}"
        inner += f"[{key[0]}='{key[1]}']" if key else ""
        current = module
    xpath, modules = to_xpath(inner)
    assert modules == {module for module, _, _ in path}
    assert from_xpath(xpath, {"a": "a", "b": "b"}) == inner
