"""A load on an HTTP service: requests made and signed beforehand, sent over connections that stay open.

The requests are sent as bytes, so that the sender takes little of the machine that it shares with what is
measured; their signatures cost the platforms, not the gateway.
"""

import asyncio
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import uvloop

from gateway.signing import Message, Signer, content_digest, sign_request

__all__ = ["Answered", "percentile", "read_answer", "send_all", "signed"]


class Answered(NamedTuple):
    """What a load met: answers by status, milliseconds of each, seconds of all, the last content."""

    statuses: dict[int, int]
    ms: list[float]
    seconds: float
    last: bytes


def signed(
    url: str, content: bytes, *, signer: Signer, content_type: str = "application/json", key: str = ""
) -> bytes:
    """Return a signed POST as it goes over the wire."""
    parts = urlsplit(url)
    headers = {
        "host": parts.netloc,
        "content-type": content_type,
        "idempotency-key": key or secrets.token_urlsafe(16),
        "content-digest": content_digest(content),
        "content-length": str(len(content)),
    }
    message = Message("POST", url, headers, has_content=True)
    now = datetime.now(UTC).replace(microsecond=0)
    headers |= sign_request(message, signer, created=now, nonce=secrets.token_urlsafe(16))
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {target} HTTP/1.1\r\n{head}\r\n".encode() + content


def send_all(port: int, requests: Sequence[bytes], *, connections: int, every: float = 0.0) -> Answered:
    """Send requests over so many connections, each the next one as soon as it is answered.

    ``every``: so many seconds lie between two requests, and the time of each runs from when it was due,
    so that one that is late because those before it took long counts as slow.
    """
    return uvloop.run(_send_all(port, requests, connections=connections, every=every))


async def _send_all(port: int, requests: Sequence[bytes], *, connections: int, every: float) -> Answered:
    answered = Answered({}, [], 0.0, b"")
    started = time.perf_counter()
    due = ((started + number * every, request) for number, request in enumerate(requests))
    lasts = await asyncio.gather(*(_send_in_turn(port, due, answered=answered) for _ in range(connections)))
    return answered._replace(seconds=time.perf_counter() - started, last=max(lasts)[1])


async def _send_in_turn(
    port: int, waiting: Iterator[tuple[float, bytes]], *, answered: Answered
) -> tuple[float, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    content = b""
    begun = time.perf_counter()
    for due, request in waiting:
        early = due - time.perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        started = due if due > begun else time.perf_counter()
        writer.write(request)
        status, content = await read_answer(reader)
        answered.ms.append((time.perf_counter() - started) * 1000)
        answered.statuses[status] = answered.statuses.get(status, 0) + 1
    writer.close()
    return time.perf_counter(), content


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer: its status and its content."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


def percentile(ms: Sequence[float], part: int) -> float:
    """Return the time within which so many of a hundred were answered."""
    return sorted(ms)[min(len(ms) - 1, len(ms) * part // 100)]
