"""Keys, commitments and signed envelopes."""

from gateway.signing.commitment import SALT_BYTES, CommitmentMismatch, Disclosure, commitment, commitments
from gateway.signing.envelope import seal, signed_text, verify_envelope
from gateway.signing.keyed import INDEX_KEY_BYTES, KeyedIndex
from gateway.signing.keys import KeyRing, SignatureInvalid, Signer, TrustedKey, key_id

__all__ = [
    "INDEX_KEY_BYTES",
    "SALT_BYTES",
    "CommitmentMismatch",
    "Disclosure",
    "KeyRing",
    "KeyedIndex",
    "SignatureInvalid",
    "Signer",
    "TrustedKey",
    "commitment",
    "commitments",
    "key_id",
    "seal",
    "signed_text",
    "verify_envelope",
]
