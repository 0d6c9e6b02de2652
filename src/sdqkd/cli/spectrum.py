"""`sdqkd spectrum`: the light in the fibres of a link."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from sdqkd.cli.console import note, show, show_json, width
from sdqkd.cli.inputs import as_json, network_file, read_network_file
from sdqkd.errors import InputError
from sdqkd.network.model import Network
from sdqkd.physics.grid import hz_to_channel, hz_to_nm, hz_to_thz
from sdqkd.planning.fibre_light import FibreLight, Line, View, ends_of, fibre_light, fibres_of
from sdqkd.planning.forecast import Forecast


@click.command()
@network_file
@click.argument("link")
@click.option("--svg", type=click.Path(path_type=Path), help="Also draw into this SVG file.")
@click.option("--site", help="Look from this end of the fibres. [default: the end that the file names first]")
@as_json
def command(network: Path, link: str, svg: Path | None, site: str | None, json_output: bool) -> None:
    """Draw the spectrum on the fibres of LINK: a QKD link, a classical channel or a fibre of NETWORK.

    A view for each direction and strand: quantum channels, the channels that serve them, data in the clear and
    encrypted, third parties, what the filters pass, and the noise of Raman scattering.
    """
    from sdqkd.cli.spectrum_svg import write_svg
    from sdqkd.cli.spectrum_text import LEGEND, drawing, table

    known = read_network_file(network).network
    fibres = fibres_of(known, link)
    _check(known, link, fibres, site)
    forecast = Forecast(known)
    found = [fibre_light(forecast, fibre, site) for fibre in fibres]
    labels = {name: one.label for name, one in known.sites.items()}
    if svg is not None:
        try:
            write_svg(svg, found, labels)
        except OSError as error:
            raise InputError(f"the drawing cannot be written: {error.strerror}", str(svg)) from error
        note(f"drawn into {svg}")
    if json_output:
        show_json({"link": link, "fibres": [_json(one) for one in found]})
        return
    for one in found:
        show(_fact(known, one))
        for text in drawing(one, labels, width()):
            show(text)
        show(table(one, labels))
    show(LEGEND)


def _check(network: Network, link: str, fibres: tuple[str, ...], site: str | None) -> None:
    if not fibres:
        links = ", ".join((*network.qkd_links, *network.fibres))
        raise click.UsageError(
            f"there is no QKD link, classical channel or fibre '{link}'; links and fibres: {links}"
        )
    ends = [site for fibre in fibres for site in ends_of(network, fibre)]
    if site is not None and site not in ends:
        raise click.UsageError(f"no fibre of '{link}' ends at a site '{site}'; they end at {', '.join(ends)}")


def _fact(network: Network, light: FibreLight) -> str:
    fibre = network.fibres[light.fibre]
    return f"fibre {fibre.name}: {fibre.length_km:g} km, {fibre.loss_db:g} dB, scheme {light.scheme}"


def _json(light: FibreLight) -> dict[str, Any]:
    return {
        "fibre": light.fibre,
        "scheme": light.scheme,
        "passbands": [
            {"port": port, "lower-thz": hz_to_thz(band.lower_hz), "upper-thz": hz_to_thz(band.upper_hz)}
            for port, band in light.passbands
        ],
        "views": [_view_json(view) for view in light.views],
    }


def _view_json(view: View) -> dict[str, Any]:
    quantum_hz = [line.frequency_hz for line in (*view.lines, *view.elsewhere) if line.role == "quantum"]
    return {
        "strand": view.strand,
        "near": view.near,
        "far": view.far,
        "outgoing": view.outgoing,
        "lines": [_line_json(line) for line in view.lines],
        "elsewhere": [_line_json(line) for line in view.elsewhere],
        "raman-dbm": {
            hz_to_thz(hz): round(float(level), 2)
            for hz, level in zip(quantum_hz, view.noise_dbm(quantum_hz), strict=True)
        },
    }


def _line_json(line: Line) -> dict[str, Any]:
    rest = {key.replace("_", "-"): value for key, value in asdict(line).items() if key != "frequency_hz"}
    rounded = {key: round(value, 2) if isinstance(value, float) else value for key, value in rest.items()}
    where = {
        "frequency-thz": hz_to_thz(line.frequency_hz),
        "wavelength-nm": round(hz_to_nm(line.frequency_hz), 3),
        "channel": hz_to_channel(line.frequency_hz),
    }
    return {"name": line.name, **where, **rounded}
