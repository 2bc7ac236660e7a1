"""``/v1/mappings``: every mapping version by its digest, what it makes of rows, what another one changes."""

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final, Literal, TypeVar

import anyio.to_thread
import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, read_document
from gateway.api.ids import require_digest_name
from gateway.api.rows import NDJSON, in_one_line, is_ndjson, lines_of, read_sample
from gateway.convert import Program
from gateway.errors import UsageError
from gateway.service.mappings.trying import SAMPLE_ROWS_MAX

__all__ = ["router"]

T = TypeVar("T")
router = APIRouter(prefix="/v1/mappings", tags=["public", "mappings"])
IMMUTABLE: Final = "public, max-age=31536000, immutable"
_CANONICAL: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}},
    304: {"description": "Known already."},
}
_ROW: Final = {
    "type": "object",
    "description": "A row as the platform writes it; of a table, the names of columns with their texts.",
}
_EXAMPLE: Final = {
    "trip_id": "WH-1",
    "user_id": "u-1",
    "trip_type": "metro",
    "start_time": "2025-03-16T08:00:00+08:00",
    "distance_km": "10.574",
}
_ROW_BODY: Final = {
    "required": True,
    "content": {"application/json": {"schema": _ROW, "example": _EXAMPLE}},
}
_ROWS_BODY: Final = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["acts"],
                "additionalProperties": False,
                "properties": {
                    "acts": {"type": "array", "minItems": 1, "maxItems": SAMPLE_ROWS_MAX, "items": _ROW}
                },
            },
            "example": {"acts": [_EXAMPLE]},
        },
        "application/x-ndjson": {"schema": NDJSON},
    },
}
Day = Annotated[
    Annotated[str, Field(json_schema_extra={"format": "date"})] | SkipJsonSchema[None],
    Query(description="The day of publication; today if absent."),
]


class MappingEntry(BaseModel):
    """A mapping version; its document is at `/v1/mappings/{digest}`."""

    id: str
    version: int
    digest: str
    status: str = Field(description="`press` and `unpublished` say that no authority has confirmed it.")
    platform: str
    behaviours: list[str] = Field(description="Kinds of act that it has figures for.")
    effective_from: date
    effective_until: date | None = Field(description="The first day that it does not cover.")


class MappingList(BaseModel):
    """Mapping versions of this gateway."""

    mappings: list[MappingEntry]


class TriedRow(BaseModel):
    """What a row would become, before caps and claims. Amounts are decimal integers."""

    row: int = Field(description="Counted from 1.")
    also: list[int] | None = Field(None, description="Rows that went into the same act.")
    outcome: Literal["counted", "rejected", "repeated"]
    co2e_mg: str | None = None
    points: str | None = None
    findings: list[str] | None = Field(None, description="Rules that hold the act for implausible.")
    code: str | None = Field(None, description="Why it was rejected: docs/reference/rejections.md.")
    field: str | None = None
    detail: str | None = None
    repeats: int | None = Field(None, description="The row that it states again.")


class DryRun(BaseModel):
    """What a sample would become by one version; nothing of it was kept."""

    mapping: str
    version: int
    digest: str
    counted: int
    rejected: int
    outcomes: list[TriedRow]


class ExplainedLine(BaseModel):
    """One sentence of an explanation, with what it is about."""

    kind: str
    name: str
    text: str


class ExplainedRow(BaseModel):
    """Every number of one row from the source to the result, before caps and claims."""

    mapping: str
    version: int
    digest: str
    outcome: Literal["counted", "rejected"]
    co2e_mg: str | None = None
    points: str | None = None
    findings: list[str] | None = None
    code: str | None = None
    field: str | None = None
    detail: str | None = None
    zh: list[ExplainedLine] | None = Field(None, description="Absent where the row cannot be taken apart.")
    en: list[ExplainedLine] | None = None


