"""Read what requests carry, within limits of size and time, and hold it against its signed digest."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.api.parts import ApiParts, Limits
from gateway.api.problems import TooLarge, TooSlow
from gateway.api.together import Together
from gateway.ports import Platform
from gateway.service.access.onboarding import Admitted
from gateway.signing import Message, Presented, RequestNotSigned, arrived_message

__all__ = [
    "message_of",
    "parts_of",
    "read_document",
    "read_within",
    "require_digest",
    "sender",
    "sender_of_content",
    "signed_document",
    "slices",
]


def parts_of(request: Request) -> ApiParts:
    """Return what the application was joined from."""
    parts: ApiParts = request.app.state.parts
    return parts


def message_of(request: Request) -> Message:
    """Return what a signature can cover of a request, as it arrived."""
    scope = request.scope
    return arrived_message(
        request.method,
        request.url.scheme,
        path=scope["raw_path"],
        query=scope["query_string"],
        headers=request.headers.items(),
    )


async def sender(request: Request) -> Platform:
    """Admit a request without content; returns the platform that signed it."""
    platform, _ = await sender_of_content(request)
    return platform


async def sender_of_content(request: Request) -> tuple[Platform, Presented]:
    """Admit a request whose content is still to come: the one place where a signature tells a platform.

    What was signed says which content must come.
    """
    admitting: Together[Message, Admitted] = request.app.state.admitting
    platform, presented = await admitting(message_of(request))
    request.state.platform = platform.id
    return platform, presented


async def signed_document(request: Request) -> tuple[Platform, bytes]:
    """Admit a request and read its content into memory; returns the platform and the content."""
    platform, presented = await sender_of_content(request)
    content = await read_document(request)
    require_digest(presented.content_sha256, hashlib.sha256(content).digest())
    return platform, content


async def read_document(request: Request, *, most: int | None = None) -> bytes:
    """Read content of bounded size within bounded time, as long as there is memory for it.

    Raises:
        TooLarge: there is more of it.
        TooSlow: it does not come to its end.
        Busy: other requests hold all the memory that there is for contents.
    """
    limits = parts_of(request).limits
    if most is not None:
        limits = replace(limits, document_bytes=most)
    return await read_within(request, limits, hold=request.state.holding.hold)


async def read_within(
    request: Request, limits: Limits, *, hold: Callable[[int], None] = lambda _: None
) -> bytes:
    """Read content within given limits; ``hold`` is told of each piece and may refuse it.

    Raises:
        TooLarge: there is more of it.
        TooSlow: it does not come to its end.
    """
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in slices(request, limits, most=limits.document_bytes):
                hold(len(chunk))
                chunks.append(chunk)
    except TimeoutError as error:
        raise TooSlow(f"the content took more than {limits.body_seconds} seconds") from error
    return b"".join(chunks)


async def slices(request: Request, limits: Limits, *, most: int) -> AsyncIterator[bytes]:
    """Yield content as it comes; a pause that is too long or a byte too much ends it."""
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > most:
        raise TooLarge(f"the content has {stated} bytes, at most {most} are taken")
    stream = request.stream().__aiter__()
    size, begun = 0, time.monotonic()
    while True:
        try:
            async with asyncio.timeout(limits.idle_seconds):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise TooSlow(f"nothing came for {limits.idle_seconds} seconds") from error
        except ClientDisconnect as error:
            raise TooSlow("the connection ended before the content did") from error
        size += len(chunk)
        if size > most:
            raise TooLarge(f"the content has more than {most} bytes")
        if time.monotonic() - begun > limits.body_seconds + size / limits.bytes_per_second:
            raise TooSlow(f"the content comes at less than {limits.bytes_per_second} bytes a second")
        yield chunk


def require_digest(signed: bytes | None, found: bytes) -> None:
    """Refuse content that is not what was signed."""
    if signed is None:
        raise RequestNotSigned("the signature covers no digest of the content", field="Content-Digest")
    if not hmac.compare_digest(signed, found):
        raise RequestNotSigned("the content is not the one whose digest was signed", field="Content-Digest")
