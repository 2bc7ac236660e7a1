"""The client that lets others go on while it waits: for services that run on asyncio."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx

from gateway.client.connection import TIMEOUT_SECONDS, this_second
from gateway.client.exchange import WAIT_SECONDS, Answer, Conversation, Exchange, Pause, Result
from gateway.signing import Signer

__all__ = ["AsyncGatewayClient"]


@dataclass(slots=True, kw_only=True)
class AsyncGatewayClient:
    """The twin of ``GatewayClient``: the same calls, each to be awaited. One client serves many tasks."""

    url: str
    signer: Signer | None = None
    now: Callable[[], datetime] = this_second
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=TIMEOUT_SECONDS))

    async def __aenter__(self) -> "AsyncGatewayClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def submit(
        self, mapping: str, acts: Iterable[Mapping[str, Any]], *, key: str = "", wait: int = WAIT_SECONDS
    ) -> dict[str, Any]:
        """Submit acts and return their operation, finished if that takes no longer than ``wait`` seconds."""
        return await self._run(self._says.submit(mapping, acts, key=key, wait=wait))

    async def upload(self, mapping: str, name: str, *, content: bytes, key: str = "") -> dict[str, Any]:
        """Upload a file and return its operation."""
        return await self._run(self._says.upload(mapping, name, content=content, key=key))

    async def finished(self, operation: str, *, seconds: float = 600) -> dict[str, Any]:
        """Wait until an operation is done or has failed, and return it.

        Raises:
            Unreachable: it is not done in this time; the same call goes on waiting.
        """
        return await self._run(self._says.finished(operation, seconds=seconds))

    async def rejections(self, operation: str) -> list[dict[str, Any]]:
        """Return which rows of an uploaded file were refused: ``row``, ``code``, ``field``, ``detail``."""
        return await self._run(self._says.rejections(operation))

    async def receipt(self, record: str, *, batch: int | None = None, disclose: Sequence[str] = ()) -> bytes:
        """Return the receipt of a record."""
        return await self._run(self._says.receipt(record, batch=batch, disclose=disclose))

    async def quote(
        self, destination: str, account: str, *, points: int | None = None, records: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Quote a move from an own account to another platform: points, or what is left of records."""
        return await self._run(self._says.quote(destination, account, points=points, records=records))

    async def transfer(self, transfer: Mapping[str, Any]) -> dict[str, Any]:
        """Move what was quoted: ``id``, ``quote`` and both accounts.

        Keep it before it is sent; the same again, also much later, gets the same answer.
        """
        return await self._run(self._says.transfer(transfer))

    async def quotes(self, wishes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Quote several moves under one signature.

        A wish has ``destination``, ``account``, and ``points`` or ``records``. Each outcome has ``status``
        and ``document``: a quote, or why there is none.
        """
        return await self._run(self._says.quotes(wishes))

    async def transfers(self, transfers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Move several things that were quoted, as :meth:`transfer` does, under one signature.

        Each outcome has ``id``, ``status`` and ``document``: the answer, or why there is none.
        """
        return await self._run(self._says.transfers(transfers))

    async def answers(self, answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Say what came of messages that were answered with 202, each for itself.

        An answer has ``transfer``, ``about``, ``digest``, ``outcome``, and ``code`` where that is `refused`.
        """
        return await self._run(self._says.answers(answers))

    async def publish_mapping(self, publication: bytes, *, token: str = "") -> dict[str, Any]:
        """Hand in a mapping version with signatures of its maintainers, and return how far it is.

        It is what `tanqiao mapping sign` writes. With a coordinator's token any mapping, else an own one.
        """
        return await self._run(self._says.publish_mapping(publication, token=token))

    async def waiting_mappings(self, *, token: str = "") -> list[dict[str, Any]]:
        """Return the versions that wait for signatures: with a coordinator's token all, else own ones."""
        return await self._run(self._says.waiting_mappings(token=token))

    async def withdraw_mapping(self, digest: str, *, token: str = "") -> dict[str, Any]:
        """Take back a version that was handed in the same way and that not enough have signed, for good."""
        return await self._run(self._says.withdraw_mapping(digest, token=token))

    async def published(self, digest: str, *, seconds: float = 60) -> dict[str, Any]:
        """Return how far a version is, once it waits for nobody but the gateway, or the time is over."""
        return await self._run(self._says.published(digest, seconds=seconds))

    async def look_up(self, target: str) -> dict[str, Any]:
        """Return what stands at an address, such as ``/v1/transfers/ID`` or ``/v1/positions``."""
        return await self._run(self._says.look_up(target))

    async def enrol(self, platform: str, code: str) -> dict[str, Any]:
        """Hand in the platform's first key with the code of its invitation."""
        return await self._run(self._says.enrol(platform, code))

    async def request(
        self, method: str, target: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request, again while the gateway is busy or out of reach; it may be sent more than once.

        Raises:
            RequestFailed: the gateway refused it.
            Unreachable: it never answered.
        """
        return await self._run(self._says.request(method, target, content=content, headers=headers))

    @property
    def _says(self) -> Conversation:
        return Conversation(self.url, self.signer, self.now)

    async def _run(self, exchange: Exchange[Result]) -> Result:
        try:
            step = next(exchange)
            while True:
                if isinstance(step, Pause):
                    await self.pause(step.seconds)
                    step = next(exchange)
                    continue
                try:
                    answer = await self.http.send(step.request)
                except httpx.TransportError as error:
                    step = exchange.throw(error)
                else:
                    step = exchange.send(Answer(answer.status_code, answer.headers, answer.content))
        except StopIteration as done:
            result: Result = done.value
            return result
