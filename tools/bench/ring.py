"""A network file of any size: QKD nodes in a ring, each with a link to the next.

    node-0 ── node-1 ── node-2 ── … ── node-0

Each node is a site of its own with two modules: interface 2 sends to the next node, interface 1 receives from the
one before, over a fibre from port to port. The nodes are those that `many_agents` serves.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

NAME = "Ring"
_HEAD = f"network:\n  name: {NAME}\n  domain: [{{name: Ring, operator: Bench}}]\n  site:"
_SPACE = uuid.UUID("2b0e7a58-6a2b-4a55-8f0c-4d1f3a1c0d77")


def node_name(number: int) -> str:
    """The name of a device."""
    return f"node-{number}"


def node_id(number: int) -> str:
    """The identifier that a node shows, the same in every run."""
    return str(uuid.uuid5(_SPACE, str(number)))


def network_text(count: int, losses_db: Iterable[float] = ()) -> str:
    """The network file of a ring of `count` nodes, which must be even.

    `losses_db` are those of the links from nodes 0, 2, 4 …; 7 dB where it ends. Each node has one such link, so
    another loss for k of them is one change on each of 2 k devices.
    """
    losses = iter(losses_db)
    loss_db = [next(losses, 7.0) if at % 2 == 0 else 7.0 for at in range(count)]
    sections = (
        (_HEAD, (f"{{name: S{at}, domain: Ring}}" for at in range(count))),
        ("  device:", (_device(at) for at in range(count))),
        ("  fibre:", (_fibre(at, count) for at in range(count))),
        ("  qkd-link:", (_link(at, count, loss_db[at]) for at in range(count))),
    )
    return "".join(f"{head}\n{_lines(entries)}" for head, entries in sections)


def _lines(entries: Iterator[str]) -> str:
    return "".join(f"    - {entry}\n" for entry in entries)


def _device(at: int) -> str:
    modules = ", ".join(
        f"{{id: {number}, vendor: Bench, product: Bench, profile: toshiba, technology: DV-QKD, role: TRANSCEIVER,"
        f" wavelength-range: 1-72, max-absorption-db: 20, port: port-{number}}}"
        for number in (1, 2)
    )
    return (
        f"{{name: {node_name(at)}, site: S{at}, kind: qkd-node, device-id: {node_id(at)}, interface: [{modules}]}}"
    )


def _fibre(at: int, count: int) -> str:
    ends = f"a: {{element: {node_name(at)}, port: port-2}}, b: {{element: {_next(at, count)}, port: port-1}}"
    return f"{{name: F{at}, {ends}, length-km: 20, loss-db: 5, scheme: duplex}}"


def _link(at: int, count: int, loss_db: float) -> str:
    ends = (
        f"transmitter: {{device: {node_name(at)}, interface: 2}},"
        f" receiver: {{device: {_next(at, count)}, interface: 1}}"
    )
    identifier = uuid.uuid5(_SPACE, f"link {at}")
    return (
        f"{{name: L{at}, link-id: {identifier}, {ends}, channel: 33, fibre: [F{at}],"
        f" calibration: {{loss-db: {loss_db}, key-rate-bps: 2000}}}}"
    )


def _next(at: int, count: int) -> str:
    return node_name((at + 1) % count)
