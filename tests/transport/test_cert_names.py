"""Which user a certificate stands for: RFC 7407's map types."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from tests.transport.certificates import Issued, issue

from sdqkd.errors import InputError
from sdqkd.transport.cert_names import CertToName, MapType, read_fingerprint, user_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def root(folder: Path) -> Issued:
    return issue(folder, "root", authority=True)


def entry(issued: Issued, map_type: MapType, name: str = "") -> CertToName:
    return CertToName(issued.fingerprint, map_type, name)


@pytest.mark.parametrize(
    ("map_type", "alternatives", "user"),
    [
        (MapType.SAN_RFC822_NAME, ("Ann.NOC@Example.COM",), "Ann.NOC@example.com"),
        (MapType.SAN_DNS_NAME, ("NOC.Example.com",), "noc.example.com"),
        (MapType.SAN_IP_ADDRESS, ("192.0.2.7",), "192.0.2.7"),
        (MapType.SAN_IP_ADDRESS, ("2001:db8::ff",), "20010db80000000000000000000000ff"),
        (MapType.SAN_ANY, ("noc.example.com", "ann@example.com"), "noc.example.com"),
        (MapType.SAN_ANY, ("192.0.2.7", "ann@example.com"), "192.0.2.7"),
        (MapType.SAN_RFC822_NAME, ("noc.example.com", "ann@example.com", "bob@example.com"), "ann@example.com"),
        (MapType.SAN_DNS_NAME, ("ann@example.com",), None),
        (MapType.SAN_ANY, (), None),
        (MapType.COMMON_NAME, (), "client"),
    ],
)
def test_where_the_name_stands(
    folder: Path, root: Issued, map_type: MapType, alternatives: tuple[str, ...], user: str | None
) -> None:
    client = issue(folder, "client", root, alternatives=alternatives)
    assert user_of([client.der, root.der], [entry(client, map_type)]) == user


def test_a_specified_name(folder: Path, root: Issued) -> None:
    client = issue(folder, "client", root)
    assert user_of([client.der, root.der], [entry(client, MapType.SPECIFIED, "noc")]) == "noc"


def test_the_fingerprint_may_be_an_issuers(folder: Path, root: Issued) -> None:
    between = issue(folder, "between", root, authority=True)
    client = issue(folder, "client", between)
    chain = [client.der, between.der, root.der]
    for issued in (client, between, root):
        assert user_of(chain, [entry(issued, MapType.COMMON_NAME)]) == "client"
    stranger = issue(folder, "stranger", authority=True)
    assert user_of(chain, [entry(stranger, MapType.COMMON_NAME)]) is None


def test_the_first_entry_that_finds_a_name_decides(folder: Path, root: Issued) -> None:
    client = issue(folder, "client", root, alternatives=("ann@example.com",))
    stranger = issue(folder, "stranger")
    entries = [
        entry(stranger, MapType.SPECIFIED, "stranger"),
        entry(client, MapType.SAN_DNS_NAME),  # its fingerprint, but no such name: go on
        entry(root, MapType.SAN_RFC822_NAME),
        entry(client, MapType.SPECIFIED, "late"),
    ]
    assert user_of([client.der, root.der], entries) == "ann@example.com"
    assert user_of([client.der, root.der], []) is None
    assert user_of([], entries) is None


@pytest.mark.parametrize("names", [(), ("ann", "root"), ("a\nroot logged in",), (" ann",), ("a\x1b[2J",)])
def test_names_that_are_none(folder: Path, root: Issued, names: tuple[str, ...]) -> None:
    client = issue(folder, "odd", root, common_names=names)
    assert user_of([client.der], [entry(client, MapType.COMMON_NAME)]) is None


def test_a_certificate_that_cannot_be_read_names_nobody(root: Issued) -> None:
    broken = root.der[:-9]
    mine = CertToName(root.fingerprint, MapType.COMMON_NAME)
    assert user_of([broken, root.der], [mine]) is None


def test_fingerprints(root: Issued) -> None:
    text = str(root.fingerprint)
    assert text.startswith("04:")
    assert len(text) == 33 * 3 - 1
    assert read_fingerprint(text) == root.fingerprint
    assert read_fingerprint(text.lower().replace(":", "")) == root.fingerprint
    assert read_fingerprint(text.removeprefix("04:")) == root.fingerprint  # as openssl prints it


def test_longer_hashes(root: Issued) -> None:
    digest = root.certificate.fingerprint(hashes.SHA512())
    read = read_fingerprint("06:" + digest.hex(":"))
    assert read.matches(root.der)
    assert read_fingerprint(str(read)) == read


@pytest.mark.parametrize(
    "text", ["", "x", "04", "04:AB", "02:" + "AB:" * 19 + "AB", "01:" + "AB:" * 15 + "AB", "AB:" * 32 + "AB", "Ä"]
)
def test_no_fingerprints(text: str) -> None:
    with pytest.raises(InputError, match="is no fingerprint"):
        read_fingerprint(text)


@pytest.mark.parametrize(("map_type", "name"), [(MapType.SPECIFIED, ""), (MapType.SAN_ANY, "noc")])
def test_a_name_belongs_to_the_type_specified(root: Issued, map_type: MapType, name: str) -> None:
    with pytest.raises(InputError, match="for map type specified and for no other"):
        entry(root, map_type, name)
