"""Which user a client's certificate stands for: RFC 7589 section 7, by the map types of RFC 7407. Pure."""

from __future__ import annotations

import enum
import hashlib
import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from sdqkd.errors import InputError

_HASHES = {4: "sha256", 5: "sha384", 6: "sha512"}  # by TLS's number; MD5, SHA-1 and SHA-224 are not taken
_LONGEST_NAME = 255


class MapType(enum.Enum):
    """Where in a certificate the user's name stands; the values are the identities of ietf-x509-cert-to-name."""

    SPECIFIED = "specified"
    SAN_RFC822_NAME = "san-rfc822-name"
    SAN_DNS_NAME = "san-dns-name"
    SAN_IP_ADDRESS = "san-ip-address"
    SAN_ANY = "san-any"
    COMMON_NAME = "common-name"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A hash of a whole certificate."""

    hash_name: str
    digest: bytes

    def matches(self, certificate: bytes) -> bool:
        """Compare with a certificate in DER form."""
        return hashlib.new(self.hash_name, certificate).digest() == self.digest

    def __str__(self) -> str:
        number = next(number for number, name in _HASHES.items() if name == self.hash_name)
        return bytes([number, *self.digest]).hex(":").upper()


def fingerprint_of(certificate: bytes) -> Fingerprint:
    """Give the SHA-256 fingerprint of a certificate in DER form."""
    return Fingerprint("sha256", hashlib.sha256(certificate).digest())


def read_fingerprint(text: str) -> Fingerprint:
    """Read a fingerprint: hexadecimal octets with colons, the first one of which tells the hash.

    That is `tls-fingerprint` of RFC 7407. Without that octet, as openssl prints it, it is SHA-256 by its length.
    Raises InputError.
    """
    try:
        octets = bytes.fromhex(text.strip().replace(":", ""))
    except ValueError:
        raise InputError(f"{text[:40]!r} is no fingerprint: it must be octets such as 04:3F:…") from None
    if len(octets) == hashlib.sha256().digest_size:
        return Fingerprint("sha256", octets)
    name = _HASHES.get(octets[0]) if octets else None
    if name is None or len(octets) != 1 + hashlib.new(name).digest_size:
        raise InputError(
            f"{text[:40]!r}… is no fingerprint with {', '.join(_HASHES.values())}: is a part of it missing?"
        )
    return Fingerprint(name, octets[1:])


@dataclass(frozen=True, slots=True)
class CertToName:
    """One entry of the list cert-to-name. `name` is the user of map type `specified`."""

    fingerprint: Fingerprint
    map_type: MapType
    name: str = ""

    def __post_init__(self) -> None:
        if (self.map_type is MapType.SPECIFIED) != bool(self.name):
            raise InputError(
                f"a name is for map type specified and for no other: {self.map_type.value} {self.name!r}"
            )


def user_of(chain: Sequence[bytes], entries: Sequence[CertToName]) -> str | None:
    """Give the user whom a verified chain of certificates stands for: the client's own first, all in DER form.

    The first entry decides whose fingerprint is that of any certificate of the chain and which finds a name in the
    client's. None if there is no such entry.
    """
    if not chain:
        return None
    for entry in entries:
        if any(entry.fingerprint.matches(certificate) for certificate in chain):
            name = next(_names(chain[0], entry), None)
            if name is not None:
                return name
    return None


def _names(certificate: bytes, entry: CertToName) -> Iterator[str]:
    if entry.map_type is MapType.SPECIFIED:
        yield entry.name
        return
    try:
        found = _common_names if entry.map_type is MapType.COMMON_NAME else alternative_names
        names = found(x509.load_der_x509_certificate(certificate))
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return  # a certificate that cannot be read names nobody
    for map_type, name in names:
        if entry.map_type in (map_type, MapType.SAN_ANY) and _is_fit(name):
            yield name


def _common_names(certificate: x509.Certificate) -> list[tuple[MapType, str]]:
    attributes = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = [str(attribute.value) for attribute in attributes]
    return [(MapType.COMMON_NAME, name) for name in names] if len(names) == 1 else []


def alternative_names(certificate: x509.Certificate) -> list[tuple[MapType, str]]:
    """Give the names in subjectAltName in their order and in the form that RFC 7407 gives them."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    names = []
    for name in extension.value:
        if isinstance(name, x509.RFC822Name):
            local, at, host = name.value.rpartition("@")
            names.append((MapType.SAN_RFC822_NAME, local + at + host.lower()))
        elif isinstance(name, x509.DNSName):
            names.append((MapType.SAN_DNS_NAME, name.value.lower()))
        elif isinstance(name, x509.IPAddress) and not isinstance(
            name.value, ipaddress.IPv4Network | ipaddress.IPv6Network
        ):
            names.append((MapType.SAN_IP_ADDRESS, _address(name.value)))
    return names


def _address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    return str(address) if address.version == 4 else address.packed.hex()


def _is_fit(name: str) -> bool:
    """Whether a name from a certificate can stand in a log and in an access rule."""
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable() and name == name.strip()
