"""Record keys made from a number, and rings that hold them."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.signing import KeyRing, TrustedKey, key_id


@dataclass(frozen=True, slots=True)
class SeededSigner:
    """A signer whose key follows from a text."""

    seed: str
    purpose: str = "record"

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(sha256(self.seed.encode()).digest())

    @property
    def public(self) -> bytes:
        return self._private().public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        return key_id(self.public, self.purpose)

    def sign(self, message: bytes) -> bytes:
        return self._private().sign(message)


def trusted(signer: SeededSigner, since: int = 0, **ends: int) -> TrustedKey:
    return TrustedKey(purpose=signer.purpose, public=signer.public, since=since, **ends)


def ring_of(*keys: TrustedKey) -> KeyRing:
    return KeyRing("gw.example", keys)
