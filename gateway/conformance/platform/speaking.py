"""Speak to a platform as a gateway does, with every exchange written down."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import httpx

from gateway.model.canonical import canonical_bytes
from gateway.signing import (
    AnswerMessage,
    AnswerNotSigned,
    Message,
    Signer,
    content_digest,
    sign_request,
    verify_answer,
)

__all__ = ["Exchange", "NoAnswer", "Speaker", "Unmet"]

Json = dict[str, Any]


class Unmet(Exception):
    """Something that a platform must do was not so."""


class NoAnswer(Unmet):
    """No answer came, or none that can be read."""


class Exchange(NamedTuple):
    """One request and its answer; ``fault`` is what is wrong with the answer's signature, if anything."""

    request: Message
    content: bytes
    status: int
    headers: Mapping[str, str]
    answer: bytes
    fault: str

    @property
    def document(self) -> Json:
        """Return the answer, which is a JSON object."""
        try:
            found = json.loads(self.answer)
        except ValueError as error:
            raise NoAnswer(f"{self.request.url} answers {len(self.answer)} bytes that are no JSON") from error
        if not isinstance(found, dict):
            raise NoAnswer(f"{self.request.url} answers no JSON object")
        return found

    def shown(self) -> Json:
        """Return the exchange so that it can be read, and made again but for its signature."""
        return {
            "request": {
                "method": self.request.method,
                "url": self.request.url,
                "headers": dict(self.request.headers),
                "content": self.content.decode("utf-8", "replace"),
            },
            "response": {
                "status": self.status,
                "headers": {name: value for name, value in self.headers.items() if name in _SHOWN},
                "content": _IDENTITY.sub(rb"\1(withheld)\2", self.answer).decode("utf-8", "replace"),
            },
        }


_IDENTITY: Final = re.compile(rb'("identity": ?")(?:[^"\\]|\\.)*(")')  # a person's, kept nowhere
_SHOWN: Final = frozenset({"content-type", "content-digest", "signature", "signature-input"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """One platform at an address. ``keys`` are the platform's raw public keys by id."""

    url: str
    signer: Signer
    keys: Mapping[str, bytes]
    now: Callable[[], datetime]
    new_nonce: Callable[[], str]
    http: httpx.Client

    def signed(
        self,
        path: str,
        document: Json | None = None,
        *,
        signer: Signer | None = None,
        created: datetime | None = None,
    ) -> tuple[Message, bytes]:
        """Return a signed request and its content, to be sent as it is or changed before."""
        content = b"" if document is None else canonical_bytes(document)
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        if content:
            headers |= {"content-type": "application/json", "content-digest": content_digest(content)}
            headers["idempotency-key"] = _key_of(document or {})
        message = Message("POST" if content else "GET", self.url + path, headers, has_content=bool(content))
        made = sign_request(
            message, signer or self.signer, created=created or self.now(), nonce=self.new_nonce()
        )
        signed = {name.lower(): value for name, value in made.items()}
        return Message(message.method, message.url, headers | signed, has_content=bool(content)), content

    def send(self, message: Message, content: bytes) -> Exchange:
        """Send a request.

        Raises:
            NoAnswer: none came within the time.
        """
        try:
            answer = self.http.request(
                message.method, message.url, headers=dict(message.headers), content=content or None
            )
        except httpx.HTTPError as error:
            raise NoAnswer(f"{message.method} {message.url}: {type(error).__name__}") from error
        headers = {name.lower(): value for name, value in answer.headers.items()}
        fault = self._fault(AnswerMessage(answer.status_code, headers, message), answer.content)
        return Exchange(message, content, answer.status_code, headers, answer.content, fault)

    def _fault(self, answer: AnswerMessage, content: bytes) -> str:
        try:
            verify_answer(answer, content, find_key=self.keys.get, now=self.now())
        except AnswerNotSigned as error:
            return str(error)
        return ""


def _key_of(document: Json) -> str:
    """Return the idempotency key of a document: its id, or that of its first item."""
    first = document["items"][0] if "items" in document else document
    said = first.get("body", first)
    return str(said.get("id") or said.get("transfer"))
