"""Another host key of a device, another key of our own: entered where the file says the old one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from sdqkd.controller.yaml_edit import Step, names_at, set_value

_KEY_FILE = "client-key-file"


def with_host_key(text: str, device: str, host_key: str, *, inventory: bool) -> str:
    """The text of an inventory, or of a network file, with the host key that a device has to show from now on.

    Raises CannotEditError if the device has no entry there.
    """
    if inventory:
        steps: tuple[Step, ...] = ("inventory", ("device=name", device), "host-key")
    else:
        steps = ("network", ("device=name", device), "management", "host-key")
    return set_value(text, steps, host_key)


def with_client_key(text: str, file: str) -> str:
    """The text of an inventory, or of a network file, with another private key wherever it names one."""
    for place in _key_places(text):
        text = set_value(text, (*place, _KEY_FILE), file)
    return text


def names_client_key(text: str) -> bool:
    """Whether a file says which private key is ours."""
    return next(_key_places(text), None) is not None


def _key_places(text: str) -> Iterator[tuple[Step, ...]]:
    """The mappings in which a private key stands."""
    document = yaml.safe_load(text)
    for top, below in (("inventory", ()), ("network", ("management",))):
        content = document.get(top) if isinstance(document, dict) else None
        if not isinstance(content, dict):
            continue
        if _KEY_FILE in names_at(text, (top,)):
            yield (top,)
        for device in content.get("device") or ():
            place: tuple[Step, ...] = (top, ("device=name", str(device["name"])))
            if below and below[0] not in names_at(text, place):
                continue
            if _KEY_FILE in names_at(text, (*place, *below)):
                yield (*place, *below)
