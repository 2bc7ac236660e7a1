"""The line to one platform: its own connections, its own limits, its own breaker; signed both ways."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import httpx
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.errors import MalformedDocument
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.strict import read_strict_object
from gateway.peers.addresses import AddressRefused
from gateway.peers.breaker import Breaker
from gateway.peers.checked import CheckedHttp, Exchanged, failure_words
from gateway.ports import Clock, PlatformEndpoint, Unknown, Why
from gateway.signing import (
    AnswerMessage,
    AnswerNotSigned,
    Message,
    Signer,
    content_digest,
    sign_request,
    verify_answer,
)

__all__ = ["Called", "LineLimits", "LineParts", "PlatformLine", "Question"]

ANSWER_BYTES_MAX: Final = 4 << 20  # a batch of 500 lines with the lots of each
_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LATER: Final = 202
_NO_BATCHES: Final = frozenset({404, 405, 413, 501})
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_ABOUT_THE_ID: Final = frozenset({200, 201, 400, 404, 409, 413, 422})
"""Other statuses are about the request: an earlier one with the same id may have been taken all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLimits:
    """What one platform may take of this gateway."""

    request_seconds: float = 5
    message_seconds: float = 20  # a message with its repetitions: what an interactive transfer has for D
    at_once: int = 16
    waiting: int = 256
    failures: int = 5  # in a row, until the platform is left alone
    pause_seconds: float = 0.2  # before the first repetition; doubled by each


@dataclass(frozen=True, slots=True, kw_only=True)
class LineParts:
    """What all lines share. ``below`` returns a random number from 0 to below its argument."""

    signer: Signer
    clock: Clock
    new_nonce: Callable[[], str]
    below: Callable[[int], int]
    private: bool
    limits: LineLimits


class Question(NamedTuple):
    """One request: ``key`` is its idempotency key; without a document it is a question."""

    target: str
    document: Mapping[str, Json] | None = None
    key: str = ""

    @property
    def is_batch(self) -> bool:
        """Tell whether it says several things."""
        return self.target.endswith(":batch")


class Called(NamedTuple):
    """A verified answer."""

    status: int
    document: dict[str, Json]


class PlatformLine:
    """Calls one platform. Whoever finds it overcrowded or its circuit open is told so at once."""

    def __init__(self, endpoint: PlatformEndpoint, parts: LineParts) -> None:
        self.endpoint = endpoint
        self._parts = parts
        limits = parts.limits
        self._http = CheckedHttp(
            private=parts.private, seconds=limits.request_seconds, kept=limits.at_once, resolving=2
        )
        self._slots = asyncio.Semaphore(limits.at_once)
        self._inside = 0
        self._breaker = Breaker(failures=limits.failures)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def call(self, question: Question) -> Called | Unknown:
        """Ask, again while no answer comes, each time signed anew; never longer than the limit."""
        limits = self._parts.limits
        if self._inside >= limits.at_once + limits.waiting:
            return Unknown(why=Why.NOT_SENT, detail=f"{self._inside} requests wait for this platform already")
        self._inside += 1
        try:
            return await self._until_answered(question)
        finally:
            self._inside -= 1

    async def _until_answered(self, question: Question) -> Called | Unknown:
        """Repeat until an answer is good or the time is over."""
        limits = self._parts.limits
        end, pause, lost = time.monotonic() + limits.message_seconds, limits.pause_seconds, False
        while True:
            came = await self._once(question, seconds=max(end - time.monotonic(), 0))
            lost = lost or (isinstance(came, Unknown) and came.why is not Why.NOT_SENT)
            if isinstance(came, Called) or came.why not in (Why.LOST, Why.BUSY, Why.NOT_TAKEN):
                return _told(came, lost=lost)
            wait = pause * (1 + self._parts.below(100) / 100)
            if time.monotonic() + wait >= end:
                return came
            await asyncio.sleep(wait)
            pause *= 2

    async def _once(self, question: Question, *, seconds: float) -> Called | Unknown:
        try:
            async with asyncio.timeout(seconds):
                await self._slots.acquire()
        except TimeoutError:
            return Unknown(why=Why.NOT_SENT, detail="requests before it took all the time")
        try:
            if not self._breaker.admits(time.monotonic()):
                return Unknown(why=Why.NOT_SENT, detail="it has not answered lately and is left alone")
            came = await self._exchanged(question)
        finally:
            self._slots.release()
        return came

    async def _exchanged(self, question: Question) -> Called | Unknown:
        content = b"" if question.document is None else canonical_bytes(dict(question.document))
        message = self._signed(question, content)
        try:
            answer = await self._http.send(
                message.method,
                message.url,
                content=content,
                headers=message.headers,
                bytes_max=ANSWER_BYTES_MAX,
            )
        except AddressRefused as error:
            self._breaker.failed(time.monotonic())
            return Unknown(why=Why.NOT_SENT, detail=str(error))
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            self._breaker.failed(time.monotonic())
            return Unknown(why=Why.LOST, detail=f"no answer: {failure_words(error)}")
        except BaseException:
            self._breaker.failed(time.monotonic())  # told to stop: a trial must not stay open
            raise
        if question.is_batch and answer.status in _NO_BATCHES:
            self._breaker.succeeded()  # told by whatever stands before the platform: it need not be signed
            return Unknown(why=Why.NOT_OFFERED, detail=f"HTTP {answer.status} to a batch")
        return self._judged(message, answer)

    def _judged(self, message: Message, answer: Exchanged) -> Called | Unknown:
        if answer.status in _BUSY:
            self._breaker.failed(time.monotonic())
            return Unknown(why=Why.BUSY, detail=f"HTTP {answer.status}")
        self._breaker.succeeded()
        signed = AnswerMessage(answer.status, answer.headers, message)
        keys = self.endpoint.keys
        try:
            verify_answer(signed, answer.content, find_key=keys.get, now=self._parts.clock.now())
        except AnswerNotSigned as error:
            return Unknown(why=Why.NOT_SIGNED, detail=f"HTTP {answer.status}: {error}")
        try:
            document = read_strict_object(answer.content, ANSWER_BYTES_MAX)
        except MalformedDocument as error:
            return Unknown(why=Why.MALFORMED, detail=str(error))
        if answer.status == _LATER:
            return Unknown(why=Why.WAITING, detail="the platform answers later")
        if answer.status not in _ABOUT_THE_ID:
            return Unknown(why=Why.NOT_TAKEN, detail=f"HTTP {answer.status}: {document.get('code', '')}")
        return Called(answer.status, document)

    def _signed(self, question: Question, content: bytes) -> Message:
        parts = self._parts
        headers = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "tanqiao/1"}
        if content:
            headers |= {"content-type": "application/json", "content-digest": content_digest(content)}
        if question.key:
            headers["idempotency-key"] = question.key
        _PROPAGATOR.inject(headers)  # `traceparent`, where this is done within a span
        url = self.endpoint.url.rstrip("/") + question.target
        message = Message("POST" if content else "GET", url, headers, has_content=bool(content))
        made = sign_request(message, parts.signer, created=parts.clock.now(), nonce=parts.new_nonce())
        signed = {name.lower(): value for name, value in made.items()}
        return Message(message.method, url, headers | signed, has_content=bool(content))


def _told(came: Called | Unknown, *, lost: bool) -> Called | Unknown:
    """Return an outcome, where an earlier attempt may have arrived never as if nothing had been sent."""
    if lost and isinstance(came, Unknown) and came.why is Why.NOT_SENT:
        return Unknown(why=Why.LOST, detail=came.detail)
    return came
