"""A plan in stages: first light goes, then light is switched, then light comes.

dark    classical channels that go are removed, those that get weaker are lowered, those that move are removed
switch  everything else changes: links, cross-connections, connections of encryptors
light   classical channels that come, move or get stronger are set

So no channel is ever stronger on the way than both before and after. Each stage is a transaction of its own: all
its devices change or none. If a later one fails, the earlier ones are taken back, the last one first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sdqkd.controller.intent import owned_by
from sdqkd.controller.plan import DevicePlan, Plan, differences, digest
from sdqkd.devices import optical
from sdqkd.devices.transponder import ChannelSettings, channel_settings
from sdqkd.errors import ApplyError, InDoubtError, InterruptedApplyError, RolledBackError, SdqkdError
from sdqkd.network.model import Network
from sdqkd.schema.diff import apply
from sdqkd.schema.table import Schema
from sdqkd.schema.tree import Container, Path, get, put, remove

_CHANNEL = "optical-channel"


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a plan that is applied in one transaction. `name` is "" if the plan is applied at once."""

    name: str
    plan: Plan


def split(
    plan: Plan, network: Network, running: Mapping[str, Container], rerouted: Collection[tuple[str, str]] = ()
) -> tuple[Stage, ...]:
    """The stages that do something. Applied one after the other to `running` they come to the same as the plan.

    `rerouted` are channels, by device and name, that stay as they are while their light will take another way.
    """
    after = {
        name: apply(device.schema, running[name], device.changes) if device.changes else running[name]
        for name, device in plan.devices.items()
    }
    quiet = {
        name: _quiet(device.schema, running[name], after[name], {one for at, one in rerouted if at == name})
        for name, device in plan.devices.items()
        if network.devices[name].kind == "transponder"
    }
    before = {name: running[name] for name in plan.devices}
    states = (before, {**before, **quiet}, {**after, **quiet}, after)
    stages = (
        Stage(name, _between(plan, network, states[at], states[at + 1]))
        for at, name in enumerate(("dark", "switch", "light"))
    )
    return tuple(stage for stage in stages if not stage.plan.is_empty)


def _between(plan: Plan, network: Network, old: Mapping[str, Container], new: Mapping[str, Container]) -> Plan:
    return Plan(
        plan.network,
        {
            name: _device(device, old[name], new[name], owned_by(network.devices[name]))
            for name, device in plan.devices.items()
        },
    )


def _device(device: DevicePlan, old: Container, new: Container, owned: tuple[Path, ...]) -> DevicePlan:
    schema = device.schema
    return replace(
        device,
        base=digest(schema, old, owned),
        result=digest(schema, new, owned),
        changes=differences(schema, old, new, owned),
    )


def _quiet(schema: Schema, old: Container, new: Container, rerouted: Collection[str]) -> Container:
    """A transponder's configuration in which no channel is stronger than in both."""
    before, after = channel_settings(old), channel_settings(new)
    tree = new
    for name in dict.fromkeys((*before, *after)):
        place = (optical.TOP, (_CHANNEL, (name,)))
        source = _source(before.get(name), after.get(name), name in rerouted)
        entry = None if source is None else get(old if source == "old" else new, place)
        tree = remove(tree, place, schema) if get(tree, place) is not None else tree
        tree = tree if entry is None else put(schema, tree, place, entry)
    return tree


def _source(old: ChannelSettings | None, new: ChannelSettings | None, rerouted: bool) -> str | None:
    """From which state the entry of a channel comes on the way; None if there is none then."""
    if new is None or not new.enabled:
        return "new"
    if old is None or not old.enabled:
        return "old"
    if rerouted or (old.port, old.frequency_hz) != (new.port, new.frequency_hz):
        return None
    return "old" if new.launch_power_dbm > old.launch_power_dbm else "new"


async def in_stages(
    stages: Sequence[Stage],
    apply_one: Callable[[Stage], Awaitable[str]],
    take_back: Callable[[Stage], Awaitable[str]],
) -> tuple[str, ...]:
    """Apply stages one after the other; the identifiers of their transactions.

    If one is refused or rolled back, those before it are taken back, the last one first, and RolledBackError is
    raised (InterruptedApplyError if somebody interrupted it). InDoubtError if that fails too, or if it is not
    certain of every device what it holds: then nothing more is touched.
    """
    done: list[Stage] = []
    txids: list[str] = []
    for stage in stages:
        try:
            txids.append(await apply_one(stage))
        except InDoubtError:
            raise
        except SdqkdError as error:
            if not done:
                raise
            await _take_back(done, take_back, error)
            raise _taken_back(stage, error) from None
        done.append(stage)
    return tuple(txids)


async def _take_back(
    done: Sequence[Stage], take_back: Callable[[Stage], Awaitable[str]], error: SdqkdError
) -> None:
    for stage in reversed(done):
        try:
            await take_back(replace(stage, plan=stage.plan.reverse()))
        except SdqkdError as failure:
            left = failure.left if isinstance(failure, ApplyError) else {}
            message = f"{error}; then stage {stage.name} could not be taken back: {failure}"
            raise InDoubtError(message, left=left) from None


def _taken_back(stage: Stage, error: SdqkdError) -> ApplyError:
    kind = InterruptedApplyError if isinstance(error, InterruptedApplyError) else RolledBackError
    why = error.message if isinstance(error, ApplyError) else str(error)
    message = f"stage {stage.name}: {why}; the stages before it were taken back"
    if not isinstance(error, ApplyError):
        return kind(message)
    return kind(message, error.failures, error.left, error.findings)
