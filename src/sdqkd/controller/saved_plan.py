"""A plan in a file: what a person has looked at is what is applied later, or nothing is.

The file holds the plan, which is pinned to what every device held when it was made, and of which network file it
was made. Both must still be so: else the plan is stale. It is JSON, and only read as a whole.
"""

from __future__ import annotations

import hashlib
import json as plain_json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from sdqkd.controller.intent import owned_by
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.controller.plan import DevicePlan, Plan, digest
from sdqkd.errors import ApplyError, InputError, RpcError, SdqkdError
from sdqkd.network.model import Network
from sdqkd.schema import json
from sdqkd.schema.diff import apply
from sdqkd.schema.path import format_path
from sdqkd.schema.table import load
from sdqkd.schema.tree import Container, Path

_MARK = "sdqkd-plan"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan with where it comes from. `intent` is the digest of the network file; see `intent_digest`."""

    plan: Plan
    network_file: str
    intent: str
    author: str
    made_at: str

    def to_json(self) -> dict[str, Any]:
        """As a JSON object: that of the plan, and what is said about it."""
        about = {"network-file": self.network_file, "intent": self.intent, "author": self.author}
        return {_MARK: {**about, "made-at": self.made_at}, **self.plan.to_json()}

    def demand_fresh(self, loaded: LoadedNetwork) -> None:
        """Raise ApplyError if the network file wants something else now than then; as `demand_own`."""
        demand_own(self.plan, loaded.network)
        if self.intent != intent_digest(loaded):
            raise ApplyError(f"{loaded.file} has changed since the plan was made: plan again")


def demand_own(plan: Plan, network: Network) -> None:
    """Raise ApplyError for a plan that is not for this network, or changes what the controller does not own.

    Anybody can have written a plan that comes from a file, and its digests say nothing of what is not owned.
    """
    if plan.network != network.name:
        raise ApplyError(f"this plan is for the network {plan.network}, not for {network.name}")
    if strangers := [name for name in plan.devices if name not in network.devices]:
        raise ApplyError(f"the plan is for another network: {', '.join(strangers)} is not known here")
    failures: dict[str, SdqkdError] = {}
    for name, device in plan.devices.items():
        known = network.devices[name]
        if device.model_set != known.model_set:
            failures[name] = SdqkdError(f"the plan takes it for '{device.model_set}', it is '{known.model_set}'")
        elif foreign := [change.path for change in device.changes if not _is_owned(change.path, owned_by(known))]:
            where = format_path(foreign[0], device.schema)
            failures[name] = SdqkdError(f"the plan changes what the controller does not own: {where}")
    if failures:
        raise ApplyError("this is no plan of this controller; nothing was changed", failures)


def _is_owned(path: Path, owned: Sequence[Path]) -> bool:
    names = tuple(step if isinstance(step, str) else step[0] for step in path)
    return any(names[: len(part)] == part for part in owned)


def demand_bases(plan: Plan, network: Network, running: Mapping[str, Container]) -> None:
    """Raise ApplyError naming the devices that hold something else now than what the plan would change.

    Also those that the plan would not lead to what it promises. The transaction looks again, with every device
    locked; this is for who must know before that.
    """
    failures: dict[str, SdqkdError] = {}
    for name in plan.changed:
        device, owned = plan.devices[name], owned_by(network.devices[name])
        if digest(device.schema, running[name], owned) != device.base:
            failures[name] = SdqkdError("its configuration has changed since the plan was made: plan again")
        elif not _leads_to_result(device, running[name], owned):
            failures[name] = SdqkdError("the plan's changes do not lead to what it promises: plan again")
    if failures:
        raise ApplyError("the plan is stale; nothing was changed", failures)


def _leads_to_result(device: DevicePlan, running: Container, owned: tuple[Path, ...]) -> bool:
    try:
        return digest(device.schema, apply(device.schema, running, device.changes), owned) == device.result
    except RpcError:
        return False


def save(plan: Plan, loaded: LoadedNetwork, author: str, made_at: str) -> SavedPlan:
    """The plan as it can be kept. `made_at` is a time of day."""
    return SavedPlan(plan, str(File(loaded.file).absolute()), intent_digest(loaded), author, made_at)


def is_saved_plan(text: str) -> bool:
    """Whether a file is meant to be a saved plan, and no network file."""
    return text.lstrip()[:1] == "{" and f'"{_MARK}"' in text[:200]


def read_saved_plan(text: str, file: str) -> SavedPlan:
    """Read what `to_json` gave. Raises InputError, with the name of the file, if it is no such thing."""
    try:
        document = plain_json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is no plan: {error}", file) from None
    about = document.get(_MARK) if isinstance(document, Mapping) else None
    if not isinstance(about, Mapping):
        raise InputError("this is no saved plan: make one with `sdqkd plan NETWORK --out FILE`", file)
    names = ("network-file", "intent", "author", "made-at")
    if missing := [name for name in names if not isinstance(about.get(name), str)]:
        raise InputError(f"this is no plan: {missing[0]} is missing", file)
    return SavedPlan(Plan.from_json(document, file), *(about[name] for name in names))


def intent_digest(loaded: LoadedNetwork) -> str:
    """A SHA-256 of what a network file says, in hexadecimal: comments and the order of leafs do not count."""
    said = json.encode(load("network"), loaded.tree)
    return hashlib.sha256(plain_json.dumps(said, sort_keys=True).encode()).hexdigest()
