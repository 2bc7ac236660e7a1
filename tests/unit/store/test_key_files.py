"""Private keys as files: what is taken for a key, and what is not."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway.errors import LocalFileError
from gateway.signing import TrustedKey
from gateway.store.files.keys import FileSigner, create_index_key, create_signing_key, read_index_key


def write_private(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def test_a_key_signs_and_reads_back(tmp_path: Path) -> None:
    made = create_signing_key(tmp_path / "record", "record")

    read = FileSigner(tmp_path / "record", "record")

    assert (read.public, read.key_id) == (made.public, made.key_id)
    TrustedKey(purpose="record", public=made.public, since=0).verify(read.sign(b"text"), b"text")
    assert (tmp_path / "record").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    create_signing_key(tmp_path / "record", "record")
    before = (tmp_path / "record").read_bytes()

    for create in (lambda path: create_signing_key(path, "record"), create_index_key):
        with pytest.raises(LocalFileError, match="exists already"):
            create(tmp_path / "record")
    assert (tmp_path / "record").read_bytes() == before


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    create_signing_key(tmp_path / "record", "record")
    create_index_key(tmp_path / "index")
    for name in ("record", "index"):
        (tmp_path / name).chmod(mode)

    with pytest.raises(LocalFileError, match="by others"):
        FileSigner(tmp_path / "record", "record")
    with pytest.raises(LocalFileError, match="by others"):
        read_index_key(tmp_path / "index")


def pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


NO_KEYS = {
    "nothing": b"",
    "text": b"not a key",
    "half a key": pem(Ed25519PrivateKey.generate())[:60],
    "a key with a password": pem(Ed25519PrivateKey.generate(), b"secret"),
    "a key of another kind": pem(ec.generate_private_key(ec.SECP256R1())),
    "bytes that are no text": bytes(range(256)),
}


@pytest.mark.parametrize("data", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_no_key_is_refused_without_quoting_it(tmp_path: Path, data: bytes) -> None:
    path = write_private(tmp_path / "record", data)

    with pytest.raises(LocalFileError, match="expected an Ed25519 private key") as refused:
        FileSigner(path, "record")
    assert str(path) in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "zz" * 32, "é" * 32])
def test_an_index_key_has_32_bytes_in_hexadecimal(tmp_path: Path, text: str) -> None:
    path = write_private(tmp_path / "index", text.encode())

    with pytest.raises(LocalFileError, match="32 bytes in hexadecimal"):
        read_index_key(path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match="cannot read the key"):
        FileSigner(tmp_path / "none", "record")
