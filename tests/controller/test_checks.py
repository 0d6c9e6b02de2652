"""What the files of tests/controller/data cannot show, because the model finds it first in them."""

from __future__ import annotations

import dataclasses

from sdqkd.controller.checks import check
from sdqkd.controller.inventory import LoadedNetwork
from sdqkd.network.model import ModuleEnd, Network, QkdLink


def test_a_module_serves_one_active_link_in_whatever_role(three_sites: LoadedNetwork) -> None:
    network = three_sites.network
    first, second, third = network.qkd_links.values()
    sends = first.transmitter
    links = (first, dataclasses.replace(second, receiver=sends), dataclasses.replace(third, receiver=sends))
    assert not third.active
    ((message, path),) = said(network, links)
    assert message == f"its receiver, alfa-qkd interface 1, already serves the active link {first.name}"
    assert path == second.path
    other = ModuleEnd("charlie-qkd", 1)
    assert said(network, (first, dataclasses.replace(second, receiver=other))) == []


def said(network: Network, links: tuple[QkdLink, ...]) -> list[tuple[str, str | None]]:
    changed = dataclasses.replace(network, qkd_links={link.name: link for link in links})
    return [
        (error.message, error.path)
        for error in check(changed)
        if "already serves the active link" in error.message
    ]
