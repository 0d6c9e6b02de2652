"""TLS as NETCONF uses it (RFC 7589): which versions and ciphers, and whose certificates.

Both ends always show a certificate. What is private stays in its file: never in a message or a repr.
"""

from __future__ import annotations

import datetime
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sdqkd.errors import InputError
from sdqkd.transport.keys import read_private_file
from sdqkd.transport.socket_link import printable

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all modern

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are: a certificate, with those between it and its root after it, and its private key, in PEM."""

    certificate_file: Path
    key_file: Path


def server_context(identity: Identity, trust: Path) -> ssl.SSLContext:
    """Prepare a server that asks for a client certificate, which one in the file `trust` has issued or is.

    Raises InputError for a file that cannot be used.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, identity)
    _load_trust(context, trust)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # who comes again shows its certificate again
    return context


def client_context(identity: Identity, trust: Path | None, check_name: bool = True) -> ssl.SSLContext:
    """Prepare a client. Without `trust` the server's certificate is not checked: the caller must, by fingerprint.

    Raises InputError for a file that cannot be used.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, identity)
    context.hostname_checks_common_name = False  # RFC 6125: a name is a subjectAltName
    context.check_hostname = trust is not None and check_name
    if trust is None:
        context.verify_mode = ssl.CERT_NONE
    else:
        _load_trust(context, trust)
    return context


def _context(protocol: int, identity: Identity) -> ssl.SSLContext:
    check_identity(identity)
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # what is trusted need not be a root
    try:
        context.load_cert_chain(identity.certificate_file, identity.key_file, password=_no_passphrase)
    except (ssl.SSLError, OSError, ValueError) as error:
        place = str(identity.certificate_file)
        raise InputError(f"certificate and key cannot be used: {printable(error)}", place) from None
    return context


def _no_passphrase() -> bytes:
    """Keep OpenSSL from asking on the terminal."""
    return b""


def check_identity(identity: Identity) -> x509.Certificate:
    """Read a certificate and its key; give the certificate.

    Raises InputError when one is missing or broken, the key open to others or encrypted, or not the certificate's.
    """
    place = str(identity.key_file)
    data = read_private_file(identity.key_file)
    try:
        key = serialization.load_pem_private_key(data, None)
    except TypeError:
        raise InputError(
            "the private key is encrypted, and nobody is there to type its passphrase", place
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InputError("this is no private key in PEM form: is the file damaged?", place) from None
    certificate = read_certificates(identity.certificate_file)[0]
    if _public(key.public_key()) != _public(certificate.public_key()):
        raise InputError(f"this is not the key of the certificate in {identity.certificate_file}", place)
    if (fault := fault_of_dates(certificate, datetime.datetime.now(datetime.UTC))) is not None:
        _log.warning("%s: this certificate %s: others will refuse it", identity.certificate_file, fault)
    return certificate


def _public(key: Any) -> bytes:
    data: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return data


def read_certificates(file: Path) -> list[x509.Certificate]:
    """Read the certificates of a PEM file, at least one. Raises InputError."""
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise InputError(f"the certificate cannot be read: {error.strerror}", str(file)) from None
    except ValueError:
        raise InputError("this is no certificate in PEM form: is the file damaged?", str(file)) from None


def fault_of_dates(certificate: x509.Certificate, now: datetime.datetime) -> str | None:
    """Say what is wrong with the dates of a certificate; None if it is valid now."""
    if now > certificate.not_valid_after_utc:
        return f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if now < certificate.not_valid_before_utc:
        return f"is valid only from {certificate.not_valid_before_utc:%Y-%m-%d}: is the clock right?"
    return None


def _load_trust(context: ssl.SSLContext, file: Path) -> None:
    read_certificates(file)
    try:
        context.load_verify_locations(cafile=file)
    except (ssl.SSLError, OSError) as error:
        raise InputError(f"these certificates cannot be used: {printable(error)}", str(file)) from None


def verified_chain(tls: ssl.SSLObject) -> list[bytes]:
    """Give the certificates that the peer's was verified by, its own first, in DER form.

    Python has a public way since 3.13. If neither is there, the peer's own has to do.
    """
    find: Callable[[], Any] | None = getattr(tls, "get_verified_chain", None)
    if find is None:
        find = getattr(getattr(tls, "_sslobj", None), "get_verified_chain", None)
    own = tls.getpeercert(binary_form=True)
    if find is None or own is None:
        return [own] if own is not None else []
    chain = find() or []
    return [item if isinstance(item, bytes) else ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in chain]
