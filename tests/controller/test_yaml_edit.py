"""One value is set in a text that a person wrote: it is then there, and nothing else means something else."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sdqkd.controller.yaml_edit import CannotEditError, insert_entry, scalar, set_value

TEXT = """\
# The network of the laboratory.
network:
  channel:   # two of them
    - name: one   # the first
      power: -3     # dBm, measured
      end: {device: alfa, port: p1}  # here
    - {name: two, power: '0'}
    - name: three
  site: [a, b]
"""


@pytest.mark.parametrize(
    ("steps", "old", "new"),
    [
        (("network", ("channel=name", "one"), "power"), "power: -3     # dBm", "power: -2.5     # dBm"),
        (("network", ("channel=name", "two"), "power"), "power: '0'}", "power: -2.5}"),
        (("network", ("channel=name", "two"), "width"), "power: '0'}", "power: '0', width: -2.5}"),
        (("network", ("channel=name", "one"), "width"), "      power: -3", "      width: -2.5\n      power: -3"),
        (("network", ("channel=name", "one"), "end", "port"), "port: p1}  # here", "port: -2.5}  # here"),
        (("network", ("channel=name", "three"), "power"), "- name: three", "- power: -2.5\n      name: three"),
    ],
)
def test_only_the_value_changes(steps: tuple, old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    assert set_value(TEXT, steps, "-2.5") == TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (("network", ("channel=name", "four"), "power"), "there is no entry four"),
        (("network", "nothing", "power"), "there is no nothing"),
        (("network", "site"), "site holds no single value"),
        (("network", "site", "power"), "no place for power"),
    ],
)
def test_what_has_no_place_is_refused(steps: tuple, why: str) -> None:
    with pytest.raises(CannotEditError, match=why):
        set_value(TEXT, steps, "1")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12))
def test_a_value_comes_back_as_it_is(value: str) -> None:
    if "\ufeff" in value or "\ufffe" in value or "\uffff" in value:
        return
    for text in (f"a: {scalar(value)}\n", f"{{a: {scalar(value)}, b: 1}}\n"):
        assert yaml.compose(text, Loader=yaml.SafeLoader).value[0][1].value == value


def test_one_more_entry_before_the_first() -> None:
    text = "network:\n  # what runs\n  qkd-link:\n    # the first\n    - name: a\n      channel: 34\n"
    new = insert_entry(text, ("network", "qkd-link"), ["name: b", "channel: 37"])
    assert new == text.replace("    - name: a", "    - name: b\n      channel: 37\n    - name: a")
    for hopeless in ("network: {qkd-link: [{name: a}]}", "network:\n  qkd-link: []\n"):
        with pytest.raises(CannotEditError):
            insert_entry(hopeless, ("network", "qkd-link"), ["name: b"])
