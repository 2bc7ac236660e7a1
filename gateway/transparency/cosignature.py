"""Timestamped Ed25519 cosignatures of checkpoints (C2SP tlog-cosignature, signature type 0x04)."""

from typing import Final

from gateway.transparency.keys import SIGNATURE_BYTES, BadSignature, Sign, VerifierKey, verify_ed25519
from gateway.transparency.text import COUNT_MAX, MalformedLogText

__all__ = ["cosignature_bytes", "cosignature_message", "cosignature_time", "verify_cosignature"]

_TIME_BYTES: Final = 8


def cosignature_message(text: bytes, timestamp: int) -> bytes:
    """Return the bytes that a witness signs for the note text of a checkpoint."""
    if not 0 <= timestamp <= COUNT_MAX:
        raise MalformedLogText(f"cosignature: the time {timestamp} lies outside of 0 to {COUNT_MAX}")
    return f"cosignature/v1\ntime {timestamp}\n".encode() + text


def cosignature_bytes(text: bytes, timestamp: int, *, sign: Sign) -> bytes:
    """Cosign the note text of a checkpoint; the time is in seconds since 1970."""
    signature = sign(cosignature_message(text, timestamp))
    return timestamp.to_bytes(_TIME_BYTES, "big") + signature


def cosignature_time(signature: bytes) -> int:
    """Return the time of a cosignature that was verified before."""
    return int.from_bytes(signature[:_TIME_BYTES], "big")


def verify_cosignature(text: bytes, signature: bytes, *, key: VerifierKey) -> None:
    """Check a cosignature over the note text of a checkpoint.

    Raises:
        BadSignature: the witness did not make it for this text.
    """
    if len(signature) != _TIME_BYTES + SIGNATURE_BYTES or cosignature_time(signature) > COUNT_MAX:
        raise BadSignature(
            f"the cosignature of {key.name} ({key.key_id.hex()}) is not a time and a signature"
        )
    message = cosignature_message(text, cosignature_time(signature))
    verify_ed25519(message, signature[_TIME_BYTES:], key=key)
