"""Hooks of schemathesis: each request that it makes up is signed with a platform's key before it is sent.

The key's file stands in the environment, since schemathesis imports this module in a process of its own.
"""

import os
import secrets
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import schemathesis
from hypothesis import strategies
from requests import PreparedRequest
from requests.auth import AuthBase

from gateway.signing import Message, Signer, content_digest, sign_request
from gateway.store.files.keys import FileSigner

KEY_VARIABLE = "TANQIAO_TEST_KEY"


class SignedBy(AuthBase):
    """Signs requests of the package ``requests``."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else bytes(body)
        if content:
            request.headers["Content-Digest"] = content_digest(content)
            request.headers.setdefault("Content-Type", "application/octet-stream")
        request.headers["Host"] = urlsplit(request.url or "").netloc
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        message = Message(request.method or "", request.url or "", headers, has_content=bool(content))
        created, nonce = datetime.now(UTC).replace(microsecond=0), secrets.token_urlsafe(16)
        request.headers.update(sign_request(message, self._signer, created=created, nonce=nonce))
        return request


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def in_form_nfc() -> strategies.SearchStrategy[str]:
    """Make texts up as the contract's format `nfc` has them; long enough for each that it asks for."""
    letters = strategies.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs"])
    return strategies.text(letters, min_size=6, max_size=60).map(
        lambda text: unicodedata.normalize("NFC", text)
    )


schemathesis.openapi.format("nfc", in_form_nfc())
if KEY_VARIABLE in os.environ:
    schemathesis.auth.set_from_requests(SignedBy(FileSigner(Path(os.environ[KEY_VARIABLE]), "http")))
