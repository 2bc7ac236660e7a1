"""A witness over HTTP (C2SP tlog-witness): ``add-checkpoint``, and the newest cosigned checkpoints."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter, FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import read_within
from gateway.api.parts import Limits
from gateway.api.problems import install, status_of
from gateway.errors import NotFound
from gateway.transparency import WITNESS_REQUEST_BYTES_MAX, StaleOldSize

__all__ = ["WitnessParts", "witness_application"]

router = APIRouter()
SECONDS: Final = 20  # a request has some kilobytes
_ORIGIN_HASH: Final = re.compile(r"[0-9a-f]{64}")
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessParts:
    """What answers: ``cosign`` takes a request's bytes, ``cosigned`` the hash of an origin."""

    cosign: Callable[[bytes], bytes]
    cosigned: Callable[[str], bytes]
    limits: Limits = field(
        default_factory=lambda: Limits(
            document_bytes=WITNESS_REQUEST_BYTES_MAX, idle_seconds=SECONDS, body_seconds=SECONDS
        )
    )


def witness_application(parts: WitnessParts) -> FastAPI:
    """Return a witness's interface."""
    api = FastAPI(title="Tanqiao witness", openapi_url=None, docs_url=None, redoc_url=None)
    api.state.witness = parts
    install(api)

    @api.exception_handler(StaleOldSize)
    async def stale(_request: Request, error: StaleOldSize) -> Response:
        headers = {"Content-Type": "text/x.tlog.size"}  # exactly, without a charset
        return Response(f"{error.size}\n".encode(), status_of(error), headers)

    api.include_router(router)
    return api


@router.post("/add-checkpoint")
async def add_checkpoint(request: Request) -> Response:
    """Cosign a checkpoint that continues the log."""
    parts: WitnessParts = request.app.state.witness
    content = await read_within(request, parts.limits)
    return Response(await run_in_threadpool(parts.cosign, content), media_type=_TEXT)


@router.get("/{origin_hash}/checkpoint")
async def checkpoint(request: Request, origin_hash: str) -> Response:
    """Return the newest checkpoint that was cosigned of a log."""
    parts: WitnessParts = request.app.state.witness
    known = _ORIGIN_HASH.fullmatch(origin_hash)
    note = await run_in_threadpool(parts.cosigned, origin_hash) if known else b""
    if not note:
        raise NotFound("no checkpoint of such a log was ever cosigned here")
    return Response(note, media_type=_TEXT, headers={"Cache-Control": "no-cache"})
