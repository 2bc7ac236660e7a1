"""Speak to a gateway over HTTP: sign, send, repeat what may be repeated."""

import base64
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import httpx
import orjson

from gateway.errors import Refused, Unreachable
from gateway.signing import Message, Signer, content_digest, sign_request

__all__ = ["Answer", "GatewayClient", "RequestFailed"]

ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 0.5
WAIT_SECONDS: Final = 10
_REPEATED: Final = frozenset({408, 429, 502, 503, 504})


class RequestFailed(Refused):
    """The gateway refused a request; ``problem`` is its problem document."""

    code = "request-failed"

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(
            f"HTTP {status}: {problem.get('detail', 'no reason given')}",
            remedy=str(problem.get("remedy", "")),
        )
        self.status = status
        self.problem = dict(problem)


class Answer(NamedTuple):
    """What the gateway answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> dict[str, Any]:
        """Return the content, which is a JSON object."""
        document = orjson.loads(self.content)
        return document if isinstance(document, dict) else {}


@dataclass(slots=True, kw_only=True)
class GatewayClient:
    """One gateway, as one platform speaks to it. ``signer`` None: only what is public.

    Each request is signed with a new nonce and repeated with the same idempotency key while the gateway is
    out of reach or busy, so nothing is lost and nothing is counted twice.
    """

    url: str
    signer: Signer | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - a client has a clock
    pause: Callable[[float], None] = time.sleep
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def __enter__(self) -> "GatewayClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def submit(
        self, mapping: str, acts: Iterable[Mapping[str, Any]], *, key: str = "", wait: int = WAIT_SECONDS
    ) -> dict[str, Any]:
        """Submit acts and return their operation, finished if that takes no longer than ``wait`` seconds."""
        content = orjson.dumps({"mapping": mapping, "acts": list(acts)})
        headers = {"content-type": "application/json", "idempotency-key": key or secrets.token_urlsafe(16)}
        if wait:
            headers["prefer"] = f"wait={wait}"
        return self.request("POST", "/v1/acts", content=content, headers=headers).json()

    def upload(self, mapping: str, name: str, *, content: bytes, key: str = "") -> dict[str, Any]:
        """Upload a file and return its operation."""
        target = "/v1/files?" + urlencode({"mapping": mapping, "name": name}, quote_via=quote)
        headers = {
            "content-type": "application/octet-stream",
            "idempotency-key": key or secrets.token_urlsafe(16),
        }
        return self.request("POST", target, content=content, headers=headers).json()

    def finished(self, operation: str, *, seconds: float = 600) -> dict[str, Any]:
        """Wait until an operation is done or has failed, and return it.

        Raises:
            Unreachable: it is not done in this time; the same call goes on waiting.
        """
        pause = 0.05
        while seconds > 0:
            found = self.request("GET", f"/v1/operations/{quote(operation, safe='')}").json()
            if found["state"] in ("done", "failed"):
                return found
            self.pause(pause)
            seconds -= pause
            pause = min(pause * 1.5, 2)
        raise Unreachable(f"operation {operation} is not done yet", remedy="wait again with the same call")

    def receipt(self, record: str, *, batch: int | None = None, disclose: Sequence[str] = ()) -> bytes:
        """Return the receipt of a record."""
        query = [("batch", str(batch))] if batch is not None else []
        query += [("disclose", name) for name in disclose]
        target = f"/v1/receipts/{quote(record, safe='')}" + ("?" + urlencode(query) if query else "")
        return self.request("GET", target).content

    def enrol(self, platform: str, code: str) -> dict[str, Any]:
        """Hand in the platform's first key with the code of its invitation."""
        if self.signer is None:
            raise ValueError("enrolling needs a signer")
        public = base64.b64encode(self.signer.public).decode()
        content = orjson.dumps({"code": code, "public_key": public})
        headers = {"content-type": "application/json"}
        return self.request(
            "POST", f"/v1/platforms/{platform}/enrolment", content=content, headers=headers
        ).json()

    def request(
        self, method: str, target: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request, again while the gateway is busy or out of reach; it may be sent more than once.

        Raises:
            RequestFailed: the gateway refused it.
            Unreachable: it never answered.
        """
        failure: Exception | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                self.pause(PAUSE_SECONDS * 2**attempt * (1 + secrets.randbelow(100) / 100))
            try:
                answer = self._once(method, target, content=content, headers=dict(headers or {}))
            except httpx.TransportError as error:
                failure = error
                continue
            if answer.status < 400:
                return answer
            failure = RequestFailed(answer.status, _problem(answer))
            if answer.status not in _REPEATED:
                raise failure
        if isinstance(failure, RequestFailed):
            raise failure
        raise Unreachable(f"{self.url} does not answer: {failure}") from failure

    def _once(self, method: str, target: str, *, content: bytes, headers: dict[str, str]) -> Answer:
        request = self.http.build_request(method, self.url + target, content=content or None, headers=headers)
        if self.signer is not None:
            request.headers.update(self._signature(request, content))
        answer = self.http.send(request)
        return Answer(answer.status_code, answer.headers, answer.content)

    def _signature(self, request: httpx.Request, content: bytes) -> dict[str, str]:
        if self.signer is None:
            return {}
        added = {"content-digest": content_digest(content)} if content else {}
        headers = {name.lower(): value for name, value in request.headers.items()} | added
        message = Message(request.method, str(request.url), headers, has_content=bool(content))
        nonce = secrets.token_urlsafe(16)
        return added | sign_request(message, self.signer, created=self.now(), nonce=nonce)


def _problem(answer: Answer) -> dict[str, Any]:
    try:
        return answer.json()
    except orjson.JSONDecodeError:
        return {"detail": f"{len(answer.content)} bytes that are no problem document"}