@router.get("", response_model=MappingList)
async def mappings(
    request: Request,
    platform: Annotated[str, Query(max_length=200)] = "",
    behaviour: Annotated[str, Query(max_length=64)] = "",
    status: Annotated[str, Query(max_length=32)] = "",
) -> MappingList:
    """List the mapping versions of this gateway: of one platform, behaviour or status, or all."""
    return MappingList(
        mappings=[
            MappingEntry(
                id=one.id,
                version=one.version,
                digest="sha256:" + one.digest,
                status=one.status,
                platform=one.platform,
                behaviours=list(one.behaviours),
                effective_from=one.effective_from,
                effective_until=one.effective_until,
            )
            for one in await run_in_threadpool(parts_of(request).trying.programs)
            if platform in ("", one.platform)
            and behaviour in ("", *one.behaviours)
            and status in ("", one.status)
        ]
    )


@router.get("/{digest}", response_class=Response, responses=_CANONICAL)
async def mapping(request: Request, digest: str) -> Response:
    """Return the canonical document of a mapping version: the bytes whose SHA-256 is the digest."""
    program = await _program(request, digest)
    return _cached(request, program.canonical, etag=program.digest, cache=IMMUTABLE)


@router.post(
    "/{digest}/explain",
    response_model=ExplainedRow,
    response_model_exclude_none=True,
    openapi_extra={"requestBody": _ROW_BODY},
)
async def explain_row(request: Request, digest: str) -> dict[str, object]:
    """Explain one row by one version: each figure with its source, each step with its rounding."""
    trying, program = parts_of(request).trying, await _program(request, digest)
    content = await _sample(request)
    named = {"mapping": program.id, "version": program.version, "digest": "sha256:" + program.digest}
    return named | await _tried(request, lambda: trying.explanation(program, in_one_line(content)))


@router.post(
    "/{digest}/dry-run",
    response_model=DryRun,
    response_model_exclude_none=True,
    openapi_extra={"requestBody": _ROWS_BODY},
)
async def dry_run(request: Request, digest: str) -> dict[str, object]:
    """Try one version on a sample: what each row would become, before caps and claims; nothing is kept."""
    trying, program = parts_of(request).trying, await _program(request, digest)
    content = await _sample(request)
    rows = lines_of(content) if is_ndjson(request) else read_sample(content)
    outcomes = await _tried(request, lambda: trying.outcomes(program, rows))
    ends = [one["outcome"] for one in outcomes]
    return {
        "mapping": program.id,
        "version": program.version,
        "digest": "sha256:" + program.digest,
        "counted": ends.count("counted"),
        "rejected": ends.count("rejected"),
        "outcomes": outcomes,
    }


@router.get("/{digest}/diff/{other}", response_class=Response, responses=_CANONICAL)
async def diff(
    request: Request,
    digest: str,
    *,
    other: str,
    as_of: Day = None,
) -> Response:
    """Say by meaning what a version changes: each change editorial, forward-only or retroactive."""
    parts = parts_of(request)
    old, new = await _program(request, digest), await _program(request, other)
    day = parts.clock.now().date() if as_of is None else _day(as_of)
    content = orjson.dumps(await _tried(request, lambda: parts.trying.diff(old, new, day)))
    etag = hashlib.sha256(content).hexdigest()
    return _cached(request, content, etag=etag, cache=IMMUTABLE if as_of else "no-cache")


async def _program(request: Request, digest: str) -> Program:
    require_digest_name(digest)
    return await run_in_threadpool(parts_of(request).trying.program, digest)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # weeks, and days without hyphens, are taken too
        raise UsageError("expected a day such as 2026-01-31", field="/query/as_of")
    return day


def _cached(request: Request, content: bytes, *, etag: str, cache: str) -> Response:
    headers = {"ETag": f'"{etag}"', "Cache-Control": cache}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


async def _sample(request: Request) -> bytes:
    return await read_document(request, most=parts_of(request).limits.sample_bytes)


async def _tried(request: Request, work: Callable[[], T]) -> T:
    """Compute for somebody unknown: few at a time, so that nobody who submits waits for it."""
    return await anyio.to_thread.run_sync(work, limiter=request.app.state.trying)
