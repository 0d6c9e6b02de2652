"""What a device holds becomes what the network file wants, in the file itself: its comments stay. Pure.

Only what the file says of one thing can be adopted: the power and frequency of a channel, the interval, VLAN and
key source of a protected connection, the measured loss and the frequency of a link. Beside what light a link was
measured, and where it lay, is written too where that changes. Whatever the edit, the file is
read and checked again, and the edit counts only if it then wants of the device what the device holds, and nothing
else than before beside that. What it then wants of other devices too is told, not done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sdqkd.coexistence.baseline import says_all
from sdqkd.controller.intent import Desired, desired
from sdqkd.controller.inventory import LoadedNetwork, load_network
from sdqkd.controller.plan import differences
from sdqkd.controller.yaml_edit import CannotEditError, Step, names_at, rename, set_value
from sdqkd.errors import InputError, SdqkdError
from sdqkd.network.model import Network, QkdLink
from sdqkd.physics.grid import hz_to_channel, hz_to_thz, thz_to_hz
from sdqkd.schema.diff import Change
from sdqkd.schema.path import format_path
from sdqkd.schema.table import Schema, load
from sdqkd.schema.tree import Path, get

_POSITIONS = ("channel", "frequency-thz", "wavelength-nm")
_Edit = Callable[[str], str]


class CannotAdoptError(SdqkdError):
    """A change of a device cannot be written into the network file; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """The new text of the network file, and the other devices of which it now wants something else."""

    text: str
    others: tuple[str, ...]


def adopted(loaded: LoadedNetwork, text: str, device: str, changes: Sequence[Change]) -> Adopted:
    """The network file, whose text is `text`, with changes that a device has gone through.

    Raises CannotAdoptError if one of them has no place there, or the file would not be right afterwards.
    """
    new, obstacles = text, dict[Path, str]()
    for change in changes:
        try:
            for edit in _edits(loaded.network, device, change):
                new = edit(new)
        except CannotEditError as error:
            # It may still follow from the others, as a wavelength does from a frequency.
            obstacles[change.path] = str(error)
    return Adopted(new, _verified(loaded, new, device, changes, obstacles))


def _verified(
    loaded: LoadedNetwork, new: str, device: str, changes: Sequence[Change], obstacles: Mapping[Path, str]
) -> tuple[str, ...]:
    """The other devices that the new text wants something else of. Raises CannotAdoptError if it is not right."""
    try:
        network = load_network(new, loaded.file).network
    except InputError as error:
        raise CannotAdoptError(
            f"{loaded.file}: what {device} holds cannot be adopted, the file would not be right: {error}"
        ) from None
    before, after = desired(loaded.network), desired(network)
    for change in changes:
        if get(after[device].tree, change.path) != change.new:
            raise _cannot(loaded, device, change, obstacles.get(change.path, "the file would still not want it"))
    changed = {name: _changed(before[name], wanted) for name, wanted in after.items()}
    if more := changed.pop(device) - {change.path for change in changes}:
        where = format_path(next(iter(more)), load(after[device].model_set))
        raise CannotAdoptError(
            f"{loaded.file}: what {device} holds cannot be adopted: it would change {where} too"
        )
    return tuple(name for name, paths in changed.items() if paths)


def _changed(before: Desired, after: Desired) -> set[Path]:
    schema = load(after.model_set)
    return {change.path for change in differences(schema, before.tree, after.tree, after.owned)}


def _cannot(loaded: LoadedNetwork, device: str, change: Change, why: str) -> CannotAdoptError:
    where = format_path(change.path, load(loaded.network.devices[device].model_set))
    return CannotAdoptError(f"{loaded.file}: {where} of {device} cannot be adopted: {why}")


def _edits(network: Network, device: str, change: Change) -> Iterator[_Edit]:
    """What to do with the text for one change. Raises CannotEditError."""
    entry, below = _split(change.path)
    if entry is None or not below or not isinstance(change.new, str):
        raise CannotEditError("only single values can be adopted: enter it in the file, or have it restored")
    value = change.new
    kind, key = entry
    if kind == "optical-channel" and below in _CHANNEL:
        place: tuple[Step, ...] = ("network", ("optical-channel=name", key))
        yield from _CHANNEL[below](place, value)
        yield from _as_channel_was(network, key, place)
    elif kind == "connection" and key in network.protected_connections:
        yield _connection_edit(network, device, key, below, value)
    elif kind == "qkd_link" and below in _LINK:
        link = next((one for one in network.qkd_links.values() if one.link_id == key), None)
        if link is None:
            raise CannotEditError("the file has no such link")
        if link.arms:
            raise CannotEditError(
                f"{link.name} is a pair of a hub: have it restored, or change the hub in the file"
            )
        place = ("network", ("qkd-link=name", link.name))
        yield from _LINK[below](place, value)
        if below != _LOSS:
            yield from _as_link_was(link, place)
    else:
        raise CannotEditError("the file has no value of its own for it: have it restored, or change the file")


