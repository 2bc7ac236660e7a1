"""Read what requests carry, within limits of size and time, and hold it against its signed digest."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from gateway.api.parts import ApiParts, Limits
from gateway.api.problems import TooLarge, TooSlow
from gateway.ports import Platform
from gateway.signing import Message, RequestNotSigned

__all__ = [
    "message_of",
    "object_body",
    "parts_of",
    "read_document",
    "read_within",
    "require_digest",
    "sender",
    "signed_document",
    "slices",
]


def object_body(**members: str) -> dict[str, Any]:
    """Describe content that is an object of texts, all of them required."""
    schema = {
        "type": "object",
        "required": list(members),
        "additionalProperties": False,
        "properties": {name: {"type": "string", "description": words} for name, words in members.items()},
    }
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def parts_of(request: Request) -> ApiParts:
    """Return what the application was joined from."""
    parts: ApiParts = request.app.state.parts
    return parts


def message_of(request: Request) -> Message:
    """Return what a signature can cover of a request, as it arrived."""
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    path = request.scope["raw_path"].decode("ascii", "replace")
    query = request.scope["query_string"].decode("ascii", "replace")
    host = headers.get("host", "")
    url = f"{request.url.scheme}://{host}{path}" + (f"?{query}" if query else "")
    has_content = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return Message(request.method, url, headers, has_content=has_content)


async def sender(request: Request) -> Platform:
    """Admit a request without content; returns the platform that signed it."""
    platform, _ = await run_in_threadpool(parts_of(request).gatekeeper.admit, message_of(request))
    return platform


async def signed_document(request: Request) -> tuple[Platform, bytes]:
    """Admit a request and read its content into memory; returns the platform and the content."""
    parts = parts_of(request)
    platform, presented = await run_in_threadpool(parts.gatekeeper.admit, message_of(request))
    content = await read_document(request)
    require_digest(presented.content_sha256, hashlib.sha256(content).digest())
    return platform, content


async def read_document(request: Request) -> bytes:
    """Read content of bounded size within bounded time.

    Raises:
        TooLarge: there is more of it.
        TooSlow: it does not come to its end.
    """
    return await read_within(request, parts_of(request).limits)


async def read_within(request: Request, limits: Limits) -> bytes:
    """Read content within given limits; raises as :func:`read_document` does."""
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in slices(request, limits, most=limits.document_bytes):
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
    size = 0
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
        yield chunk


def require_digest(signed: bytes | None, found: bytes) -> None:
    """Refuse content that is not what was signed."""
    if signed is None or not hmac.compare_digest(signed, found):
        raise RequestNotSigned("the content is not the one whose digest was signed", field="Content-Digest")
