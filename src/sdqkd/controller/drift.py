"""Whether a device holds what is wanted of it, and what to do about what it does not. Pure.

What the network file wants and what a device holds are compared below the paths that the controller owns. They
differ for one of two reasons: somebody has changed the device, which is drift; or the file was changed and is not
applied yet, which is not for the watch to do. The two are told apart by what the device was last seen to agree
with: only a device that once held what the file wants now can have drifted from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sdqkd.controller.change_json import change_to_json
from sdqkd.controller.drift_rules import Policies
from sdqkd.controller.intent import Desired
from sdqkd.controller.plan import DevicePlan, Plan, device_plan, differences, digest
from sdqkd.network.model import Policy
from sdqkd.schema.diff import Change, apply, invert
from sdqkd.schema.table import Schema, load
from sdqkd.schema.tree import Container

State = Literal["in step", "drifted", "not applied"]


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that a device holds otherwise: `change.old` is what is wanted, `change.new` what it holds."""

    change: Change
    policy: Policy


@dataclass(frozen=True, slots=True)
class Drift:
    """What came of one comparison. `deviations` are without those to be ignored, which `ignored` counts.

    `wanted` stands for what the network file wants of the device.
    """

    device: str
    model_set: str
    state: State
    deviations: tuple[Deviation, ...]
    ignored: int
    wanted: str

    @property
    def schema(self) -> Schema:
        """The model of the device."""
        return load(self.model_set)

    def under(self, policy: Policy) -> tuple[Change, ...]:
        """The changes of the device that are under a policy."""
        return tuple(each.change for each in self.deviations if each.policy == policy)

    def as_plan(self) -> DevicePlan:
        """What has happened to the device, in the form of a plan from what was wanted: for those who print it."""
        return DevicePlan(self.model_set, "", "", tuple(each.change for each in self.deviations))

    def to_json(self) -> dict[str, Any]:
        """The whole as a JSON object."""
        changes = [{"policy": each.policy, **change_to_json(self.schema, each.change)} for each in self.deviations]
        return {"device": self.device, "state": self.state, "changes": changes, "ignored": self.ignored}


def compare(
    device: str, wanted: Desired, held: Container, policies: Policies, agreed: Sequence[str] = ()
) -> Drift:
    """Hold what a device holds against what is wanted of it.

    `agreed` are the digests (`Drift.wanted`, or of the journal) of what it was last seen to agree with; without
    any, every difference counts as drift.
    """
    schema = load(wanted.model_set)
    digest_wanted = digest(schema, wanted.tree, wanted.owned)
    found = [
        Deviation(change, policies.of(change.path))
        for change in differences(schema, wanted.tree, held, wanted.owned)
    ]
    told = tuple(each for each in found if each.policy != "ignore")
    drifted: State = "drifted" if not agreed or digest_wanted in agreed else "not applied"
    state: State = drifted if told else "in step"
    return Drift(device, wanted.model_set, state, told, len(found) - len(told), digest_wanted)


def restoring(network: str, drift: Drift, wanted: Desired, held: Container, models: str = "") -> Plan:
    """The plan that takes back what is to be restored on one device, and leaves alone what else it holds."""
    changes = invert(drift.under("restore"))
    back = apply(drift.schema, held, changes)
    part = device_plan(replace(wanted, tree=back), held)
    return Plan(network, {drift.device: replace(part, models=models)})


def summary(drifts: Mapping[str, Drift]) -> str:
    """How many devices are how, for people."""
    states = [drift.state for drift in drifts.values()]
    parts = [f"{states.count('in step')} of {len(states)} devices hold what is wanted"]
    parts += _some(states.count("drifted"), "drifted")
    parts += _some(states.count("not applied"), "wait for changes of the network file to be applied")
    return ", ".join(parts)


def _some(count: int, what: str) -> Iterator[str]:
    if count:
        yield f"{count} {what}"
