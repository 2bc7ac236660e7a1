"""Keyed names: the same input always gives the same name, and nobody without the key can guess either way.

The index key never leaves the home. BLAKE2b in keyed mode is a message authentication code (RFC 7693).
Lengths stand before the parts of a name, so that no two lists of parts are one message.
"""

import hashlib
from typing import Final

import msgspec

__all__ = ["INDEX_KEY_BYTES", "KeyedIndex"]

INDEX_KEY_BYTES: Final = 32
_encode = msgspec.msgpack.Encoder().encode  # lengths before texts: no two lists of parts look the same
_EVENT: Final = b"tq/event/1"  # BLAKE2b's personalisation takes at most 16 bytes
_CONTENT: Final = b"tq/content/1"
_PERSON: Final = b"tq/pseudonym/1"
_CAP: Final = b"tq/cap/1"
_OWN_ACTS: Final = b"tq/own-acts/1"


class KeyedIndex:
    """Names for events, their content, persons and caps of one home."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != INDEX_KEY_BYTES:
            raise ValueError(f"an index key has {INDEX_KEY_BYTES} bytes")
        self._secret = secret

    def event(self, platform: str, event: str) -> bytes:
        """Return the 16-byte name of a platform's event: what recognises it when it comes again."""
        return self._name(_EVENT, f"{len(platform)}:{platform}{event}".encode(), size=16)

    def content(self, content: bytes) -> bytes:
        """Return the 8-byte name of what an event said: what tells a repetition from a contradiction."""
        return self._name(_CONTENT, content, size=8)

    def pseudonym(self, platform: str, person: str) -> bytes:
        """Return the 32-byte pseudonym of a person inside one platform's namespace."""
        return self._name(_PERSON, f"{len(platform)}:{platform}{person}".encode(), size=32)

    def cap(self, scheme: str, *parts: str) -> bytes:
        """Return the 16-byte name under which the use of a cap is counted."""
        return self._name(_CAP, _encode((scheme, *parts)), size=16)

    def own_acts(self, scheme: str, person: str) -> bytes:
        """Return the 16-byte name under which the times of a person's acts are remembered."""
        return self._name(_OWN_ACTS, _encode((scheme, person)), size=16)

    def _name(self, purpose: bytes, message: bytes, *, size: int) -> bytes:
        return hashlib.blake2b(message, digest_size=size, key=self._secret, person=purpose).digest()
