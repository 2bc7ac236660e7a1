"""What the client says, without saying it: requests to send and pauses to make, as a generator yields them.

Both clients run the same generators; they differ in how they send and how they wait.
"""

import base64
import secrets
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

import httpx
import orjson

from gateway.errors import Refused, Unreachable
from gateway.model.canonical import canonical_bytes
from gateway.signing import Message, Signer, content_digest, sign_request

__all__ = ["Answer", "Conversation", "Exchange", "Pause", "RequestFailed", "Send", "Step"]

ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 0.5
WAIT_SECONDS: Final = 10
_REPEATED: Final = frozenset({408, 429, 502, 503, 504})


class RequestFailed(Refused):
    """The gateway refused a request; ``problem`` is its problem document."""

    code = "request-failed"

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(
            f"HTTP {status}{_named(problem)}: {problem.get('detail', 'no reason given')}",
            remedy=str(problem.get("remedy", "")),
        )
        self.status = status
        self.problem = dict(problem)


def _named(problem: Mapping[str, Any]) -> str:
    code = problem.get("code")  # by it the list of errors says more than the status does
    return f" {code}" if isinstance(code, str) else ""


class Answer(NamedTuple):
    """What the gateway answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> dict[str, Any]:
        """Return the content, which is a JSON object."""
        document = orjson.loads(self.content)
        return document if isinstance(document, dict) else {}


class Send(NamedTuple):
    """Send this request; what comes back is its answer, or an ``httpx.TransportError`` thrown in."""

    request: httpx.Request


class Pause(NamedTuple):
    """Wait so many seconds; nothing comes back."""

    seconds: float


Result = TypeVar("Result")
Step = Send | Pause
Exchange = Generator[Step, Answer | None, Result]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One gateway, as one platform speaks to it. ``signer`` None: only what is public.

    Each request is signed with a new nonce and repeated with the same idempotency key while the gateway is
    out of reach or busy, so nothing is lost and nothing is counted twice.
    """

    url: str
    signer: Signer | None
    now: Callable[[], datetime]

    def submit(
        self, mapping: str, acts: Iterable[Mapping[str, Any]], *, key: str, wait: int
    ) -> Exchange[dict[str, Any]]:
        """Submit acts; the result is their operation."""
        content = orjson.dumps({"mapping": mapping, "acts": list(acts)})
        headers = {"content-type": "application/json", "idempotency-key": key or secrets.token_urlsafe(16)}
        if wait:
            headers["prefer"] = f"wait={wait}"
        return (yield from self.request("POST", "/v1/acts", content=content, headers=headers)).json()

    def upload(self, mapping: str, name: str, *, content: bytes, key: str) -> Exchange[dict[str, Any]]:
        """Upload a file; the result is its operation."""
        target = "/v1/files?" + urlencode({"mapping": mapping, "name": name}, quote_via=quote)
        headers = {
            "content-type": "application/octet-stream",
            "idempotency-key": key or secrets.token_urlsafe(16),
        }
        return (yield from self.request("POST", target, content=content, headers=headers)).json()

    def finished(self, operation: str, *, seconds: float) -> Exchange[dict[str, Any]]:
        """Ask until an operation is done or has failed; the result is the operation."""
        pause = 0.05
        while seconds > 0:
            found = (yield from self.request("GET", f"/v1/operations/{quote(operation, safe='')}")).json()
            if found["state"] in ("done", "failed"):
                return found
            yield Pause(pause)
            seconds -= pause
            pause = min(pause * 1.5, 2)
        raise Unreachable(f"operation {operation} is not done yet", remedy="wait again with the same call")

    def rejections(self, operation: str) -> Exchange[list[dict[str, Any]]]:
        """Fetch which rows of a file were refused, and why."""
        target = f"/v1/operations/{quote(operation, safe='')}/rejections"
        return [orjson.loads(line) for line in (yield from self.request("GET", target)).content.splitlines()]

    def receipt(self, record: str, *, batch: int | None, disclose: Sequence[str]) -> Exchange[bytes]:
        """Fetch the receipt of a record."""
        query = [("batch", str(batch))] if batch is not None else []
        query += [("disclose", name) for name in disclose]
        target = f"/v1/receipts/{quote(record, safe='')}" + ("?" + urlencode(query) if query else "")
        return (yield from self.request("GET", target)).content

    def quote(
        self, destination: str, account: str, *, points: int | None, records: Sequence[str]
    ) -> Exchange[dict[str, Any]]:
        """Quote a move; the result has the signed quote and says why so much arrives."""
        wish: dict[str, Any] = {"destination": destination, "account": account}
        wish |= {"records": list(records)} if records else {}
        wish |= {"points": str(points)} if points is not None else {}
        headers = {"content-type": "application/json"}
        content = canonical_bytes(wish)
        return (yield from self.request("POST", "/v1/quotes", content=content, headers=headers)).json()

    def transfer(self, transfer: Mapping[str, Any]) -> Exchange[dict[str, Any]]:
        """Move what was quoted; the result says whether it was taken up."""
        headers = {"content-type": "application/json", "idempotency-key": str(transfer["id"])}
        content = canonical_bytes(dict(transfer))
        return (yield from self.request("POST", "/v1/transfers", content=content, headers=headers)).json()

    def quotes(self, wishes: Sequence[Mapping[str, Any]]) -> Exchange[list[dict[str, Any]]]:
        """Quote several moves; the result are the outcomes in their order."""
        return (yield from self._batch("/v1/quotes:batch", wishes))

    def transfers(self, transfers: Sequence[Mapping[str, Any]]) -> Exchange[list[dict[str, Any]]]:
        """Move several things that were quoted; the result are the outcomes in their order."""
        return (yield from self._batch("/v1/transfers:batch", transfers))

    def answers(self, answers: Sequence[Mapping[str, Any]]) -> Exchange[list[dict[str, Any]]]:
        """Say what came of messages; the result are the outcomes in their order."""
        return (yield from self._batch("/v1/answers:batch", answers))

    def _batch(self, target: str, items: Sequence[Mapping[str, Any]]) -> Exchange[list[dict[str, Any]]]:
        content = canonical_bytes({"items": [dict(item) for item in items]})  # which is read soonest
        headers = {"content-type": "application/json"}
        answer = (yield from self.request("POST", target, content=content, headers=headers)).json()
        outcomes: list[dict[str, Any]] = answer["outcomes"]
        return outcomes

    def publish_mapping(self, publication: bytes, *, token: str) -> Exchange[dict[str, Any]]:
        """Hand in a mapping version with signatures of maintainers; the result says how far it is."""
        headers = {"content-type": "application/json"} | _by(token)
        return (yield from self.request("POST", "/v1/mappings", content=publication, headers=headers)).json()

    def waiting_mappings(self, *, token: str) -> Exchange[list[dict[str, Any]]]:
        """List versions that are neither published nor withdrawn, page by page."""
        found: list[dict[str, Any]] = []
        target = "/v1/mappings/waiting"
        while True:
            page = (yield from self.request("GET", target, headers=_by(token))).json()
            found += page["publications"]
            if page["next"] is None:
                return found
            target = "/v1/mappings/waiting?" + urlencode({"cursor": page["next"]})

    def withdraw_mapping(self, digest: str, *, token: str) -> Exchange[dict[str, Any]]:
        """Take a version back; the result says how far it is."""
        target = f"/v1/mappings/{quote(digest)}/publication"
        return (yield from self.request("DELETE", target, headers=_by(token))).json()

    def published(self, digest: str, *, seconds: float) -> Exchange[dict[str, Any]]:
        """Ask while a version that enough have signed is published; the result says how far it is."""
        pause = 0.05
        while True:
            found = (yield from self.request("GET", f"/v1/mappings/{quote(digest)}/publication")).json()
            if found["state"] != "signed" or seconds <= 0:
                return found
            yield Pause(pause)
            seconds -= pause
            pause = min(pause * 1.5, 2)

    def look_up(self, target: str) -> Exchange[dict[str, Any]]:
        """Look something up."""
        return (yield from self.request("GET", target)).json()

    def enrol(self, platform: str, code: str) -> Exchange[dict[str, Any]]:
        """Hand in the platform's first key with the code of its invitation."""
        if self.signer is None:
            raise ValueError("enrolling needs a signer")
        public = base64.b64encode(self.signer.public).decode()
        content = orjson.dumps({"code": code, "public_key": public})
        headers = {"content-type": "application/json"}
        target = f"/v1/platforms/{platform}/enrolment"
        return (yield from self.request("POST", target, content=content, headers=headers)).json()

    def request(
        self, method: str, target: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Exchange[Answer]:
        """Send one request, again while the gateway is busy or out of reach.

        Raises:
            RequestFailed: the gateway refused it.
            Unreachable: it never answered.
        """
        failure: Exception | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                yield Pause(PAUSE_SECONDS * 2**attempt * (1 + secrets.randbelow(100) / 100))
            try:
                answer = yield Send(
                    self._signed(method, target, content=content, headers=dict(headers or {}))
                )
            except httpx.TransportError as error:
                failure = error
                continue
            if answer is None or answer.status >= 400:
                failure = _failure(answer)
                if failure.status not in _REPEATED:
                    raise failure
                continue
            return answer
        if isinstance(failure, RequestFailed):
            raise failure
        raise Unreachable(f"{self.url} does not answer: {failure}") from failure

    def _signed(self, method: str, target: str, *, content: bytes, headers: dict[str, str]) -> httpx.Request:
        request = httpx.Request(method, self.url + target, content=content or None, headers=headers)
        if self.signer is None:
            return request
        added = {"content-digest": content_digest(content)} if content else {}
        covered = {name.lower(): value for name, value in request.headers.items()} | added
        message = Message(request.method, str(request.url), covered, has_content=bool(content))
        nonce = secrets.token_urlsafe(16)
        request.headers.update(added | sign_request(message, self.signer, created=self.now(), nonce=nonce))
        return request


def _by(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def _failure(answer: Answer | None) -> RequestFailed:
    if answer is None:
        raise TypeError("an answer was expected")
    try:
        return RequestFailed(answer.status, answer.json())
    except orjson.JSONDecodeError:
        told = {"detail": f"{len(answer.content)} bytes that are no problem document"}
        return RequestFailed(answer.status, told)
