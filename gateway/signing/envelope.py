"""Signed envelopes: a body and the signatures over it.

The signed text is the DSSE pre-authentication encoding (protocol version 1) of the body's canonical
bytes, so that a signature made for a statement can never pass for one over anything else. Several
signatures may stand side by side: during a change of keys, or by a second algorithm.
"""

import base64
from collections.abc import Sequence
from typing import Final

from gateway.errors import InvariantBroken, MalformedDocument
from gateway.model.canonical import Json, canonical_bytes
from gateway.signing.keys import KeyRing, SignatureInvalid, Signer

__all__ = ["PAYLOAD_TYPE", "seal", "signed_text", "verify_envelope"]

PAYLOAD_TYPE: Final = "application/vnd.tanqiao.statement+json"
SIGNATURES_MAX: Final = 8


def signed_text(body: dict[str, Json]) -> bytes:
    """Return the exact bytes that a signature over this body covers."""
    payload = canonical_bytes(body)
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def seal(body: dict[str, Json], signers: Sequence[Signer]) -> bytes:
    """Sign a body with each signer and return the envelope's canonical bytes.

    Raises:
        InvariantBroken: there is no signer; an envelope without a signature would prove nothing.
    """
    if not 1 <= len(signers) <= SIGNATURES_MAX:
        raise InvariantBroken(f"a statement needs 1 to {SIGNATURES_MAX} signers, there are {len(signers)}")
    text = signed_text(body)
    signatures: list[Json] = [
        {"key": signer.key_id, "value": base64.b64encode(signer.sign(text)).decode()} for signer in signers
    ]
    return canonical_bytes({"body": body, "signatures": signatures})


def verify_envelope(envelope: dict[str, Json], ring: KeyRing, *, position: int) -> dict[str, Json]:
    """Check an envelope that stands at a position of the log and return its body.

    Every signature must be by a record key of the ring that may sign at that position, and fit; one
    good signature beside a bad one is refused, since the bad one was put there for a reason.

    Raises:
        MalformedDocument: not an envelope.
        SignatureInvalid: a signature or its key does not hold.
    """
    body, signatures = envelope.get("body"), envelope.get("signatures")
    if (
        set(envelope) != {"body", "signatures"}
        or not isinstance(body, dict)
        or not isinstance(signatures, list)
    ):
        raise MalformedDocument("an envelope has exactly a body and signatures")
    if not 1 <= len(signatures) <= SIGNATURES_MAX:
        raise SignatureInvalid(
            f"an envelope has 1 to {SIGNATURES_MAX} signatures, this has {len(signatures)}"
        )
    text = signed_text(body)
    signed_by: set[str] = set()
    for entry in signatures:
        name, value = _parse_signature(entry)
        key = ring.find(name)
        if key.purpose != "record" or name in signed_by:
            raise SignatureInvalid(f"key {name} may not sign a statement, or signs it twice")
        signed_by.add(name)
        key.require_may_sign(position)
        key.verify(value, text)
    return body


def _parse_signature(entry: Json) -> tuple[str, bytes]:
    if not isinstance(entry, dict) or set(entry) != {"key", "value"}:
        raise MalformedDocument("a signature has exactly key and value")
    text = str(entry["value"])
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one; a text that is not ASCII is another
        raise MalformedDocument("a signature's value is base64") from error
    if base64.b64encode(value).decode() != text:
        raise MalformedDocument("a signature's value is not canonical base64")
    return str(entry["key"]), value