def _as_channel_was(network: Network, name: str, place: tuple[Step, ...]) -> Iterator[_Edit]:
    """How a channel was while links beside it were measured, where the file did not need to say so until now."""
    channel = network.optical_channels.get(name)
    if channel is None or says_all(channel):
        return
    links = network.qkd_links.values()
    if any(link.calibration is not None and channel.fibre in link.fibres for link in links):
        if channel.calibration_power_dbm is None:
            yield _setter((*place, "calibration-power-dbm"), f"{channel.launch_power_dbm:g}")
        if channel.calibration_frequency_hz is None:
            yield _setter((*place, "calibration-frequency-thz"), hz_to_thz(channel.frequency_hz))


def _as_link_was(link: QkdLink, place: tuple[Step, ...]) -> Iterator[_Edit]:
    if link.calibration is not None and link.calibration.frequency_hz is None:
        yield _setter((*place, "calibration", "frequency-thz"), hz_to_thz(link.frequency_hz))


def _connection_edit(network: Network, device: str, name: str, below: tuple[str, ...], value: str) -> _Edit:
    connection = network.protected_connections[name]
    here, there = ("a", "b") if connection.a.device == device else ("b", "a")
    places: Mapping[tuple[str, ...], tuple[str, ...]] = {
        ("rekey-interval",): ("rekey-interval",),
        ("vlan",): ("vlan",),
        ("key-source", "uri"): (here, "key-source-uri"),
        ("key-source", "local-sae-id"): (here, "sae-id"),
        ("key-source", "peer-sae-id"): (there, "sae-id"),
    }
    if below not in places:
        raise CannotEditError("the file has no value of its own for it")
    return _setter(("network", ("protected-connection=name", name), *places[below]), value)


def _setter(steps: tuple[Step, ...], value: str) -> _Edit:
    return lambda text: set_value(text, steps, value)


def _frequency(entry: tuple[Step, ...], thz: str) -> Iterator[_Edit]:
    """Say where it lies as the file does, if that can say it; else as a frequency."""

    def edit(text: str) -> str:
        position = next((name for name in names_at(text, entry) if name in _POSITIONS), None)
        if position is None:
            raise CannotEditError("the file gives its place as a slot")
        channel = hz_to_channel(thz_to_hz(thz))
        if position == "channel" and channel is not None:
            return set_value(text, (*entry, "channel"), str(channel))
        if position != "frequency-thz":
            text = rename(text, (*entry, position), "frequency-thz")
        return set_value(text, (*entry, "frequency-thz"), thz)

    yield edit


def _value(name: str) -> Callable[[tuple[Step, ...], str], Iterator[_Edit]]:
    def edits(entry: tuple[Step, ...], value: str) -> Iterator[_Edit]:
        yield _setter((*entry, *name.split("/")), value)

    return edits


_CHANNEL: Mapping[tuple[str, ...], Callable[[tuple[Step, ...], str], Iterator[_Edit]]] = {
    ("launch-power-dbm",): _value("launch-power-dbm"),
    ("frequency-thz",): _frequency,
}
_LOSS = ("phys_channel_att",)
_LINK: Mapping[tuple[str, ...], Callable[[tuple[Step, ...], str], Iterator[_Edit]]] = {
    _LOSS: _value("calibration/loss-db"),
    ("sdqkd-qkd-node:frequency-thz",): _frequency,
}


def _split(path: Path) -> tuple[tuple[str, str] | None, tuple[str, ...]]:
    """The innermost list entry of a path, by list and key, and the names below it."""
    for at in range(len(path) - 1, -1, -1):
        step = path[at]
        if isinstance(step, tuple):
            below = tuple(name for name in path[at + 1 :] if isinstance(name, str))
            return (step[0].rpartition(":")[2], step[1][0]), below
    return None, ()


def places(schema: Schema, changes: Sequence[Change]) -> tuple[str, ...]:
    """The paths of changes, for people and the audit trail."""
    return tuple(format_path(change.path, schema) for change in changes)
