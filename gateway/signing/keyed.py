"""Keyed names: the same input always gives the same name, and nobody without the key can guess either way.

The index key never leaves the home. BLAKE2b in keyed mode is a message authentication code (RFC 7693).
Lengths stand before the parts of a name, so that no two lists of parts are one message.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

__all__ = ["INDEX_KEY_BYTES", "NAME_BYTES", "PSEUDONYM_BYTES", "KeyedIndex", "PersonKey"]

INDEX_KEY_BYTES: Final = 32
NAME_BYTES: Final = 16  # of an event, a cap or a span
PSEUDONYM_BYTES: Final = 32
_encode = msgspec.msgpack.Encoder().encode  # lengths before texts: no two lists of parts look the same
_EVENT: Final = b"tq/event/1"  # BLAKE2b's personalisation takes at most 16 bytes
_CONTENT: Final = b"tq/content/1"
_PERSON: Final = b"tq/pseudonym/1"
_CAP: Final = b"tq/cap/1"
_OWN_ACTS: Final = b"tq/own-acts/1"
_IDENTITY: Final = b"tq/identity/1"
_CLAIM: Final = b"tq/claim/1"
_PLATFORM: Final = b"tq/platform/1"


class PersonKey:
    """Pseudonyms of persons across platforms: of one key's epoch; those of two epochs cannot be compared."""

    def __init__(self, secret: bytes, *, epoch: int) -> None:
        if len(secret) != INDEX_KEY_BYTES:
            raise ValueError(f"a person key has {INDEX_KEY_BYTES} bytes")
        self._secret = secret
        self.epoch = epoch

    def pseudonym(self, identity: str) -> bytes:
        """Return the 32-byte pseudonym of the person that was verified to be this one."""
        name = hashlib.blake2b(digest_size=PSEUDONYM_BYTES, key=self._secret, person=_IDENTITY)
        name.update(identity.encode())
        return name.digest()


class KeyedIndex:
    """Names for events, their content, persons and caps of one home."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != INDEX_KEY_BYTES:
            raise ValueError(f"an index key has {INDEX_KEY_BYTES} bytes")
        self._secret = secret

    def event(self, platform: str, event: str) -> bytes:
        """Return the 16-byte name of a platform's event: what recognises it when it comes again."""
        return self.events(platform, [event])

    def events(self, platform: str, events: Iterable[str]) -> bytes:
        """Return the names of many events, one behind the other."""
        return self._names(_EVENT, map(str.encode, events), size=NAME_BYTES, before=_namespace(platform))

    def contents(self, contents: Iterable[bytes]) -> bytes:
        """Return the 8-byte names of what events said: what tells a repetition from a contradiction."""
        return self._names(_CONTENT, contents, size=8)

    def pseudonym(self, platform: str, person: str) -> bytes:
        """Return the 32-byte pseudonym of a person inside one platform's namespace."""
        return self.pseudonyms(platform, [person])

    def pseudonyms(self, platform: str, persons: Iterable[str]) -> bytes:
        """Return the pseudonyms of many persons, one behind the other."""
        names = map(str.encode, persons)
        return self._names(_PERSON, names, size=PSEUDONYM_BYTES, before=_namespace(platform))

    def caps(self, scheme: str, keys: Iterable[tuple[str, ...]]) -> bytes:
        """Return the 16-byte names under which the use of caps is counted."""
        return self._names(_CAP, [_encode((scheme, *key)) for key in keys], size=NAME_BYTES)

    def own_acts(self, scheme: str, persons: Iterable[str]) -> bytes:
        """Return the 16-byte names under which the times of persons' acts are remembered."""
        return self._names(_OWN_ACTS, [_encode((scheme, person)) for person in persons], size=NAME_BYTES)

    def claims(self, persons: Iterable[tuple[bytes, str]]) -> bytes:
        """Return the 16-byte names under which acts of persons and kinds are compared across platforms."""
        return self._names(_CLAIM, map(_encode, persons), size=16)

    def platform_tag(self, platform: str) -> bytes:
        """Return the 8 bytes by which acts that are compared tell their platform."""
        return self._names(_PLATFORM, [platform.encode()], size=8)

    def _names(self, purpose: bytes, messages: Iterable[bytes], *, size: int, before: bytes = b"") -> bytes:
        """Name messages that all begin with the same bytes."""
        fresh = hashlib.blake2b(before, digest_size=size, key=self._secret, person=purpose).copy
        names = []
        for message in messages:
            name = fresh()
            name.update(message)
            names.append(name.digest())
        return b"".join(names)


def _namespace(platform: str) -> bytes:
    return f"{len(platform)}:{platform}".encode()
