"""How plans, links and devices look to people: tables, lines, colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from sdqkd.controller.plan import Plan
from sdqkd.controller.plan_text import names_of, plan_lines
from sdqkd.controller.status import LinkRow, NetworkStatus
from sdqkd.network.model import Network

SIGN_STYLES = {"+": "green", "~": "yellow", "-": "red"}
ROOMY_WIDTH = 110
STATUS_STYLES = {
    "ACTIVE": "green",
    "PENDING": "yellow",
    "PASSIVE": "red",
    "missing": "red",
    "unknown": "red",
    "OFF": "dim",
    "not switched": "dim",
}


def plan_text(plan: Plan, network: Network, *, brief: bool = False) -> Text:
    """The changes of all devices, signs in colour; `brief` leaves out what is inside an entry."""
    text = Text()
    for sign, line in plan_lines(plan, names_of(network)):
        if brief and line.startswith(" "):
            continue
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


def link_table(rows: Iterable[LinkRow], width: int) -> Table:
    """The links, one a row. On a narrow terminal names are folded; a figure or a status never is cut."""
    gap = 2 if width >= ROOMY_WIDTH else 1
    table = Table(header_style="bold", box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for heading in ("link", "from", "to", "vendor"):
        table.add_column(heading, overflow="fold")
    table.add_column("channel", no_wrap=True)
    for heading in ("loss\n[dB]", "key rate\n[kb/s]", "QBER\nor SNR"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("status", overflow="fold")
    for row in rows:
        table.add_row(
            *(row.name, row.transmitter, row.receiver, row.vendor, row.channel),
            _figure(row.loss_db, "{:.2f}"),
            _figure(None if row.key_rate_bps is None else row.key_rate_bps / 1000, "{:,.2f}"),
            _quality(row),
            _status(row),
        )
    return table


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _quality(row: LinkRow) -> str:
    """QBER of discrete variables, signal-to-noise ratio of continuous ones: a link has one or the other."""
    return _figure(row.snr_db, "{:.1f} dB") if row.qber_percent is None else f"{row.qber_percent:.2f} %"


def _status(row: LinkRow) -> Text:
    text = Text(row.status, style=STATUS_STYLES.get(row.status, ""))
    if row.reason:
        text.append(f": {row.reason}", style="default")
    return text
