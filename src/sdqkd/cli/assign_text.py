"""What `sdqkd assign` shows: links and launch powers as tables, remedies as words; and both as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from sdqkd.cli.routes import channel_name
from sdqkd.network.model import Network
from sdqkd.planning.assignment import Assignment
from sdqkd.planning.ceilings import Ceiling
from sdqkd.planning.forecast import Option
from sdqkd.planning.relaxing import Remedy
from sdqkd.planning.three_parties import PairForecast

Lacking = Mapping[str, tuple[Remedy, ...]]  # by link without a light path: what would let it run


def lacking_json(lacking: Lacking) -> dict[str, Any]:
    """Remedies as a JSON object."""
    return {
        name: [{"constraint": one.constraint, "text": one.text, "amount": one.amount, "unit": one.unit}
               for one in ways]
        for name, ways in lacking.items()
    }  # fmt: skip


def powers_json(limits: tuple[Ceiling, ...]) -> list[dict[str, Any]]:
    """Limits of launch powers as JSON."""
    return [
        {"channel": one.channel, "now-dbm": one.launch_dbm, "most-dbm": _rounded(one.most_dbm),
         "least-dbm": _rounded(one.least_dbm), "set-by": one.set_by, "contradicts": one.contradicts}
        for one in limits
    ]  # fmt: skip


def pairs_json(kept: Mapping[str, PairForecast]) -> dict[str, Any]:
    """Links of three parties as a JSON object."""
    return {
        name: {"loss-db": round(one.loss_db, 3), "key-rate-bps": one.rate_bps, "obstacle": one.obstacle or None}
        for name, one in kept.items()
    }


def _rounded(dbm: float | None) -> float | None:
    return None if dbm is None else round(dbm, 2)


def promise(found: Assignment) -> str:
    """How much better anything else could be."""
    more = f"at most {found.links_more} more could have" if found.links_more else "no choice serves more"
    rates = f"their key rates are within {100 * (found.rate_factor - 1):.2f} % of the best, in the mean"
    return f"{more}; {rates}"


def remedy_words(ways: tuple[Remedy, ...]) -> str:
    """What a link without a light path would need."""
    return "it would need " + ", or ".join(one.text for one in ways) if ways else "no constraint alone would do"


def link_table(network: Network, chosen: Mapping[str, Option], outcomes: Mapping[str, str] | None = None) -> Table:
    """Links, one a row; with what becomes of each if `outcomes` says that."""
    texts = ("link", "by fibre") if outcomes is None else ("link", "", "by fibre")
    table = plain_table(texts, ("channel", "instead of", "loss [dB]", "key rate [kb/s]"))
    for name, one in chosen.items():
        before = network.qkd_links[name].frequency_hz
        table.add_row(
            name,
            *(() if outcomes is None else (outcomes[name],)),
            ", ".join(one.path.fibres),
            channel_name(one.frequency_hz),
            "" if before == one.frequency_hz else channel_name(before),
            f"{one.loss_db:.2f}",
            f"{one.rate_bps / 1000:,.2f}",
        )
    return table


def power_table(limits: tuple[Ceiling, ...]) -> Table:
    """Limits of launch powers, one channel a row."""
    table = plain_table(("channel",), ("now", "at most", "at least"))
    table.add_column("set by")
    for one in limits:
        note = f"{one.set_by}: contradicts" if one.contradicts else one.set_by
        shown = ("-" if dbm is None else f"{dbm:.2f}" for dbm in (one.launch_dbm, one.most_dbm, one.least_dbm))
        table.add_row(one.channel, *shown, note)
    return table


def plain_table(texts: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    """A table without lines: columns of texts, then of figures."""
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in texts:
        table.add_column(heading, overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
