"""The client that waits where it is called: for scripts and for threads."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import httpx

from gateway.client.exchange import WAIT_SECONDS, Answer, Conversation, Exchange, Pause, Result
from gateway.signing import Signer

__all__ = ["TIMEOUT_SECONDS", "GatewayClient", "this_second"]

TIMEOUT_SECONDS = 60


def this_second() -> datetime:
    """Return the moment in whole seconds, as signatures state it."""
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - a client has a clock


@dataclass(slots=True, kw_only=True)
class GatewayClient:
    """One gateway, as one platform speaks to it. ``signer`` None: only what is public.

    Each request is signed with a new nonce and repeated with the same idempotency key while the gateway is
    out of reach or busy, so nothing is lost and nothing is counted twice.
    """

    url: str
    signer: Signer | None = None
    now: Callable[[], datetime] = this_second
    pause: Callable[[float], None] = time.sleep
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=TIMEOUT_SECONDS))

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
        return self._run(self._says.submit(mapping, acts, key=key, wait=wait))

    def upload(self, mapping: str, name: str, *, content: bytes, key: str = "") -> dict[str, Any]:
        """Upload a file and return its operation."""
        return self._run(self._says.upload(mapping, name, content=content, key=key))

    def finished(self, operation: str, *, seconds: float = 600) -> dict[str, Any]:
        """Wait until an operation is done or has failed, and return it.

        Raises:
            Unreachable: it is not done in this time; the same call goes on waiting.
        """
        return self._run(self._says.finished(operation, seconds=seconds))

    def rejections(self, operation: str) -> list[dict[str, Any]]:
        """Return which rows of an uploaded file were refused: ``row``, ``code``, ``field``, ``detail``."""
        return self._run(self._says.rejections(operation))

    def receipt(self, record: str, *, batch: int | None = None, disclose: Sequence[str] = ()) -> bytes:
        """Return the receipt of a record."""
        return self._run(self._says.receipt(record, batch=batch, disclose=disclose))

    def quote(
        self, destination: str, account: str, *, points: int | None = None, records: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Quote a move from an own account to another platform: points, or what is left of records."""
        return self._run(self._says.quote(destination, account, points=points, records=records))

    def transfer(self, transfer: Mapping[str, Any]) -> dict[str, Any]:
        """Move what was quoted: ``id``, ``quote`` and both accounts.

        Keep it before it is sent; the same again, also much later, gets the same answer.
        """
        return self._run(self._says.transfer(transfer))

    def quotes(self, wishes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Quote several moves under one signature.

        A wish has ``destination``, ``account``, and ``points`` or ``records``. Each outcome has ``status``
        and ``document``: a quote, or why there is none.
        """
        return self._run(self._says.quotes(wishes))

    def transfers(self, transfers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Move several things that were quoted, as :meth:`transfer` does, under one signature.

        Each outcome has ``id``, ``status`` and ``document``: the answer, or why there is none.
        """
        return self._run(self._says.transfers(transfers))

    def answers(self, answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Say what came of messages that were answered with 202, each for itself.

        An answer has ``transfer``, ``about``, ``digest``, ``outcome``, and ``code`` where that is `refused`.
        """
        return self._run(self._says.answers(answers))

    def publish_mapping(self, publication: bytes, *, token: str = "") -> dict[str, Any]:
        """Hand in a mapping version with signatures of its maintainers, and return how far it is.

        It is what `tanqiao mapping sign` writes. With a coordinator's token any mapping, else an own one.
        """
        return self._run(self._says.publish_mapping(publication, token=token))

    def waiting_mappings(self, *, token: str = "") -> list[dict[str, Any]]:
        """Return the versions that wait for signatures: with a coordinator's token all, else own ones."""
        return self._run(self._says.waiting_mappings(token=token))

    def withdraw_mapping(self, digest: str, *, token: str = "") -> dict[str, Any]:
        """Take back a version that was handed in the same way and that not enough have signed, for good."""
        return self._run(self._says.withdraw_mapping(digest, token=token))

    def published(self, digest: str, *, seconds: float = 60) -> dict[str, Any]:
        """Return how far a version is, once it waits for nobody but the gateway, or the time is over."""
        return self._run(self._says.published(digest, seconds=seconds))

    def look_up(self, target: str) -> dict[str, Any]:
        """Return what stands at an address, such as ``/v1/transfers/ID`` or ``/v1/positions``."""
        return self._run(self._says.look_up(target))

    def enrol(self, platform: str, code: str) -> dict[str, Any]:
        """Hand in the platform's first key with the code of its invitation."""
        return self._run(self._says.enrol(platform, code))

    def request(
        self, method: str, target: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request, again while the gateway is busy or out of reach; it may be sent more than once.

        Raises:
            RequestFailed: the gateway refused it.
            Unreachable: it never answered.
        """
        return self._run(self._says.request(method, target, content=content, headers=headers))

    @property
    def _says(self) -> Conversation:
        return Conversation(self.url, self.signer, self.now)

    def _run(self, exchange: Exchange[Result]) -> Result:
        try:
            step = next(exchange)
            while True:
                if isinstance(step, Pause):
                    self.pause(step.seconds)
                    step = next(exchange)
                    continue
                try:
                    answer = self.http.send(step.request)
                except httpx.TransportError as error:
                    step = exchange.throw(error)
                else:
                    step = exchange.send(Answer(answer.status_code, answer.headers, answer.content))
        except StopIteration as done:
            result: Result = done.value
            return result
