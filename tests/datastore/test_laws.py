"""Any sequence of edits, commits and discards agrees with the same edits applied to plain trees."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.datastore.memory_store import MemoryStore
from tests.datastore.small_node import SmallNode
from tests.datastore.small_requests import config

from sdqkd.datastore.boot import boot
from sdqkd.datastore.datastores import Datastores
from sdqkd.datastore.locks import Target
from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema.diff import same
from sdqkd.schema.edit import edit
from sdqkd.schema.tree import Container
from sdqkd.schema.validate import Validator

NODE = SmallNode()
VALIDATOR = Validator(NODE.schema)
ME = 1

# Most requests must succeed, or nothing is tested but refusals.
_operations = st.sampled_from(["", "", "", "", "merge", "replace", "create", "delete", "remove"])
_attribute = _operations.map(lambda name: f' nc:operation="{name}"' if name else "")
_ids = st.sampled_from(["00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b", "nobody"])


@st.composite
def _leaf(draw: st.DrawFn) -> str:
    name, values = draw(
        st.sampled_from(
            [
                ("qkdn_id", _ids),
                ("qkdn_location_id", st.sampled_from(["rack 1", "rack 2"])),
                ("qkdn_location_id", st.sampled_from(["rack 3", "rack 4"])),
                ("qkdn_version", st.sampled_from(["1", "2"])),
            ]
        )
    )
    return f"<{name}{draw(_attribute)}>{draw(values)}</{name}>"


@st.composite
def _interface(draw: st.DrawFn) -> str:
    model = draw(st.sampled_from(["", "<qkdi_model>a</qkdi_model>", '<qkdi_model nc:operation="delete"/>']))
    entry = f"<qkdi_id>{draw(st.sampled_from('123'))}</qkdi_id>{model}"
    inside = f"<qkd_interface{draw(_attribute)}>{entry}</qkd_interface>"
    return f"<qkd_interfaces{draw(_attribute)}>{inside}</qkd_interfaces>"


_requests = st.lists(_leaf() | _interface(), min_size=1, max_size=2).map("".join)


@dataclass(frozen=True)
class Edit:
    """An edit-config."""

    target: Target
    request: str
    default_operation: str


_edits = st.builds(Edit, st.sampled_from(["candidate", "running"]), _requests, st.sampled_from(["merge", "none"]))
_steps = st.lists(_edits | _edits | _edits | st.sampled_from(["commit", "commit", "discard", "copy"]), max_size=15)


class Plain:
    """The datastores, done as simply as can be."""

    def __init__(self) -> None:
        self.running = NODE.factory()
        self.candidate: Container | None = None

    def do(self, step: Edit | str) -> None:
        if isinstance(step, Edit):
            start = self.running if step.target == "running" else self.candidate or self.running
            after = edit(NODE.schema, start, config(step.request), step.default_operation)  # type: ignore[arg-type]
            if step.target == "running":
                VALIDATOR.check(after)
                self.running = after
            else:
                self.candidate = None if same(NODE.schema, after, self.running) else after
        elif step == "commit":
            VALIDATOR.check(self.candidate or self.running)
            self.running, self.candidate = self.candidate or self.running, None
        else:
            self.candidate = None


def _do(datastores: Datastores, step: Edit | str) -> None:
    if isinstance(step, Edit):
        datastores.edit_config(
            ME,
            step.target,
            config(step.request),
            default_operation=step.default_operation,  # type: ignore[arg-type]
        )
    elif step == "commit":
        datastores.commit(ME)
    elif step == "discard":
        datastores.discard_changes(ME)
    else:
        datastores.copy_config(ME, "running", "candidate")


@settings(max_examples=150, deadline=None)
@given(_steps)
def test_datastores_agree_with_plain_trees(steps: list[Edit | str]) -> None:
    node, store, plain = SmallNode(), MemoryStore(), Plain()
    datastores = boot(NODE.schema, VALIDATOR, node, store)
    for step in steps:
        assert _outcome(lambda step=step: _do(datastores, step)) == _outcome(lambda step=step: plain.do(step))
        assert datastores.get_config("running") == plain.running
        assert datastores.get_config("candidate") == (plain.candidate or plain.running)
        assert store.saved[-1] == node.applied[-1] == plain.running


def _outcome(action: object) -> str:
    try:
        action()  # type: ignore[operator]
    except (RpcError, RpcErrors) as error:
        return str(error)
    return "ok"
