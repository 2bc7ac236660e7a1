"""W3C Data Integrity proofs of the cryptosuite ``eddsa-jcs-2022``: signatures inside the document they sign.

Signed are 64 bytes: SHA-256 of the canonical proof without its value, then SHA-256 of the canonical
document without its proof. They can never pass for the text of an envelope, which begins with words.
Source: W3C Recommendation "Data Integrity EdDSA Cryptosuites v1.0", section 3.3.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from gateway.errors import MalformedDocument
from gateway.model.canonical import Json, canonical_bytes
from gateway.signing.keys import SignatureInvalid, Signer, TrustedKey
from gateway.signing.multibase import multibase, read_multibase

__all__ = ["add_proof", "hash_data", "verify_proof"]

_SUITE: Final[dict[str, Json]] = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-jcs-2022",
    "proofPurpose": "assertionMethod",
}
_SIGNATURE_BYTES: Final = 64


def hash_data(document: dict[str, Json], options: dict[str, Json]) -> bytes:
    """Return the bytes that a proof signs; ``options`` is the proof without its value."""
    return b"".join(hashlib.sha256(canonical_bytes(part)).digest() for part in (options, document))


def add_proof(document: dict[str, Json], signer: Signer, *, method: str, created: str) -> dict[str, Json]:
    """Return the document with a proof; ``method`` is the URL under which verifiers find the key."""
    options: dict[str, Json] = {
        **_SUITE,
        "@context": document["@context"],
        "created": created,
        "verificationMethod": method,
    }
    value = multibase(signer.sign(hash_data(document, options)))
    return {**document, "proof": {**options, "proofValue": value}}


def verify_proof(
    secured: dict[str, Json], key_of: Callable[[str, str], TrustedKey]
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Check the one proof of a document; return the document without it, and the proof's options.

    Args:
        secured: the document with its proof.
        key_of: gives the key of a verification method, for a proof made at a moment, or raises.

    Raises:
        MalformedDocument: there is no such proof in it.
        SignatureInvalid: the proof does not fit, or its key does not count.
    """
    document = dict(secured)
    options = document.pop("proof", None)
    if not isinstance(options, dict):
        raise MalformedDocument("/proof: expected one Data Integrity proof", field="/proof")
    options = dict(options)
    value = str(options.pop("proofValue", ""))
    for member, expected in {**_SUITE, "@context": document.get("@context", "")}.items():
        if options.get(member) != expected:
            raise SignatureInvalid(f"the proof's {member} is not {expected}", field=f"/proof/{member}")
    key = key_of(str(options.get("verificationMethod")), str(options.get("created")))
    try:
        signature = read_multibase(value, _SIGNATURE_BYTES)
    except MalformedDocument as error:
        raise SignatureInvalid("the proof's value is no signature", field="/proof/proofValue") from error
    key.verify(signature, hash_data(document, options))
    return document, options
