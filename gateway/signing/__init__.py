"""Keys, commitments, signed envelopes and signed documents."""

from gateway.signing.answers import AnswerMessage, AnswerNotSigned, sign_answer, verify_answer
from gateway.signing.commitment import SALT_BYTES, CommitmentMismatch, Disclosure, commitment, commitments
from gateway.signing.did import DidDocument, PublishedKey, did_of, domain_of, key_set
from gateway.signing.envelope import seal, sealed, signed_text, verify_envelope, verify_parties
from gateway.signing.integrity import add_proof, hash_data, verify_proof
from gateway.signing.keyed import INDEX_KEY_BYTES, NAME_BYTES, PSEUDONYM_BYTES, KeyedIndex, PersonKey
from gateway.signing.keys import KeyRing, SignatureInvalid, Signer, TrustedKey, key_id
from gateway.signing.requests import (
    LIFETIME,
    SKEW,
    Message,
    Presented,
    RequestNotSigned,
    arrived_message,
    content_digest,
    sign_request,
    verify_request,
)
from gateway.signing.tokens import (
    Expected,
    SigningKey,
    TokenRefused,
    key_of_token,
    read_key_set,
    verify_token,
)
from gateway.signing.webhooks import (
    WEBHOOK_SECRET_BYTES,
    webhook_headers,
    webhook_public_key,
    webhook_secret,
)

__all__ = [
    "INDEX_KEY_BYTES",
    "LIFETIME",
    "NAME_BYTES",
    "PSEUDONYM_BYTES",
    "SALT_BYTES",
    "SKEW",
    "WEBHOOK_SECRET_BYTES",
    "AnswerMessage",
    "AnswerNotSigned",
    "CommitmentMismatch",
    "DidDocument",
    "Disclosure",
    "Expected",
    "KeyRing",
    "KeyedIndex",
    "Message",
    "PersonKey",
    "Presented",
    "PublishedKey",
    "RequestNotSigned",
    "SignatureInvalid",
    "Signer",
    "SigningKey",
    "TokenRefused",
    "TrustedKey",
    "add_proof",
    "arrived_message",
    "commitment",
    "commitments",
    "content_digest",
    "did_of",
    "domain_of",
    "hash_data",
    "key_id",
    "key_of_token",
    "key_set",
    "read_key_set",
    "seal",
    "sealed",
    "sign_answer",
    "sign_request",
    "signed_text",
    "verify_answer",
    "verify_envelope",
    "verify_parties",
    "verify_proof",
    "verify_request",
    "verify_token",
    "webhook_headers",
    "webhook_public_key",
    "webhook_secret",
]
