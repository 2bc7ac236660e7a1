"""Signed requests: RFC 9421 message signatures over Ed25519, with the digest of the content (RFC 9530).

What must be covered is fixed here, so that nothing that decides what a request does can be changed or
left out on its way. Times come in as arguments; whether a nonce was seen before is for the caller to ask.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_message_signatures.algorithms import ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_sf.compat import InnerList

from gateway.errors import Refused
from gateway.signing.keys import Signer

__all__ = [
    "LIFETIME",
    "SKEW",
    "TAG",
    "Message",
    "Presented",
    "RequestNotSigned",
    "Verifier",
    "arrived_message",
    "content_digest",
    "required_components",
    "sign_request",
    "verify_request",
]

TAG: Final = "tanqiao"
LIFETIME: Final = timedelta(minutes=5)  # longest time between `created` and `expires`
SKEW: Final = timedelta(seconds=30)  # how far the clocks of two cities may be apart
NONCE: Final = re.compile(r"[A-Za-z0-9_-]{22,64}")  # 128 bits and more, in base64url
_ALWAYS: Final = ("@method", "@authority", "@path", "@query")
_OF_CONTENT: Final = ("content-digest", "content-type")
_IF_PRESENT: Final = ("idempotency-key",)
_SECONDS_END: Final = 2**33  # in the year 2242
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")


class RequestNotSigned(Refused):
    """A request carries no signature that this gateway accepts."""

    code = "request-not-signed"
    remedy = "sign it as docs/howto/federate.md shows; clocks must agree within 30 seconds"


@dataclass(frozen=True, slots=True)
class Message:
    """What a signature can cover of a request. ``url`` is absolute; names of headers are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    has_content: bool = False


class Presented(NamedTuple):
    """What a valid signature says: by which key, its nonce, until when, and the SHA-256 of the content."""

    key_id: str
    nonce: str
    created: datetime
    expires: datetime
    content_sha256: bytes | None


def arrived_message(
    method: str, scheme: str, *, path: bytes, query: bytes, headers: Iterable[tuple[str, str]]
) -> Message:
    """Return what a signature can cover of a request, from what a server was given of it."""
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    asked = "?" + query.decode("ascii", "replace") if query else ""
    url = f"{scheme}://{joined.get('host', '')}{path.decode('ascii', 'replace')}{asked}"
    has_content = joined.get("content-length", "0") != "0" or "transfer-encoding" in joined
    return Message(method, url, joined, has_content=has_content)


def content_digest(content: bytes) -> str:
    """Return the value of the header ``Content-Digest``."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def required_components(message: Message) -> tuple[str, ...]:
    """Return what the signature of this message has to cover."""
    present = tuple(name for name in _IF_PRESENT if name in message.headers)
    return (*_ALWAYS, *(_OF_CONTENT if message.has_content else ()), *present)


def sign_request(message: Message, signer: Signer, *, created: datetime, nonce: str) -> dict[str, str]:
    """Return the headers that sign a message: ``Signature-Input`` and ``Signature``.

    The message must have its other headers already, ``content-digest`` among them if it has content.
    """
    signing = HTTPMessageSigner(signature_algorithm=ED25519)
    target = _Mutable(message.method, message.url, dict(message.headers))
    prepared = signing.prepare(
        target,
        key_id=signer.key_id,
        created=created,
        expires=created + LIFETIME,
        nonce=nonce,
        label=TAG,
        tag=TAG,
        covered_component_ids=required_components(message),
        use_existing_digest=message.has_content,
    )
    signing.apply(target, prepared, signer.sign(prepared.signature_base))
    return {name: target.headers[name] for name in ("Signature-Input", "Signature")}


def verify_request(message: Message, find_key: Callable[[str], bytes | None], *, now: datetime) -> Presented:
    """Verify the signature of a request and return what it says.

    Args:
        message: the request as it arrived.
        find_key: gives the raw Ed25519 key of an id, None where it is unknown or not in force.
        now: the moment of arrival.

    Raises:
        RequestNotSigned: says what is missing or does not hold.
    """
    try:
        (result,) = Verifier(find_key, now).verify(message, max_age=LIFETIME, expect_tag=TAG)
    except (InvalidSignature, HTTPMessageSignaturesException) as error:
        raise RequestNotSigned(f"the signature is refused: {error}") from error
    except ValueError as error:
        raise RequestNotSigned(f"expected one signature with the tag {TAG}") from error
    for component in required_components(message):
        if f'"{component}"' not in result.covered_components:  # as they are written, with all parameters
            raise RequestNotSigned(f"the signature is refused: it does not cover {component}")
    return _presented(message, result.parameters)


def _presented(message: Message, parameters: Mapping[str, Any]) -> Presented:
    nonce = parameters.get("nonce")
    if not isinstance(nonce, str) or not NONCE.fullmatch(nonce):
        raise RequestNotSigned("the signature has no nonce of 22 to 64 characters of base64url")
    created, expires = (datetime.fromtimestamp(parameters[name], UTC) for name in ("created", "expires"))
    return Presented(parameters["keyid"], nonce, created, expires, _content_sha256(message))


def _content_sha256(message: Message) -> bytes | None:
    if not message.has_content:
        return None
    found = _DIGEST.fullmatch(message.headers["content-digest"])
    if found is None:
        raise RequestNotSigned("expected one `Content-Digest: sha-256=:…:`")
    return base64.b64decode(found[1])


@dataclass(slots=True)
class _Mutable:
    method: str
    url: str
    headers: dict[str, str]


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, find_key: Callable[[str], bytes | None]) -> None:
        self._find = find_key

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        """Return the key of that id.

        Raises:
            InvalidSignature: there is none.
        """
        raw = self._find(key_id)
        if raw is None:
            raise InvalidSignature("no key of this `keyid` is enrolled and in force")
        return Ed25519PublicKey.from_public_bytes(raw)


class Verifier(HTTPMessageVerifier):
    """The library's verifier with the clock given to it."""

    def __init__(self, find_key: Callable[[str], bytes | None], now: datetime) -> None:
        super().__init__(signature_algorithm=ED25519, key_resolver=_Keys(find_key))
        self._now = now

    def validate_created_and_expires(self, sig_input: InnerList, max_age: timedelta | None = None) -> None:
        """Check the times of a signature against the given moment."""
        created, expires = (_moment(sig_input.params.get(name)) for name in ("created", "expires"))
        if created > self._now + SKEW:
            raise InvalidSignature("`created` is in the future")
        if expires < self._now - SKEW:
            raise InvalidSignature("it has expired")
        if expires < created or (max_age is not None and expires > created + max_age):
            raise InvalidSignature(f"`expires` is at most {LIFETIME.seconds} seconds after `created`")


def _moment(seconds: object) -> datetime:
    if type(seconds) is not int or not 0 <= seconds < _SECONDS_END:
        raise InvalidSignature("it has no whole seconds `created` and `expires`")
    return datetime.fromtimestamp(seconds, UTC)
