"""Certificates for tests: an authority that issues what it is asked for."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sdqkd.transport.cert_names import Fingerprint, fingerprint_of
from sdqkd.transport.tls_context import Identity

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
ISSUES = x509.KeyUsage(
    digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
    data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
)  # fmt: skip
PURPOSES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def alternative(text: str) -> x509.GeneralName:
    """`user@host` is a mail address, what ipaddress can read an address, all else a DNS name."""
    if "@" in text:
        return x509.RFC822Name(text)
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, also in files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    identity: Identity

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def file(self) -> Path:
        return self.identity.certificate_file

    @property
    def fingerprint(self) -> Fingerprint:
        return fingerprint_of(self.der)


def issue(
    folder: Path,
    name: str,
    issuer: Issued | None = None,
    *,
    alternatives: tuple[str, ...] = (),
    common_names: tuple[str, ...] | None = None,
    begins: datetime.datetime = NOW - DAY,
    ends: datetime.datetime = NOW + DAY,
    authority: bool = False,
    purpose: str | None = None,
) -> Issued:
    """Issue a certificate, signed by itself without an issuer. Issuers below the root follow in the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = (name,) if common_names is None else common_names
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common) for common in names])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer = issuer.key if issuer else key
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(by, critical=False)
    if authority:
        builder = builder.add_extension(ISSUES, critical=True)
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName([alternative(a) for a in alternatives]), False)
    if purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([PURPOSES[purpose]]), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    return write(folder, name, certificate, key, issuer)


def write(folder: Path, name: str, certificate: x509.Certificate, key: Any, issuer: Issued | None) -> Issued:
    identity = Identity(folder / f"{name}.crt", folder / f"{name}.key")
    chain = issuer.file.read_bytes() if issuer and issuer.certificate.issuer != issuer.certificate.subject else b""
    identity.certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM) + chain)
    identity.key_file.touch(mode=0o600)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    identity.key_file.write_bytes(pem)
    assert serialization.load_pem_private_key(pem, None)
    return Issued(certificate, key, identity)
