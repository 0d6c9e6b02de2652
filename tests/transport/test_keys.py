import stat
from pathlib import Path

import asyncssh
import pytest

from sdqkd.errors import InputError
from sdqkd.transport.keys import fingerprint, make_key_pair, public_of, read_private, read_public


def test_a_key_pair(tmp_path: Path) -> None:
    file = tmp_path / "key"
    public = make_key_pair(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert public.startswith("ssh-ed25519 AAAA")
    assert len(public.split()) == 2
    assert public_of(file) == public
    assert fingerprint(public).startswith("SHA256:")
    assert fingerprint(f"{public} somebody@somewhere\n") == fingerprint(public)


def test_no_key_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "key"
    public = make_key_pair(file)
    with pytest.raises(InputError, match="File exists"):
        make_key_pair(file)
    assert public_of(file) == public


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620, 0o601])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "key"
    make_key_pair(file)
    file.chmod(mode)
    with pytest.raises(InputError, match=f"mode 0{mode:o}.*chmod 600"):
        read_private(file)


def broken(file: Path, content: bytes) -> str:
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(InputError) as caught:
        read_private(file)
    assert str(caught.value).startswith(f"{file}: ")
    return str(caught.value)


def test_broken_key_files(tmp_path: Path) -> None:
    file = tmp_path / "key"
    made = tmp_path / "made"
    public = make_key_pair(made)
    private = made.read_bytes()
    lines = private.splitlines(keepends=True)
    assert "no private key" in broken(file, b"")
    assert "no private key" in broken(file, b"\xff\x00garbage")
    assert "no private key" in broken(file, public.encode())
    message = broken(file, b"".join(lines[:2] + lines[-1:]))
    assert "no private key" in message
    assert lines[1].decode().strip() not in message


def test_an_encrypted_key_is_refused(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    assert "encrypted" in broken(tmp_path / "key", key.export_private_key(passphrase="x", rounds=50))


def test_an_rsa_key_is_refused(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    assert "ssh-rsa is not used" in broken(tmp_path / "key", key.export_private_key())


@pytest.mark.parametrize("name", ["missing", "."])
def test_no_key_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_private(tmp_path / name)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot make a private key here"):
        make_key_pair(tmp_path / "missing" / "key")


@pytest.mark.parametrize(
    "text", ["", "x", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-dss AAAAB3NzaC1kc3MAAAA=", "\x00"]
)
def test_no_public_key(text: str) -> None:
    with pytest.raises(InputError, match=r"is no (type of )?public key"):
        read_public(text)


def test_a_private_key_in_the_place_of_a_public_one_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "key"
    make_key_pair(file)
    with pytest.raises(InputError) as caught:
        read_public(file.read_text())
    assert not any(line in str(caught.value) for line in file.read_text().splitlines()[1:-1])


def test_a_key_that_was_replaced_or_opened_to_others_is_read_anew(tmp_path: Path) -> None:
    first = make_key_pair(tmp_path / "key")
    assert public_of(tmp_path / "key") == first
    other = make_key_pair(tmp_path / "other")
    (tmp_path / "other").replace(tmp_path / "key")
    assert public_of(tmp_path / "key") == other != first
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(InputError, match="others can read"):
        public_of(tmp_path / "key")
