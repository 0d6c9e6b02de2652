"""How plans and links look to people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from sdqkd.controller.plan import Plan
from sdqkd.controller.plan_text import names_of, plan_lines
from sdqkd.controller.status import LinkRow, NetworkStatus
from sdqkd.network.model import Network

SIGN_STYLES = {"+": "green", "~": "yellow", "-": "red"}
STATUS_STYLES = {
    "ACTIVE": "green",
    "PENDING": "yellow",
    "PASSIVE": "red",
    "missing": "red",
    "unknown": "red",
    "OFF": "dim",
    "not switched": "dim",
}


def plan_text(plan: Plan, network: Network) -> Text:
    """The changes of all devices, signs in colour."""
    text = Text()
    for sign, line in plan_lines(plan, names_of(network)):
        shown = f"  {sign} {line}" if sign else line
        text.append(shown + "\n", style=SIGN_STYLES.get(sign, "bold"))
    text.rstrip()
    return text


def device_lines(status: NetworkStatus) -> Iterator[Text]:
    """One line for each device that is not in its desired state."""
    for row in status.devices:
        if not row.in_desired_state:
            yield Text(f"{row.name}: {row.reason}", style="red")


def status_line(status: NetworkStatus, took_s: float | None = None) -> Text:
    """The sums, with the time that it took if that is of interest."""
    line = (
        f"{status.devices_in_desired_state} of {len(status.devices)} devices in the desired state, "
        f"{status.links_with_key} of {status.links_wanted} wanted links make key"
    )
    took = "" if took_s is None else f", {took_s:.1f} s"
    return Text(line + took, style="green" if status.good else "red")


def link_table(rows: Iterable[LinkRow]) -> Table:
    """The links, one a row."""
    table = Table(header_style="bold", box=None, pad_edge=False)
    for heading in ("link", "from", "to", "vendor", "channel"):
        table.add_column(heading, no_wrap=True)
    for heading in ("loss", "key rate", "QBER", "SNR"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("status")
    for row in rows:
        table.add_row(
            row.name,
            row.transmitter,
            row.receiver,
            row.vendor,
            row.channel,
            _measure(row.loss_db, "{:.2f} dB"),
            _rate(row.key_rate_bps),
            _measure(row.qber_percent, "{:.2f} %"),
            _measure(row.snr_db, "{:.1f} dB"),
            _status(row),
        )
    return table


def _measure(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _rate(rate_bps: int | None) -> str:
    return "–" if rate_bps is None else f"{rate_bps / 1000:,.2f} kb/s"


def _status(row: LinkRow) -> Text:
    text = Text(row.status, style=STATUS_STYLES.get(row.status, ""))
    if row.reason:
        text.append(f": {row.reason}", style="default")
    return text
