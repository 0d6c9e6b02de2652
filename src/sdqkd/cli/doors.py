"""The ways to an agent beside its SSH port, as options: TLS, and the clients that it calls home."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from cryptography.hazmat.primitives.serialization import Encoding

from sdqkd.agent.ports import Home, Tls, Transport
from sdqkd.errors import InputError
from sdqkd.transport import call_home
from sdqkd.transport.cert_names import CertToName, Fingerprint, MapType, fingerprint_of, read_fingerprint
from sdqkd.transport.redial import Endpoint, Reconnect
from sdqkd.transport.tls_context import Identity, read_certificates

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)
_CALL_HOME_PORTS: dict[Transport, int] = {"ssh": call_home.SSH_PORT, "tls": call_home.TLS_PORT}
_OPTIONS = (
    click.option(
        "--tls-port", type=click.IntRange(0, 65535),
        help="Also listen for NETCONF over TLS: 6513 is its port, 0 takes a free one.",
    ),
    click.option("--tls-certificate", type=_FILE, help="The device's certificate, and its issuers', in PEM."),
    click.option("--tls-key", type=_FILE, help="The private key of this certificate."),
    click.option("--tls-trust", type=_FILE, help="Who issues the clients' certificates, or these themselves."),
    click.option(
        "--cert-to-name", "cert_to_name", metavar="CERTIFICATE=MAP", multiple=True,
        help="Which user a client's certificate is. CERTIFICATE is a fingerprint or a file, the client's or its "
        "issuer's; MAP is specified:USER, or where in the client's certificate the name stands: common-name, "
        "san-rfc822-name, san-dns-name, san-ip-address or san-any. May be repeated; the first that fits decides.",
    ),
    click.option(
        "--call-home", "call_homes", metavar="ssh|tls://HOST[:PORT][,HOST[:PORT]…]", multiple=True,
        help="Call this client and stay connected; its addresses are tried in turn. May be repeated. "
        "[default ports: 4334 for ssh, 4335 for tls]",
    ),
    click.option(
        "--call-home-max-pause", type=click.IntRange(min=1), default=60, show_default=True,
        help="Seconds between two calls at most; it begins with 1 and doubles.",
    ),
)  # fmt: skip


def transports(command: F) -> F:
    """Give a command these options; it passes them on to `read_doors`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Doors:
    """The ways to an agent beside its SSH port."""

    tls: Tls | None = None
    homes: Sequence[Home] = ()


def read_doors(
    *,
    tls_port: int | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    tls_trust: Path | None,
    cert_to_name: Sequence[str],
    call_homes: Sequence[str],
    call_home_max_pause: int,
) -> Doors:
    """Read the options. Raises click.UsageError, InputError for a certificate file."""
    reconnect = Reconnect(longest_pause_s=call_home_max_pause)
    homes = tuple(_home(text, reconnect) for text in call_homes)
    files = (tls_certificate, tls_key, tls_trust)
    wanted = tls_port is not None or any(home.transport == "tls" for home in homes)
    if not wanted:
        if any(files) or cert_to_name:
            raise click.UsageError("nothing is served over TLS: give --tls-port, or --call-home tls://…")
        return Doors(None, homes)
    if tls_certificate is None or tls_key is None or tls_trust is None or not cert_to_name:
        raise click.UsageError("TLS needs --tls-certificate, --tls-key, --tls-trust and --cert-to-name")
    names = tuple(map(_cert_to_name, cert_to_name))
    return Doors(Tls(Identity(tls_certificate, tls_key), tls_trust, names, tls_port), homes)


def _cert_to_name(option: str) -> CertToName:
    certificate, _, mapped = option.rpartition("=")
    kind, colon, user = mapped.partition(":")
    map_type = next((each for each in MapType if each.value == kind), None)
    if (
        not certificate
        or map_type is None
        or (map_type is MapType.SPECIFIED) != bool(user)
        or (colon and not user)
    ):
        kinds = ", ".join("specified:USER" if each is MapType.SPECIFIED else each.value for each in MapType)
        raise click.UsageError(f"--cert-to-name takes CERTIFICATE=MAP, MAP being one of {kinds}: not '{option}'")
    return CertToName(_fingerprint(certificate), map_type, user)


def _fingerprint(text: str) -> Fingerprint:
    """Give the fingerprint that is written there, or that of the first certificate in the file of this name."""
    try:
        return read_fingerprint(text)
    except InputError:
        if ":" in text and not Path(text).exists():
            raise
    return fingerprint_of(read_certificates(Path(text))[0].public_bytes(Encoding.DER))


def _home(text: str, reconnect: Reconnect) -> Home:
    scheme, _, places = text.partition("://")
    transport: Transport | None = next((name for name in _CALL_HOME_PORTS if name == scheme), None)
    if transport is None or not places:
        raise click.UsageError(f"--call-home takes ssh://HOST[:PORT] or tls://HOST[:PORT], not '{text}'")
    return Home(transport, tuple(_endpoints(places, _CALL_HOME_PORTS[transport])), reconnect)


def _endpoints(places: str, default_port: int) -> Iterator[Endpoint]:
    for place in places.split(","):
        host, colon, port = place.rpartition(":")
        if not colon or place.endswith("]"):
            host, port = place, str(default_port)
        if not host.strip("[]") or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
            raise click.UsageError(f"--call-home: '{place}' is no HOST[:PORT]; an IPv6 address stands in [ ]")
        yield host.strip("[]"), int(port)
