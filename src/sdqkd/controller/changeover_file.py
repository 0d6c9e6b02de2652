"""A switch-over, written into the network file, whose comments stay. Pure, but for `write_down`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sdqkd.controller.changeover import Changeover
from sdqkd.controller.intent import desired
from sdqkd.controller.inventory import LoadedNetwork, load_network, read_file
from sdqkd.controller.whole_file import write_whole
from sdqkd.controller.yaml_edit import CannotEditError, Step, insert_entry, names_at, rename, scalar, set_value
from sdqkd.errors import InputError, StoreError
from sdqkd.network.model import QkdLink
from sdqkd.physics.grid import hz_to_channel, hz_to_thz

_LINKS = "qkd-link"
_POSITIONS = ("channel", "frequency-thz", "wavelength-nm")


def rewritten(loaded: LoadedNetwork, text: str, change: Changeover) -> LoadedNetwork:
    """The network of the file whose text then is `new_text` of it; it wants just what the switch-over wants.

    Raises InputError if the file cannot say it without being written anew by hand.
    """
    try:
        new = new_text(loaded, text, change)
        changed = load_network(new, loaded.file)
    except CannotEditError as error:
        raise InputError(f"this cannot be written into the file: {error}", loaded.file) from None
    if desired(changed.network) != desired(change.network):
        raise InputError("this cannot be written into the file: it would not want the same then", loaded.file)
    return changed


def new_text(loaded: LoadedNetwork, text: str, change: Changeover) -> str:
    """The text of the file with the switch-over. Raises CannotEditError."""
    for name in change.stops:
        text = set_value(text, (*_entry(name), "active"), "false")
    if change.is_new:
        return insert_entry(text, ("network", _LINKS), [*_lines(change.link)])
    entry = _entry(change.link.name)
    before = loaded.network.qkd_links[change.link.name]
    if not before.active:
        text = set_value(text, (*entry, "active"), "true")
    return text if before.frequency_hz == change.link.frequency_hz else _tuned(text, entry, change.link)


def write_down(loaded: LoadedNetwork, file: Path, change: Changeover) -> None:
    """Write it into the file as it is now: somebody may have edited that while devices changed.

    Raises StoreError if it cannot be done; then it is as it was.
    """
    try:
        text = new_text(loaded, read_file(file), change)
        load_network(text, str(file))
        write_whole(file, text)
    except (CannotEditError, InputError, StoreError) as error:
        raise StoreError(
            f"{change.link.name} runs, but the file could not be made to say so ({error}); write it down there, or"
            " the next `sdqkd apply` takes it back"
        ) from None


def _entry(name: str) -> tuple[Step, ...]:
    return ("network", (f"{_LINKS}=name", name))


def _tuned(text: str, entry: tuple[Step, ...], link: QkdLink) -> str:
    """Say the place in the spectrum anew: by channel where that can say it."""
    position = next((name for name in names_at(text, entry) if name in _POSITIONS), None)
    if position is None:
        raise CannotEditError("the file gives its place as a slot")
    name, value = _position(link)
    if position != name:
        text = rename(text, (*entry, position), name)
    if link.calibration is not None and link.calibration.frequency_hz is not None:
        then_thz = hz_to_thz(link.calibration.frequency_hz)
        text = set_value(text, (*entry, "calibration", "frequency-thz"), then_thz)
    return set_value(text, (*entry, name), value)


def _position(link: QkdLink) -> tuple[str, str]:
    channel = hz_to_channel(link.frequency_hz)
    return ("frequency-thz", hz_to_thz(link.frequency_hz)) if channel is None else ("channel", str(channel))


def _lines(link: QkdLink) -> Iterator[str]:
    yield f"name: {scalar(link.name)}"
    yield f"link-id: {link.link_id}"
    if link.domains:
        yield f"domain: [{', '.join(map(scalar, link.domains))}]"
    for name, end in (("transmitter", link.transmitter), ("receiver", link.receiver)):
        yield f"{name}: {{device: {scalar(end.device)}, interface: {end.interface}}}"
    yield "{}: {}".format(*_position(link))
    yield f"fibre: [{', '.join(map(scalar, link.fibres))}]"
