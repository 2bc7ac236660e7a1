"""Connections that nobody can hold for nothing: heads of bounded size and time, a bounded number of them.

uvicorn bounds none of these three; and what it answers to what is no HTTP is not a problem document.
"""

import asyncio
from functools import partial
from typing import Final

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

__all__ = ["HEAD_BYTES", "bounded_connection"]

HEAD_BYTES: Final = 64 * 1024  # a signed request has 2 KiB
_REASONS: Final = {
    400: ("malformed-document", "this is no HTTP", "Bad Request"),
    408: ("too-slow", "the head of the request does not come to its end", "Request Timeout"),
    431: ("too-large", f"the head of the request has more than {HEAD_BYTES} bytes", "Headers Too Large"),
    503: ("busy", "there are as many connections as this process keeps", "Service Unavailable"),
}


class _BoundedConnection(HttpToolsProtocol):
    """A connection whose every head has to come within some seconds and bytes."""

    def __init__(self, *args: object, most: int, seconds: float, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]  # uvicorn's own arguments, passed on
        self._most = most
        self._seconds = seconds
        self._in_head = False
        self._heads = 0
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._most:
            self._refuse(503)
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a head are counted, and time runs while no request is being answered."""
        if self.transport.is_closing():
            return
        heads = self._heads
        super().data_received(data)
        if self._in_head:
            self._head_bytes = 0 if self._heads != heads else self._head_bytes + len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431)
                return
        if self._in_head or not self._answering():
            self._expect_head()

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._in_head = True
        self._heads += 1

    def on_headers_complete(self) -> None:
        """End a head."""
        self._in_head = False
        self._cancel()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours says the same in a problem document
        """Refuse what is no HTTP."""
        self._refuse(400)

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is not None and not cycle.response_complete

    def _expect_head(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self._seconds, self._too_slow)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._answering() or self.transport.is_closing():
            return
        if self._in_head:
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        """Answer with a problem document, unless an answer is under way, and end the connection."""
        self._cancel()
        if not self._answering():
            self.transport.write(_refusal(status))
        self.transport.close()


def _refusal(status: int) -> bytes:
    code, detail, phrase = _REASONS[status]
    body = orjson.dumps(
        {
            "type": f"urn:tanqiao:problem:{code}",
            "title": phrase,
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": "",
            "retryable": status in (408, 503),
        }
    )
    head = (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def bounded_connection(most: int, seconds: float) -> "partial[_BoundedConnection]":
    """Return what makes the connections of one process: at most so many, heads within so many seconds."""
    return partial(_BoundedConnection, most=most, seconds=seconds)
