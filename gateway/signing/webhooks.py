"""Signatures of webhooks by Standard Webhooks: ``v1`` with a shared secret, ``v1a`` with Ed25519.

What is signed begins with the id of the message, which is never the ``"`` that a signature base of RFC 9421
begins with: no signature over one is ever good for the other, so both may be made with one key.
"""

import base64
import hashlib
import hmac
from typing import Final

from gateway.signing.keys import Signer

__all__ = ["WEBHOOK_SECRET_BYTES", "webhook_headers", "webhook_public_key", "webhook_secret"]

WEBHOOK_SECRET_BYTES: Final = 32


def webhook_headers(
    message: str, content: bytes, *, timestamp: int, secret: bytes, signer: Signer
) -> dict[str, str]:
    """Return the headers that name, date and sign a message."""
    signed = f"{message}.{timestamp}.".encode() + content
    shared = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    own = base64.b64encode(signer.sign(signed)).decode()
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{shared} v1a,{own}",
    }


def webhook_secret(secret: bytes) -> str:
    """Write a shared secret as verifiers take it."""
    return "whsec_" + base64.b64encode(secret).decode()


def webhook_public_key(signer: Signer) -> str:
    """Write the key that verifies ``v1a`` signatures."""
    return "whpk_" + base64.b64encode(signer.public).decode()
