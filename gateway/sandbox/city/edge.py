"""Each request on its way in and out: faults, signatures, and the work in between."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from fastapi import Request, Response
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from gateway.model.canonical import canonical_bytes
from gateway.sandbox.city.calling_back import answers_of, call_back, is_answered_later
from gateway.sandbox.city.desk import DOCUMENT_BYTES_MAX, Reply
from gateway.sandbox.city.faults import Defect, FaultSwitch, Trouble
from gateway.sandbox.city.parts import Answer, CityParts, StrangeSigner
from gateway.sandbox.city.refusals import Refusal, RefusalCode, problem
from gateway.signing import AnswerMessage, Message, arrived_message, content_digest, sign_answer

__all__ = ["Working", "answered", "parts_of", "read_content"]

Working = Callable[[bytes, frozenset[str]], Reply]
_KEY = re.compile(r"[!-~]{1,128}")
_POLL_SECONDS = 0.02
_AHEAD = 3600
_LATER = Reply(202, canonical_bytes({"state": "accepted"}))
_KIND = ("application/json", "application/problem+json")


def parts_of(request: Request) -> CityParts:
    """Return what the city is made of."""
    parts: CityParts = request.app.state.city
    return parts


async def answered(request: Request, work: Working) -> Response:
    """Answer a signed request: 1. trouble on the way in  2. admit  3. work  4. trouble on the way out."""
    parts, path = parts_of(request), request.url.path
    switch = parts.board.trouble(path)
    defects = parts.board.defects(path)
    content = await read_content(request)
    message = _message(request)
    if switch is not None and (early := await _before(parts, switch)) is not None:
        return early
    reply = await run_in_threadpool(_worked, parts, message, content=content, work=work, defects=defects)
    if switch is not None and switch.kind is Trouble.DUPLICATE:
        reply = await run_in_threadpool(work, content, defects)
    parts.worked += 1
    if switch is not None and switch.kind is Trouble.CALLBACK and is_answered_later(path, reply):
        telling = call_back(parts, list(answers_of(path, content, reply=reply)), seconds=switch.seconds)
        parts.calling.add(task := asyncio.create_task(telling))
        task.add_done_callback(parts.calling.discard)
        reply = _LATER
    return await _after(parts, switch, reply=reply, message=message, defects=defects)


async def read_content(request: Request, *, most: int = DOCUMENT_BYTES_MAX) -> bytes:
    """Read content, of which no more is kept than a document may have, and one byte."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk[: most + 1 - len(content)]
    return bytes(content)


def _worked(
    parts: CityParts, message: Message, *, content: bytes, work: Working, defects: frozenset[str]
) -> Reply:
    try:
        trusting = Defect.TRUSTING in defects
        presented = parts.admit(message, trusting=trusting)
        signed = None if presented is None else presented.content_sha256
        if signed is not None or content:
            found = hashlib.sha256(content).digest()
            if not trusting and not hmac.compare_digest(signed or b"", found):
                raise Refusal(RefusalCode.NOT_SIGNED, "the content is not the one whose digest was signed")
        if message.has_content and not _KEY.fullmatch(message.headers.get("idempotency-key", "")):
            told = "expected the header Idempotency-Key, of 1 to 128 visible ASCII characters"
            raise Refusal(RefusalCode.MALFORMED, told, field="/idempotency-key")
        if len(content) > DOCUMENT_BYTES_MAX:
            raise Refusal(RefusalCode.TOO_LARGE, f"more than {DOCUMENT_BYTES_MAX} bytes")
        return work(content, defects)
    except Refusal as refusal:
        return Reply(refusal.status, canonical_bytes(problem(refusal)))


async def _before(parts: CityParts, switch: FaultSwitch) -> Response | None:
    if switch.kind is Trouble.SLOW:
        await asyncio.sleep(switch.seconds)
    if switch.kind is Trouble.REORDER:
        await _let_another_pass(parts, seconds=switch.seconds)
    if switch.kind is Trouble.ERROR:
        return _broken()
    if switch.kind is Trouble.ABSENT:
        told = problem(Refusal(RefusalCode.NOT_FOUND, "nothing of this kind is offered here"))
        return Response(canonical_bytes(told), told["status"], {"content-type": _KIND[True]})
    return _Cut(b"", 0) if switch.kind is Trouble.DEAF else None


async def _let_another_pass(parts: CityParts, *, seconds: float) -> None:
    before, waited = parts.worked, 0.0
    while parts.worked == before and waited < seconds:
        await asyncio.sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS


async def _after(
    parts: CityParts,
    switch: FaultSwitch | None,
    *,
    reply: Reply,
    message: Message,
    defects: frozenset[str],
) -> Response:
    kind = None if switch is None else switch.kind
    if switch is not None and kind is Trouble.LATE:
        await asyncio.sleep(switch.seconds)
    if kind is Trouble.LOST:
        return _Cut(b"", 1)
    if kind is Trouble.BROKEN:
        return _broken()
    if kind is Trouble.DEFERRED and reply.status < 400:
        reply = _LATER
    headers = {"content-type": _KIND[reply.status >= 400], "content-digest": content_digest(reply.content)}
    if kind is not Trouble.UNSIGNED:
        ahead = timedelta(seconds=_AHEAD if Defect.SKEWED in defects else 0)
        headers |= _signature(parts, AnswerMessage(reply.status, headers, message), kind=kind, ahead=ahead)
    answer = Answer(reply.status, reply.content, headers)
    given = parts.last if kind is Trouble.STALE and parts.last is not None else answer
    parts.last = answer
    if kind is Trouble.CUT:
        return _Cut(answer.content, len(answer.content) // 2)
    return Response(given.content, given.status, given.headers)


def _signature(
    parts: CityParts, answer: AnswerMessage, *, kind: Trouble | Defect | None, ahead: timedelta
) -> dict[str, str]:
    """Sign an answer; one to a request without a signature has nothing that it could be bound to."""
    if kind is Trouble.WRONG_SIGNATURE:
        answer = replace(answer, status_code=answer.status_code + 1)
    signer = StrangeSigner() if kind is Trouble.WRONG_KEY else parts.signer
    try:
        return sign_answer(answer, signer, created=parts.clock.now() + ahead)
    except HTTPMessageSignaturesException:
        return {}


def _broken() -> Response:
    told = problem(Refusal(RefusalCode.BROKEN, "broken on purpose"))
    return Response(canonical_bytes(told), told["status"], {"content-type": _KIND[True]})


def _message(request: Request) -> Message:
    scope = request.scope
    return arrived_message(
        request.method,
        request.url.scheme,
        path=scope["raw_path"],
        query=scope["query_string"],
        headers=request.headers.items(),
    )


class _Cut(Response):
    """Announces an answer, sends some bytes of it, and ends the connection."""

    def __init__(self, content: bytes, sent: int) -> None:
        super().__init__(content)
        self._sent = sent

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send too little: the server closes the connection then."""
        length = str(len(self.body) + 1).encode()
        head = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": self.body[: self._sent], "more_body": True})
