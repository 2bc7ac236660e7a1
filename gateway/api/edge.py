"""What every request passes on its way in and out: its name, its limits, its line in the log."""

import asyncio
import logging
import re
import secrets
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.parts import Limits, Measures
from gateway.api.problems import problem
from gateway.errors import GatewayError
from gateway.service.submitting.taking import Busy

__all__ = ["Edge", "Holding"]

DRAINED_BYTES: Final = 1 << 20  # of content that nobody wants, so that its sender reads why
DRAINED_SECONDS: Final = 1.0
SHOWN_UNTIL: Final = 200  # characters of a header that is written down
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACE: Final = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_logger = logging.getLogger("gateway.requests")


class Holding:
    """How many bytes of content one request holds, of those that all requests of a process may hold."""

    def __init__(self, budget: "_Budget") -> None:
        self._budget = budget
        self._held = 0

    def hold(self, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            Busy: the others hold too much.
        """
        if self._budget.free < size:
            raise Busy("the requests that are being answered hold all the memory that there is for them")
        self._budget.free -= size
        self._held += size

    def release(self) -> None:
        """Give back what is held."""
        self._budget.free += self._held
        self._held = 0


class _Budget:
    def __init__(self, free: int) -> None:
        self.free = free


class Edge:
    """The outermost layer of the interface.

    Each request gets an id, its own if it brings one; is counted and logged once it is answered; is turned
    away while too many are being answered. What is left of its content is read to its end, or the
    connection is closed: it never waits in memory.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, measures: Measures) -> None:
        self._app = app
        self._limits = limits
        self._measures = measures
        self._budget = _Budget(limits.held_bytes)
        self._answering = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = _given_id(scope) or secrets.token_hex(8)
        state["holding"] = Holding(self._budget)
        passing = _Passing(scope, receive, send=send)
        begun = time.monotonic()
        self._answering += 1
        try:
            if self._answering > self._limits.requests:
                busy = Busy("this process answers as many requests as it can")
                await _refuse(scope, passing, status=503, error=busy)
            else:
                await self._app(scope, passing.receive, passing.send)
        except Exception as error:
            _logger.error("unexpected error", exc_info=error, extra={"request_id": state["request_id"]})
            if not passing.status:
                told = GatewayError("something went wrong here; it was noted under this request's id")
                await _refuse(scope, passing, status=500, error=told)
        finally:
            self._answering -= 1
            state["holding"].release()
            self._write_down(scope, passing.status, seconds=time.monotonic() - begun)

    def _write_down(self, scope: Scope, status: int, *, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "")  # the path itself could name what nobody may read
        self._measures.answered(scope["method"], route or "other", status=status, seconds=seconds)
        facts = {
            "request_id": scope["state"]["request_id"],
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        facts |= {name: scope["state"][name] for name in ("platform", "operator") if name in scope["state"]}
        if trace := _TRACE.fullmatch(Headers(scope=scope).get("traceparent", "")[:SHOWN_UNTIL]):
            facts["trace_id"] = trace[1]
        _logger.info("answered", extra=facts)


class _Passing:
    """One request and its answer on their way through."""

    def __init__(self, scope: Scope, receive: Receive, *, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._name: str = scope["state"]["request_id"]
        headers = Headers(scope=scope)
        self._left = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._waited_for = headers.get("expect", "").lower() == "100-continue"
        self.status = 0

    async def receive(self) -> Message:
        """Pass a part of the content on."""
        self._waited_for = False
        message = await self._receive()
        self._left = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self._left and not self._waited_for:
                await self._drain()
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._name
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Cache-Control", "no-store")
            if self._left:
                headers["Connection"] = "close"
        await self._send(message)

    async def _drain(self) -> None:
        size = 0
        try:
            async with asyncio.timeout(DRAINED_SECONDS):
                while self._left and size <= DRAINED_BYTES:
                    size += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _given_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else ""


async def _refuse(scope: Scope, passing: _Passing, *, status: int, error: GatewayError) -> None:
    answer = problem(Request(scope), status, code=error.code, error=error)
    await answer(scope, passing.receive, passing.send)
