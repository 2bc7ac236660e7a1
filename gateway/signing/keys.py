"""Signing keys and the trust file that says which key may sign what, from and until which log entry."""

import base64
import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import IntegrityBroken, MalformedDocument, Refused
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.ed25519 import require_sound_key
from gateway.model.strict import read_strict_object

__all__ = ["ALGORITHM", "KeyRing", "SignatureInvalid", "Signer", "TrustedKey", "key_id"]

ALGORITHM: Final = "Ed25519"
KEYS_FILE_TYPE: Final = "tanqiao/keys/1"
PURPOSES: Final = ("record", "http", "recovery")


class SignatureInvalid(IntegrityBroken):
    """A signature does not fit its text, or its key may not sign this text at this place of the log."""

    code = "signature-invalid"


class Signer(Protocol):
    """Something that holds one private key: a file now, a hardware module later."""

    @property
    def key_id(self) -> str:
        """Return the id of the key, as the trust file lists it."""
        ...

    @property
    def public(self) -> bytes:
        """Return the raw public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message."""
        ...


@lru_cache(maxsize=1024)  # a ring is looked through for each signature
def key_id(public: bytes, purpose: str) -> str:
    """Return the id of a key: 128 bits over purpose, algorithm and public key, so each is bound to it."""
    material = b"\x00".join((b"tanqiao/key/1", purpose.encode(), ALGORITHM.encode(), public))
    return f"{purpose}-{hashlib.sha256(material).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """One key of the trust file. ``since``, ``retired`` and ``revoked`` are positions in the log.

    A key signs from ``since`` on. Past ``retired`` it signs nothing new; past ``revoked`` nothing
    counts, whatever time the message claims. The algorithm is taken from here, never from a message.
    """

    purpose: str
    public: bytes
    since: int
    retired: int | None = None
    revoked: int | None = None

    @property
    def id(self) -> str:
        """Return the key's id, computed from the key itself."""
        return key_id(self.public, self.purpose)

    def require_may_sign(self, position: int) -> None:
        """Check that the key may sign the log entry at this position."""
        if position < self.since:
            raise SignatureInvalid(f"key {self.id} signs from entry {self.since} on, not entry {position}")
        for word, end in (("revoked", self.revoked), ("retired", self.retired)):
            if end is not None and position > end:
                raise SignatureInvalid(f"key {self.id} was {word} at entry {end}; entry {position} is later")

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check one signature; raises :class:`SignatureInvalid` or returns None."""
        try:
            _public_key(self.public).verify(signature, message)
        except InvalidSignature as error:
            raise SignatureInvalid(f"the signature by key {self.id} does not fit the text") from error


@lru_cache(maxsize=256)
def _public_key(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The content of ``trust/keys.json``: whom a verifier believes, and for what."""

    issuer: str
    keys: tuple[TrustedKey, ...]

    @classmethod
    def parse(cls, data: bytes) -> "KeyRing":
        """Read and check a trust file; an unsound or repeated key refuses the whole file."""
        document = read_strict_object(data)
        if document.get("type") != KEYS_FILE_TYPE or set(document) != {"type", "issuer", "keys"}:
            raise MalformedDocument(f"not a trust file: expected type {KEYS_FILE_TYPE} with issuer and keys")
        listed, issuer = document["keys"], document["issuer"]
        if not isinstance(listed, list) or not isinstance(issuer, str):
            raise MalformedDocument("a trust file has a text `issuer` and a list `keys`")
        ring = cls(issuer, tuple(_parse_key(entry, index) for index, entry in enumerate(listed)))
        if len({key.public for key in ring.keys}) != len(ring.keys):
            raise MalformedDocument("the trust file lists one public key twice; one key has one purpose")
        return ring

    def to_bytes(self) -> bytes:
        """Write the trust file: canonical, one line."""
        return canonical_bytes(
            {"type": KEYS_FILE_TYPE, "issuer": self.issuer, "keys": [_key_document(key) for key in self.keys]}
        )

    def find(self, wanted: str) -> TrustedKey:
        """Return the key of that id.

        Raises:
            SignatureInvalid: this trust file does not know the key.
        """
        for key in self.keys:
            if key.id == wanted:
                return key
        raise SignatureInvalid(f"key {wanted} is not in the trust file")

    def added(self, key: TrustedKey) -> "KeyRing":
        """Return the ring with one more key; refuses an unsound key and one that is there already."""
        require_sound_key(key.public)
        if any(known.public == key.public for known in self.keys):
            raise Refused(
                f"key {key.id} is in the trust file already",
                remedy="make a new key: one that has been admitted is never admitted again",
            )
        return KeyRing(self.issuer, (*self.keys, key))

    def ended(self, wanted: str, *, position: int, action: str) -> "KeyRing":
        """Return the ring with one key ``retired`` or ``revoked`` from a log position on.

        Raises:
            Refused: there is no such key, or it has ended already: a later end would give it time back.
        """
        key = next((known for known in self.keys if known.id == wanted), None)
        if key is None:
            raise Refused(
                f"there is no key {wanted} in the trust file", remedy="`tanqiao keys list` shows the keys"
            )
        if key.revoked is not None or (key.retired is not None and action == "retired"):
            raise Refused(f"key {wanted} has ended already", remedy="nothing is to be done")
        changed = replace(key, retired=position) if action == "retired" else replace(key, revoked=position)
        return KeyRing(self.issuer, tuple(changed if known is key else known for known in self.keys))


def _key_document(key: TrustedKey) -> dict[str, Json]:
    document: dict[str, Json] = {
        "id": key.id,
        "purpose": key.purpose,
        "algorithm": ALGORITHM,
        "public": base64.b64encode(key.public).decode(),
        "since": key.since,
    }
    if key.retired is not None:
        document["retired"] = key.retired
    if key.revoked is not None:
        document["revoked"] = key.revoked
    return document


def _parse_key(entry: Json, index: int) -> TrustedKey:
    where = f"/keys/{index}"
    known = {"id", "purpose", "algorithm", "public", "since", "retired", "revoked"}
    if not isinstance(entry, dict) or not set(entry) <= known:
        raise MalformedDocument(f"{where}: expected an object with {', '.join(sorted(known))}", field=where)
    if entry.get("algorithm") != ALGORITHM or entry.get("purpose") not in PURPOSES:
        raise MalformedDocument(f"{where}: unknown algorithm or purpose", field=where)
    try:
        public = base64.b64decode(str(entry.get("public")), validate=True)
    except ValueError as error:  # binascii.Error is one; a text that is not ASCII is another
        raise MalformedDocument(f"{where}/public: not base64", field=where) from error
    require_sound_key(public)
    key = TrustedKey(
        purpose=str(entry["purpose"]),
        public=public,
        since=_position(entry.get("since"), where),
        retired=_position(entry["retired"], where) if "retired" in entry else None,
        revoked=_position(entry["revoked"], where) if "revoked" in entry else None,
    )
    if key.id != entry.get("id"):
        raise MalformedDocument(f"{where}/id: the id does not follow from the key", field=where)
    return key


def _position(value: Json | None, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedDocument(f"{where}: a position in the log is a whole number from 0", field=where)
    return value
