"""Private keys as files: one purpose each, readable by their owner alone."""

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from gateway.errors import LocalFileError
from gateway.signing import INDEX_KEY_BYTES, key_id
from gateway.store.files.durable import write_durably

__all__ = ["FileSigner", "create_index_key", "create_signing_key", "read_index_key"]


class FileSigner:
    """A signer whose Ed25519 key is a PEM file (:class:`gateway.signing.Signer`)."""

    def __init__(self, path: Path, purpose: str) -> None:
        key = _parse(path, _read_private(path))
        self._key = key
        self.public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id(self.public, purpose)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""
        return self._key.sign(message)


def create_signing_key(path: Path, purpose: str) -> FileSigner:
    """Make a new key pair and keep the private key at ``path``; never replaces one that is there."""
    _require_absent(path)
    key = Ed25519PrivateKey.generate()
    write_durably(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    return FileSigner(path, purpose)


def create_index_key(path: Path) -> None:
    """Make the key of the event index and the pseudonyms."""
    _require_absent(path)
    write_durably(path, os.urandom(INDEX_KEY_BYTES).hex().encode() + b"\n", mode=0o600)


def read_index_key(path: Path) -> bytes:
    """Read the key of the event index and the pseudonyms."""
    text = _read_private(path).decode("ascii", errors="replace").strip()
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != INDEX_KEY_BYTES:
        raise LocalFileError(
            f"{path}: expected {INDEX_KEY_BYTES} bytes in hexadecimal",
            remedy="put the file back from a backup: without its key earlier events are not recognised",
        )
    return secret


def _parse(path: Path, data: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None  # the library's words could quote the key
    if not isinstance(key, Ed25519PrivateKey):
        raise LocalFileError(
            f"expected an Ed25519 private key without a password in {path}, found something else",
            remedy="put the key's file back from where its copy is kept",
        )
    return key


def _require_absent(path: Path) -> None:
    if path.exists():
        raise LocalFileError(
            f"{path} exists already",
            remedy="keep the old key: what it signed still needs it; choose another name",
        )


def _read_private(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise LocalFileError(f"{path} can be read by others", remedy=f"run: chmod 600 {path}")
        return path.read_bytes()
    except OSError as error:
        raise LocalFileError(
            f"cannot read the key {path}: {error.strerror}",
            remedy="put the key's file back from where its copy is kept, or mend its permissions",
        ) from error
