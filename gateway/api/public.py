"""What everybody may read: health, day statements, the transparency log."""

from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of
from gateway.api.parts import WITNESSED, WITNESSED_HEADER
from gateway.errors import NotFound
from gateway.model.strict import read_strict_object
from gateway.transparency import read_tile_name

__all__ = ["router"]

router = APIRouter(tags=["public"])
IMMUTABLE: Final = "public, max-age=31536000, immutable"
FRESH: Final = "no-cache"


_TEXT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}
_CHECKPOINT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": WITNESSED, "content": {"text/plain": {"schema": {"type": "string"}}}}
}
_BYTES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


class Health(BaseModel):
    """Whether this process answers, and for which gateway."""

    status: str
    issuer: str
    origin: str


class Readiness(BaseModel):
    """Whether submissions would be converted now, and what is missing for that."""

    ready: bool
    missing: list[str]
    warnings: list[str] = Field(description="For operators: a quorum of witnesses that is missing, and why.")


class StatementList(BaseModel):
    """Day statements as they stand in the log: signed envelopes."""

    statements: list[dict[str, Any]]


@router.get("/v1/health", response_model=Health)
async def health(request: Request) -> Health:
    """Tell that this process answers."""
    parts = parts_of(request)
    return Health(status="ok", issuer=parts.issuer, origin=parts.origin)


@router.get("/v1/ready", response_model=Readiness, responses={503: {"model": Readiness}})
async def ready(request: Request) -> JSONResponse:
    """Tell whether submissions would be converted now, for load balancers; `warnings` are for operators."""
    parts = parts_of(request)

    def told() -> tuple[list[str], list[str]]:
        return [*parts.ready(), *parts.quorum.stopped()], parts.quorum.warnings()

    missing, warnings = await run_in_threadpool(told)
    body = {"ready": not missing, "missing": missing, "warnings": warnings}
    return JSONResponse(body, 503 if missing else 200)


@router.get("/v1/metrics", response_class=Response, responses=_TEXT)
async def metrics(request: Request) -> Response:
    """Return the figures of this gateway in the text format of Prometheus, if its operator shows them."""
    text = await run_in_threadpool(parts_of(request).measures.text)
    if text is None:
        raise NotFound("this gateway shows no figures", remedy="its operator sets TANQIAO_METRICS=on")
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/v1/statements", response_model=StatementList)
async def statements(
    request: Request,
    platform: Annotated[str, Query(max_length=200)],
    day: Annotated[str, Query(pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", examples=["2025-03-16"])] = "",
) -> StatementList:
    """Return a platform's day statements, those of one day if named."""
    parts = parts_of(request)

    def found() -> list[dict[str, Any]]:
        closed = parts.journal.days_closed(platform)
        chosen = [one.position for one in closed if not day or one.day == day]
        log = parts.log()
        return [dict(read_strict_object(log.entry(position))) for position in chosen if position < log.size]

    return StatementList(statements=await run_in_threadpool(found))


@router.get("/log/checkpoint", response_class=Response, responses=_CHECKPOINT)
async def checkpoint(request: Request) -> Response:
    """Return the newest checkpoint of the log (C2SP tlog-tiles) with the cosignatures that it has so far."""
    parts = parts_of(request)

    def made() -> tuple[bytes, bool]:
        note = parts.checkpoint()
        return note, bool(note) and parts.witnessed(note)

    note, witnessed = await run_in_threadpool(made)
    if not note:
        raise NotFound("this log has no checkpoint yet", remedy="wait for the first entry")
    headers = {"Cache-Control": FRESH, WITNESSED_HEADER: str(witnessed).lower()}
    return Response(note, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/log/tile/{path:path}", response_class=Response, responses=_BYTES)
async def tile(request: Request, path: str) -> Response:
    """Return a tile of the log (C2SP tlog-tiles); a tile never changes."""
    name = read_tile_name(f"tile/{path}")
    if name is None:
        raise NotFound("that is no name of a tile", remedy="C2SP tlog-tiles says how tiles are named")
    return _file(parts_of(request).log_folder / name.path, media="application/octet-stream", cache=IMMUTABLE)


def _file(path: Path, *, media: str, cache: str) -> Response:
    if not path.is_file():
        raise NotFound("this log has no such file (yet)", remedy="read /log/checkpoint first")
    return FileResponse(path, media_type=media, headers={"Cache-Control": cache})
