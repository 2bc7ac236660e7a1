"""Signed answers: what a platform answers to this gateway, bound to the one request that it answers.

RFC 9421 with components of the request (``;req``): an answer covers the request's target, the digest of its
content and its signature. Since each request is signed with a nonce of its own, no answer to an earlier
request, however alike, can pass for the answer to this one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from http_message_signatures import HTTPMessageSigner, InvalidSignature
from http_message_signatures.algorithms import ED25519
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from gateway.errors import Refused
from gateway.signing.keys import Signer
from gateway.signing.requests import LIFETIME, TAG, Message, Verifier, content_digest

__all__ = ["AnswerMessage", "AnswerNotSigned", "sign_answer", "verify_answer"]

ANSWER_TAG: Final = "tanqiao-answer"
_ALWAYS: Final = ("@status", "content-digest", "content-type")
_OF_REQUEST: Final = ("@method", "@authority", "@path", "@query")


class AnswerNotSigned(Refused):
    """An answer carries no signature that binds it to the request; it says nothing."""

    code = "answer-not-signed"
    remedy = "have the platform sign its answers as docs/reference/platform-api.md shows; ask again meanwhile"


@dataclass(frozen=True, slots=True)
class AnswerMessage:
    """What a signature can cover of an answer; ``request`` is the signed request, as it was sent or came."""

    status_code: int
    headers: Mapping[str, str]
    request: Message


def sign_answer(answer: AnswerMessage, signer: Signer, *, created: datetime) -> dict[str, str]:
    """Return the headers that sign an answer: ``Signature-Input`` and ``Signature``.

    The answer must have its ``content-digest`` and ``content-type`` already.
    """
    signing = HTTPMessageSigner(signature_algorithm=ED25519)
    target = _Mutable(answer.status_code, dict(answer.headers), answer.request)
    prepared = signing.prepare(
        target,
        key_id=signer.key_id,
        created=created,
        expires=created + LIFETIME,
        label=TAG,
        tag=ANSWER_TAG,
        covered_component_ids=_components(answer.request),
        use_existing_digest=True,
    )
    signing.apply(target, prepared, signer.sign(prepared.signature_base))
    return {name: target.headers[name] for name in ("Signature-Input", "Signature")}


def verify_answer(
    answer: AnswerMessage, content: bytes, *, find_key: Callable[[str], bytes | None], now: datetime
) -> str:
    """Verify that an answer with this content belongs to its request; returns the id of the key.

    Raises:
        AnswerNotSigned: says what is missing or does not hold.
    """
    if answer.headers.get("content-digest") != content_digest(content):
        raise AnswerNotSigned("the content is not the one whose digest was signed", field="Content-Digest")
    try:
        (result,) = Verifier(find_key, now).verify(
            answer,
            max_age=LIFETIME,
            expect_tag=ANSWER_TAG,
            require_components=_components(answer.request),
        )
    except (InvalidSignature, HTTPMessageSignaturesException) as error:
        raise AnswerNotSigned(f"the signature of the answer is refused: {error}") from error
    except ValueError as error:
        raise AnswerNotSigned(f"expected one signature with the tag {ANSWER_TAG}") from error
    return str(result.parameters["keyid"])


def _components(request: Message) -> tuple[str, ...]:
    """Return what the signature of an answer to this request has to cover."""
    of_request = tuple(f'"{name}";req' for name in _OF_REQUEST)
    content = ('"content-digest";req',) if request.has_content else ()
    return (*_ALWAYS, *of_request, *content, f'"signature";req;key="{TAG}"')


@dataclass(slots=True)
class _Mutable:
    status_code: int
    headers: dict[str, str]
    request: Message
