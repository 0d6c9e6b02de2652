"""SSH keys: made, read, named by fingerprint. What is private stays in its file: never in a message or a repr."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import asyncssh

from sdqkd.errors import InputError

# RSA is left out: nothing in SSH keeps a peer from signing with SHA-1 once an RSA key is accepted.
OWN_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
HOST_KEY_TYPES = (*OWN_KEY_TYPES, "ssh-rsa")  # of vendors' devices; never with SHA-1, see ssh_client


def make_key_pair(private_file: Path) -> str:
    """Make an Ed25519 key: the private half in a new file of mode 0600; return the public half as text.

    Raises InputError if the file exists already or cannot be written.
    """
    key = asyncssh.generate_private_key("ssh-ed25519")
    try:
        handle = os.open(private_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(f"cannot make a private key here: {error.strerror}", str(private_file)) from None
    with os.fdopen(handle, "wb") as file:
        file.write(key.export_private_key())
    return public_text(key)


def public_of(private_file: Path) -> str:
    """Give the public half of a private key file. Raises InputError as `read_private` does."""
    return public_text(read_private(private_file))


def read_private(private_file: Path) -> asyncssh.SSHKey:
    """Read a private key that only its owner can read.

    Raises InputError when the file is missing, open to others, broken, encrypted, or of a type we do not use.
    """
    try:
        found = private_file.stat()
    except OSError:
        return _read_private(private_file)
    same = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return _read_private(private_file, same)


# A controller shows one key to a thousand devices: a tenth of what each connection costs was reading it.
@lru_cache(maxsize=16)
def _read_private(private_file: Path, _same: tuple[int, ...] = ()) -> asyncssh.SSHKey:
    place = str(private_file)
    data = read_private_file(private_file)
    try:
        key = asyncssh.import_private_key(data)
    except asyncssh.KeyEncryptionError:
        raise InputError(
            "the private key is encrypted, and nobody is there to type its passphrase", place
        ) from None
    except asyncssh.KeyImportError:
        raise InputError("this is no private key in OpenSSH or PEM form: is the file damaged?", place) from None
    if key.get_algorithm() not in OWN_KEY_TYPES:
        raise InputError(
            f"a key of type {key.get_algorithm()} is not used here, only {', '.join(OWN_KEY_TYPES)}", place
        )
    return key


def read_private_file(private_file: Path) -> bytes:
    """Read a file that only its owner can read. Raises InputError when it is missing or open to others."""
    place = str(private_file)
    try:
        mode = stat.S_IMODE(private_file.stat().st_mode)
        data = private_file.read_bytes()
    except OSError as error:
        raise InputError(f"the private key cannot be read: {error.strerror}", place) from None
    if mode & 0o077:
        raise InputError(f"others can read this private key (mode {mode:04o}): chmod 600 {place}", place)
    return data


def read_public(text: str, types: Sequence[str] = HOST_KEY_TYPES) -> asyncssh.SSHKey:
    """Read a public key as it stands in a `.pub` file or after a host's name in `known_hosts`.

    Raises InputError if it is none, or of none of the `types`.
    """
    text = text.strip()
    name = text.partition(" ")[0]
    if name not in types:  # asyncssh would also take the public half out of a private key
        raise InputError(f"{name[:24]!r} is no type of public key: one of {', '.join(types)} must stand there")
    try:
        return asyncssh.import_public_key(text)
    except (asyncssh.KeyImportError, ValueError):
        raise InputError(f"{text[:40]!r}… is no public key: is a part of it missing?") from None


def public_text(key: asyncssh.SSHKey) -> str:
    """Write the public half in one line, without a comment: `ssh-ed25519 AAAA…`."""
    return " ".join(key.export_public_key().decode().split()[:2])


def fingerprint(text: str) -> str:
    """Give the fingerprint of a public key, as `ssh-keygen -l` shows it: `SHA256:…`."""
    return read_public(text).get_fingerprint()
