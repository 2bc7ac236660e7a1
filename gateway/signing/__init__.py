"""Keys, commitments, signed envelopes and signed documents."""

from gateway.signing.commitment import SALT_BYTES, CommitmentMismatch, Disclosure, commitment, commitments
from gateway.signing.did import DidDocument, PublishedKey, did_of, domain_of, key_set
from gateway.signing.envelope import seal, signed_text, verify_envelope
from gateway.signing.integrity import add_proof, hash_data, verify_proof
from gateway.signing.keyed import INDEX_KEY_BYTES, NAME_BYTES, PSEUDONYM_BYTES, KeyedIndex
from gateway.signing.keys import KeyRing, SignatureInvalid, Signer, TrustedKey, key_id

__all__ = [
    "INDEX_KEY_BYTES",
    "NAME_BYTES",
    "PSEUDONYM_BYTES",
    "SALT_BYTES",
    "CommitmentMismatch",
    "DidDocument",
    "Disclosure",
    "KeyRing",
    "KeyedIndex",
    "PublishedKey",
    "SignatureInvalid",
    "Signer",
    "TrustedKey",
    "add_proof",
    "commitment",
    "commitments",
    "did_of",
    "domain_of",
    "hash_data",
    "key_id",
    "key_set",
    "seal",
    "signed_text",
    "verify_envelope",
    "verify_proof",
]
