"""Signed notes (C2SP signed-note): a text, an empty line, and one line for each signature."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Self

from gateway.errors import InvariantBroken
from gateway.transparency.cosignature import cosignature_bytes, verify_cosignature
from gateway.transparency.keys import (
    BadSignature,
    Sign,
    SignatureType,
    VerifierKey,
    require_key_name,
    verify_ed25519,
)
from gateway.transparency.text import MalformedLogText, read_base64, write_base64

__all__ = ["NoteSignature", "SignedNote", "cosign_note", "read_note", "sign_note", "verified_keys"]

NOTE_BYTES_MAX: Final = 256 * 1024  # 32 signatures of the largest post-quantum kind, and room for the text
SIGNATURES_MAX: Final = 100  # the specification asks for 16 at least; Go's x/mod stops at 100
_KEY_ID_BYTES: Final = 4
_DASH: Final = "\u2014 "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who claims to have signed, and the bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {write_base64(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note as it was read; nothing of it may be believed before its signatures are verified."""

    text: bytes
    signatures: tuple[NoteSignature, ...]

    def __bytes__(self) -> bytes:
        return self.text + b"\n" + "".join(map(str, self.signatures)).encode()

    def with_signature(self, signature: NoteSignature) -> Self:
        """Return the note with one more signature line."""
        return replace(self, signatures=(*self.signatures, signature))


def read_note(data: bytes) -> SignedNote:
    """Read a signed note without verifying it.

    Raises:
        MalformedLogText: the bytes are not a signed note; nothing of them may be used.
    """
    if len(data) > NOTE_BYTES_MAX:
        raise MalformedLogText(f"note: {len(data)} bytes, at most {NOTE_BYTES_MAX} are read")
    _require_clean(data)
    end = data.rfind(b"\n\n")
    if end < 0:
        raise MalformedLogText("note: expected an empty line between text and signatures, found none")
    if not data.endswith(b"\n"):
        raise MalformedLogText("note: expected a line end after the last signature")
    lines = data[end + 2 : -1].decode().split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise MalformedLogText(f"note: {len(lines)} signatures, at most {SIGNATURES_MAX} are read")
    return SignedNote(data[: end + 1], tuple(_read_signature(line) for line in lines))


def sign_note(text: bytes, *, key: VerifierKey, sign: Sign) -> SignedNote:
    """Sign a text that ends in a newline.

    Raises:
        InvariantBroken: the signer does not hold the private half of the key.
    """
    if key.kind is not SignatureType.ED25519:
        raise InvariantBroken(f"the key {key} signs checkpoints of others, not notes")
    return _signed(SignedNote(text, ()), sign(text), key=key)


def cosign_note(note: SignedNote, *, key: VerifierKey, sign: Sign, timestamp: int) -> SignedNote:
    """Add a witness's cosignature to the note of a checkpoint that the witness has checked."""
    if key.kind is not SignatureType.COSIGNATURE:
        raise InvariantBroken(f"the key {key} is not one of a witness")
    return _signed(note, cosignature_bytes(note.text, timestamp, sign=sign), key=key)


def verified_keys(note: SignedNote, keys: Iterable[VerifierKey]) -> frozenset[VerifierKey]:
    """Return those of the known keys that have signed the note; the caller decides who is needed.

    Lines of unknown keys are passed over, even when they share a name or an id with a known one.

    Raises:
        BadSignature: a line names a known key, and the key did not sign this text.
    """
    known = {(key.name, key.key_id): key for key in keys}
    verified = set()
    for line in note.signatures:
        key = known.get((line.name, line.key_id))
        if key is not None:
            _verify(note.text, line.signature, key=key)
            verified.add(key)
    return frozenset(verified)


def _verify(text: bytes, signature: bytes, *, key: VerifierKey) -> None:
    if key.kind is SignatureType.COSIGNATURE:
        verify_cosignature(text, signature, key=key)
    else:
        verify_ed25519(text, signature, key=key)


def _signed(note: SignedNote, signature: bytes, *, key: VerifierKey) -> SignedNote:
    """Read the result back: a key that does not fit its signer must not reach a published note."""
    signed = read_note(bytes(note.with_signature(NoteSignature(key.name, key.key_id, signature))))
    try:
        verified_keys(signed, [key])
    except BadSignature as error:
        raise InvariantBroken(f"the signer does not hold the private key of {key}") from error
    return signed


def _require_clean(data: bytes) -> None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedLogText(f"note: byte {error.start} is not UTF-8") from error
    control = next((c for c in text if c < " " and c != "\n"), None)
    if control is not None:
        raise MalformedLogText(
            f"note: the control character {control!r} at {text.index(control)} is not allowed"
        )


def _read_signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH):
        raise MalformedLogText(f"note: expected a signature line '\u2014 name base64', found {line[:80]!r}")
    require_key_name(name, "signature line")
    data = read_base64(encoded, f"signature of {name!r}")
    if len(data) <= _KEY_ID_BYTES:
        raise MalformedLogText(f"signature of {name!r}: {len(data)} bytes leave no room after the key id")
    return NoteSignature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])
