"""continue-on-error finds what is wrong in few tries, changes nothing else, and keeps prefixes as they came."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datastore.small_node import INTERFACES, NODE, SmallNode
from tests.datastore.small_requests import config, place_of

from sdqkd.datastore import part_edits
from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.locks import Target
from sdqkd.datastore.part_edits import edit_parts
from sdqkd.datastore.steps import Steps, finish
from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.edit import Part, edit_noting
from sdqkd.schema.tree import Container, Entries, get

SCHEMA = SmallNode().schema
START = SmallNode().factory()
ME = 1


def interfaces(numbers: range, wrong: set[int]) -> str:
    entries = (
        f"<qkd_interface><qkdi_id>{number}</qkdi_id>"
        f"<qkdi_type>t:{'TELEPATHY' if number in wrong else 'CV-QKD'}</qkdi_type></qkd_interface>"
        for number in numbers
    )
    return f"<qkd_interfaces>{''.join(entries)}</qkd_interfaces>"


class Counting:
    """edit_parts with a count of its tries, and of the elements that they chose to look at."""

    def __init__(self, request: str) -> None:
        self.tries = self.looked_at = 0
        element = config(request)

        def edit(tree: Container, part: Part | None) -> Steps[Container]:
            self.tries += 1
            self.looked_at += sum(map(len, part.children.values())) if part else 0
            yield
            return edit_noting(SCHEMA, tree, element, "merge", part).tree

        self.tree, self.errors = finish(edit_parts(SCHEMA, edit, START, element))


def ids_of(tree: Container) -> set[int]:
    listed = get(tree, INTERFACES)
    assert isinstance(listed, Entries)
    return {
        int(keys[0]) for keys, entry in listed.entries.items() if entry.children["qkdi_type"].endswith("CV-QKD")
    }


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(3, 40)), st.integers(3, 40))
def test_all_that_is_right_is_done_and_all_that_is_wrong_is_told_in_order(wrong: set[int], last: int) -> None:
    numbers = range(3, last + 1)
    found = Counting(interfaces(numbers, wrong))
    told = [int(error.path.partition("qkdi_id='")[2].partition("'")[0]) for error in found.errors if error.path]
    assert told == sorted(wrong & set(numbers))
    assert ids_of(found.tree) - {2} == set(numbers) - wrong


def test_one_mistake_among_many_takes_few_tries() -> None:
    assert Counting(interfaces(range(3, 1003), {500})).tries < 25


def test_many_mistakes_do_not_make_all_be_looked_at_again_and_again() -> None:
    wrong = set(range(3, 1003, 40))
    found = Counting(interfaces(range(3, 1003), wrong))
    assert len(found.errors) == len(wrong)
    assert found.looked_at < 10 * 1000


def test_text_among_elements_is_one_mistake() -> None:
    found = Counting(interfaces(range(3, 10), set()).replace("</qkd_interface>", "</qkd_interface>text", 1))
    assert [error.tag for error in found.errors] == ["bad-element"]
    assert found.tree is START


def test_too_many_mistakes_are_not_looked_for(datastores: Datastores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_edits, "MAX_TRIES", 20)
    numbers = range(3, 103)
    with pytest.raises(RpcError, match="too much of this request is wrong"):
        datastores.edit_config(ME, "candidate", config(interfaces(numbers, set(numbers))),
                               error_option="continue-on-error")  # fmt: skip
    assert datastores.get_config("candidate") is datastores.get_config("running")


def test_a_prefix_that_only_a_value_uses_is_kept(datastores: Datastores) -> None:
    """It is declared where it is used, and its namespace has another prefix further up."""
    request = (
        "<qkdn_version nc:operation='delete'/><qkdn_location_id>rack 2</qkdn_location_id>"
        "<qkd_interfaces><qkd_interface><qkdi_id>1</qkdi_id>"
        "<qkdi_type xmlns:inner='urn:etsi:qkd:yang:etsi-qkd-node-types'>inner:CV-QKD</qkdi_type>"
        "</qkd_interface></qkd_interfaces>"
    )
    with pytest.raises(RpcErrors, match="qkdn_version does not exist") as refused:
        datastores.edit_config(ME, "candidate", config(request), error_option="continue-on-error")
    assert len(refused.value.errors) == 1
    candidate = datastores.get_config("candidate")
    assert place_of(candidate) == "rack 2"
    interface = (NODE, "qkd_interfaces", ("qkd_interface", ("1",)))
    assert get(candidate, (*interface, "qkdi_type")) == "etsi-qkd-node-types:CV-QKD"


def begun(datastores: Datastores, target: Target) -> Steps[None]:
    """A request, half of it wrong, that has been tried for a while."""
    request = config("<qkdn_location_id>rack 2</qkdn_location_id>" + interfaces(range(3, 9), {4, 7}))
    steps = datastores.edit_parts(ME, target, request, "merge", None, None)
    for _ in range(4):
        next(steps)
    return steps


@pytest.mark.parametrize("target", ["running", "candidate"])
def test_nothing_is_written_before_the_last_step(datastores: Datastores, target: Target) -> None:
    before = datastores.get_config(target)
    steps = begun(datastores, target)
    with suppress(RpcErrors):
        for _ in steps:
            assert datastores.get_config(target) is before
    assert place_of(datastores.get_config(target)) == "rack 2"


@pytest.mark.parametrize("target", ["running", "candidate"])
def test_what_somebody_else_wrote_meanwhile_stays(datastores: Datastores, target: Target) -> None:
    steps = begun(datastores, target)
    datastores.edit_config(2, target, config("<qkdn_location_id>rack 3</qkdn_location_id>"))
    with pytest.raises(RpcError, match="changed by somebody else") as refused:
        finish(steps)
    assert refused.value.tag == "in-use"
    assert place_of(datastores.get_config(target)) == "rack 3"


def test_a_lock_that_somebody_took_meanwhile_holds(datastores: Datastores) -> None:
    steps = begun(datastores, "running")
    datastores.lock(2, "running", datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(RpcError) as refused:
        finish(steps)
    assert refused.value.tag == "in-use"
