"""Verifier keys of C2SP signed notes, and the Ed25519 keys that must not be trusted.

A small-order public key accepts signatures that nobody made, and a key with a second spelling has
a second identity. The library underneath takes both, so they are refused here, when a key is read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import IntegrityBroken
from gateway.model.ed25519 import UnsoundKey, require_sound_key
from gateway.transparency.text import MalformedLogText, read_base64, write_base64

__all__ = [
    "SIGNATURE_BYTES",
    "BadSignature",
    "Sign",
    "SignatureType",
    "VerifierKey",
    "read_vkey",
    "require_key_name",
    "verify_ed25519",
]

Sign = Callable[[bytes], bytes]

SIGNATURE_BYTES: Final = 64


class BadSignature(IntegrityBroken):
    """A signature that names a known key was not made by that key over this text."""

    code = "bad-signature"
    remedy = "do not rely on the document; get it again from its source, and keep this copy as evidence"


class SignatureType(IntEnum):
    """The signature types of C2SP signed notes that are read here."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under the name and type that its signature lines carry."""

    name: str
    kind: SignatureType
    public: bytes

    def __post_init__(self) -> None:
        require_key_name(self.name, "verifier key")
        _require_sound(self.public, self.name)

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each signature."""
        material = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(material).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{write_base64(bytes([self.kind]) + self.public)}"


def read_vkey(text: str) -> VerifierKey:
    """Read a verifier key, ``name+id+base64``.

    Raises:
        MalformedLogText: the text is no such key, or the key is one that must not be trusted.
    """
    name, key_id, material = _vkey_parts(text)
    kind, public = material[0], material[1:]
    if kind not in set(SignatureType):
        raise MalformedLogText(
            f"verifier key {name!r}: expected signature type 0x01 or 0x04, found 0x{kind:02x}"
        )
    key = VerifierKey(name, SignatureType(kind), public)
    if key.key_id.hex() != key_id:
        raise MalformedLogText(
            f"verifier key {name!r}: expected key id {key.key_id.hex()}, found {key_id[:40]!r}"
        )
    return key


def require_key_name(name: str, where: str) -> None:
    """Refuse a key name that is empty or holds spaces, plus signs or control characters."""
    if not name or any(c == "+" or c.isspace() or c < " " or "\ud800" <= c <= "\udfff" for c in name):
        raise MalformedLogText(
            f"{where}: expected a key name without spaces and plus signs, found {name[:80]!r}"
        )


def verify_ed25519(message: bytes, signature: bytes, *, key: VerifierKey) -> None:
    """Check one raw Ed25519 signature.

    Raises:
        BadSignature: the key did not sign this message.
    """
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature as error:
        raise BadSignature(
            f"the signature of {key.name} ({key.key_id.hex()}) does not fit the text"
        ) from error


def _vkey_parts(text: str) -> tuple[str, str, bytes]:
    parts = text.split("+", 2)  # the base64 part may hold more plus signs
    if len(parts) != 3:
        raise MalformedLogText(f"verifier key: expected name+id+base64, found {text[:120]!r}")
    material = read_base64(parts[2], f"verifier key {parts[0]!r}")
    if not material:
        raise MalformedLogText(f"verifier key {parts[0]!r}: the key material is empty")
    return parts[0], parts[1], material


def _require_sound(public: bytes, name: str) -> None:
    try:
        require_sound_key(public)
    except UnsoundKey as unsound:
        raise MalformedLogText(f"verifier key {name!r}: {unsound}") from unsound
