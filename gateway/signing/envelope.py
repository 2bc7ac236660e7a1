"""Signed envelopes: a body and the signatures over it.

The signed text is the DSSE pre-authentication encoding (protocol version 1) of the body's canonical
bytes, so that a signature made for a statement can never pass for one over anything else. Several
signatures may stand side by side: during a change of keys, or by a second algorithm.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import InvariantBroken, MalformedDocument
from gateway.model.canonical import Json, canonical_bytes
from gateway.signing.keys import KeyRing, SignatureInvalid, Signer

__all__ = ["PAYLOAD_TYPE", "seal", "sealed", "signed_text", "verify_envelope", "verify_parties"]

PAYLOAD_TYPE: Final = "application/vnd.tanqiao.statement+json"
SIGNATURES_MAX: Final = 8


def signed_text(body: dict[str, Json]) -> bytes:
    """Return the exact bytes that a signature over this body covers."""
    payload = canonical_bytes(body)
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def seal(body: dict[str, Json], signers: Sequence[Signer]) -> bytes:
    """Sign a body with each signer and return the envelope's canonical bytes; see :func:`sealed`."""
    return canonical_bytes(sealed(body, signers))


def sealed(body: dict[str, Json], signers: Sequence[Signer]) -> dict[str, Json]:
    """Sign a body with each signer and return the envelope.

    Raises:
        InvariantBroken: there is no signer; an envelope without a signature would prove nothing.
    """
    if not 1 <= len(signers) <= SIGNATURES_MAX:
        raise InvariantBroken(f"a statement needs 1 to {SIGNATURES_MAX} signers, there are {len(signers)}")
    text = signed_text(body)
    signatures: list[Json] = [
        {"key": signer.key_id, "value": base64.b64encode(signer.sign(text)).decode()} for signer in signers
    ]
    return {"body": body, "signatures": signatures}


def verify_envelope(envelope: dict[str, Json], ring: KeyRing, *, position: int) -> dict[str, Json]:
    """Check an envelope that stands at a position of the log and return its body.

    Every signature must be by a record key of the ring that may sign at that position, and fit; one
    good signature beside a bad one is refused, since the bad one was put there for a reason.

    Raises:
        MalformedDocument: not an envelope.
        SignatureInvalid: a signature or its key does not hold.
    """
    body, signatures = _opened(envelope)
    text = signed_text(body)
    for name, value in signatures.items():
        key = ring.find(name)
        if key.purpose != "record":
            raise SignatureInvalid(f"key {name} may not sign a statement")
        key.require_may_sign(position)
        key.verify(value, text)
    return body


def verify_parties(
    envelope: dict[str, Json], find: Callable[[str], bytes | None]
) -> tuple[dict[str, Json], list[str]]:
    """Check an envelope that others than the gateway have signed; return its body and the keys' ids.

    ``find`` gives the public key of an id, or None where that key may not sign. Every signature must fit.

    Raises:
        MalformedDocument: not an envelope.
        SignatureInvalid: a signature or its key does not hold.
    """
    body, signatures = _opened(envelope)
    text = signed_text(body)
    for name, value in signatures.items():
        public = find(name)
        if public is None:
            raise SignatureInvalid(f"key {name} is unknown here, or may not sign this")
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(value, text)
        except InvalidSignature as error:
            raise SignatureInvalid(f"the signature by key {name} does not fit the text") from error
    return body, list(signatures)


def _opened(envelope: dict[str, Json]) -> tuple[dict[str, Json], dict[str, bytes]]:
    """Return the body and the signatures by key of what has the form of an envelope."""
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
    found: dict[str, bytes] = {}
    for entry in signatures:
        name, value = _parse_signature(entry)
        if name in found:
            raise SignatureInvalid(f"key {name} signs twice")
        found[name] = value
    return body, found


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
