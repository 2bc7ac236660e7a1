"""Found a home: its keys are announced as the first entries of its log."""

from collections.abc import Sequence

from gateway.model.canonical import digest
from gateway.model.statement import KeyChange
from gateway.signing import KeyRing, Signer, TrustedKey, seal

__all__ = ["founding_entries", "founding_ring"]


def founding_ring(issuer: str, signers: Sequence[tuple[str, Signer]]) -> KeyRing:
    """Return the key ring of a new home: each key signs from the first entry on."""
    ring = KeyRing(issuer, ())
    for purpose, signer in signers:
        ring = ring.added(TrustedKey(purpose=purpose, public=signer.public, since=0))
    return ring


def founding_entries(ring: KeyRing, record_signer: Signer, *, issued: str) -> list[bytes]:
    """Return the entries that announce the keys of a new home."""
    keys_digest = digest(ring.to_bytes())
    return [
        seal(
            KeyChange(ring.issuer, "added", key.id, key.purpose, keys_digest, issued).body(), [record_signer]
        )
        for key in ring.keys
    ]
