"""A signing side-car: clients that cannot sign speak to it in the clear, it signs and passes on.

Whoever reaches it speaks as the platform, so it belongs beside the client, on its own loopback.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.signing import Message, Signer, content_digest, sign_request

__all__ = ["signing_proxy"]

CONTENT_MAX: Final = 256 * 1024 * 1024  # held in memory, for its digest goes ahead of it
TIMEOUT_SECONDS: Final = 60
_METHODS: Final = ["GET", "POST", "PUT", "DELETE", "PATCH"]
_OF_THE_CONNECTION: Final = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer"}
    | {"transfer-encoding", "upgrade"}
)
_SIGNATURE: Final = frozenset({"signature", "signature-input", "content-digest"})


def signing_proxy(url: str, signer: Signer, *, now: Callable[[], datetime]) -> Starlette:
    """Return an application that signs each request and sends it to a gateway.

    Args:
        url: the gateway's address; only this is ever spoken to.
        signer: the platform's key.
        now: the clock.
    """

    @asynccontextmanager
    async def connected(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as http:
            app.state.http = http
            yield

    async def forward(request: Request) -> Response:
        content = await _content(request)
        if content is None:
            return _problem(413, "too-large", detail=f"the content has more than {CONTENT_MAX} bytes")
        path = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        headers = [
            (name, value)
            for name, value in request.headers.items()
            if name not in _OF_THE_CONNECTION and name not in _SIGNATURE
        ]
        http: httpx.AsyncClient = request.app.state.http
        outgoing = http.build_request(
            request.method,
            url.rstrip("/") + path + (f"?{query}" if query else ""),
            content=content or None,
            headers=headers,
        )
        _sign(outgoing, content, signer=signer, created=now())
        try:
            answer = await http.send(outgoing)
        except httpx.TransportError as error:
            return _problem(502, "unreachable", detail=f"the gateway does not answer: {type(error).__name__}")
        dropped = _OF_THE_CONNECTION | {"content-encoding"}  # the content is decoded already
        passed = {name: value for name, value in answer.headers.items() if name not in dropped}
        return Response(answer.content, answer.status_code, passed)

    return Starlette(routes=[Route("/{path:path}", forward, methods=_METHODS)], lifespan=connected)


def _sign(request: httpx.Request, content: bytes, *, signer: Signer, created: datetime) -> None:
    if content:
        request.headers["content-digest"] = content_digest(content)
        request.headers.setdefault("content-type", "application/octet-stream")
    message = Message(
        request.method,
        str(request.url),
        {name.lower(): value for name, value in request.headers.items()},
        has_content=bool(content),
    )
    nonce = secrets.token_urlsafe(16)
    request.headers.update(sign_request(message, signer, created=created, nonce=nonce))


async def _content(request: Request) -> bytes | None:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > CONTENT_MAX:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _problem(status: int, code: str, *, detail: str) -> JSONResponse:
    kind = f"urn:tanqiao:problem:{code}"
    body = {"type": kind, "title": detail, "status": status, "code": code, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")
