"""``/v1/operations``: how far submissions are, and what became of them."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, sender
from gateway.api.cursors import CURSOR, read_cursor, write_cursor
from gateway.api.ids import require_id
from gateway.api.parts import Reasons
from gateway.api.waiting import Waiting
from gateway.ports import Operation, OperationKind, OperationState, Platform
from gateway.service.converting.outcomes import submission_of

__all__ = ["OperationDocument", "answered", "explained", "operation_document", "router"]

router = APIRouter(prefix="/v1", tags=["operations"])
LINES_AT_ONCE: Final = 500
_WAIT: Final = re.compile(r"wait=([0-9]{1,3})")


class Outcome(BaseModel):
    """What became of one row of a request, counted from 1."""

    row: int
    outcome: Literal["accepted", "duplicate", "rejected"]
    record: str | None = Field(None, description="Id of the record it became or repeats.")
    batch: int | None = Field(None, description="Where the record is found quickly.")
    code: str | None = Field(None, description="Why it was rejected: docs/reference/rejections.md.")
    field: str | None = None
    detail: str | None = Field(
        None, description="Why in words; absent in lists, and once the person of the row was erased."
    )


class OperationDocument(BaseModel):
    """A submission and what became of it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    kind: OperationKind
    platform: str
    mapping: str | None = Field(None, description="Absent where nothing is converted.")
    state: OperationState
    created: str
    rows: int | None = Field(None, description="Rows of the request; absent for a file.")
    outcomes: list[Outcome] | None = Field(None, description="One for each row, once it is done.")
    summary: dict[str, Any] | None = Field(None, description="What became of a file, once it is done.")
    result: dict[str, Any] | None = Field(None, description="What a link or withdrawal has come to.")
    problem: dict[str, Any] | None = Field(None, description="Why it failed as a whole.")


class OperationList(BaseModel):
    """A page of operations, newest first."""

    operations: list[OperationDocument]
    next: str | None = Field(None, description="Cursor of the next page.")


async def explained(request: Request, operation: Operation) -> OperationDocument:
    """Return an operation as it is sent, with the reasons that the quarantine still has."""
    if not operation.result:
        return operation_document(operation)
    reasons = parts_of(request).reasons
    return await run_in_threadpool(lambda: operation_document(operation, reasons=reasons))


def operation_document(operation: Operation, *, reasons: Reasons | None = None) -> OperationDocument:
    """Return an operation; with ``reasons``, refused rows say why in words."""
    result = orjson.loads(operation.result) if operation.result else {}
    submission = result.pop("submission", "")
    refused = [one for one in result.get("outcomes", ()) if one["outcome"] == "rejected"]
    if reasons is not None and refused:
        said = reasons(submission)
        for one in refused:
            one["detail"] = said.get(operation.first_row + one["row"] - 1)
    if operation.state is OperationState.FAILED:
        result = {"problem": result}
    return OperationDocument(
        id=operation.id,
        platform=operation.platform,
        kind=operation.kind,
        mapping=operation.mapping or None,
        state=operation.state,
        created=operation.created,
        rows=operation.rows or None,
        **result,
    )


async def answered(
    request: Request, response: Response, *, operation: Operation, prefer: str
) -> OperationDocument:
    """Answer with an operation: 200 if it is done, after as long a wait as the request prefers, else 202."""
    operation = await _waited(request, operation, prefer=prefer)
    response.headers["Location"] = f"/v1/operations/{operation.id}"
    response.status_code = 200 if operation.result else 202
    return await explained(request, operation)


async def _waited(request: Request, operation: Operation, *, prefer: str) -> Operation:
    """Wait for an operation's result as long as the request prefers, within limits."""
    asked = _WAIT.search(prefer)
    if asked is None or operation.result:
        return operation
    seconds = min(int(asked[1]), parts_of(request).limits.wait_seconds)
    waiting: Waiting = request.app.state.waiting
    return await waiting.result(operation, seconds=seconds)


@router.get("/operations/{operation_id}", response_model=OperationDocument, response_model_exclude_none=True)
async def operation(
    request: Request, operation_id: str, platform: Annotated[Platform, Depends(sender)]
) -> OperationDocument:
    """Return one operation of the platform that asks."""
    require_id(operation_id, "operation")
    parts = parts_of(request)
    found = await run_in_threadpool(parts.submitting.own, platform.id, operation_id)
    return await explained(request, found)


@router.get(
    "/operations/{operation_id}/rejections",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
)
async def rejections(
    request: Request, operation_id: str, platform: Annotated[Platform, Depends(sender)]
) -> StreamingResponse:
    """Return which rows of a file were refused, and why: one JSON object a line, counted from 1.

    `row`, `code`, `field` and `detail`; `also` has the rows that were joined with it. There is no `detail`
    once the person of the row was erased.
    """
    require_id(operation_id, "operation")
    parts = parts_of(request)
    found = await run_in_threadpool(parts.submitting.own, platform.id, operation_id)
    lines = parts.rejections(submission_of(found))
    return StreamingResponse(_many_at_once(lines), media_type="application/x-ndjson")


def _many_at_once(lines: Iterator[bytes]) -> Iterator[bytes]:
    while some := b"".join(islice(lines, LINES_AT_ONCE)):
        yield some


@router.get("/operations", response_model=OperationList, response_model_exclude_none=True)
async def operations(
    request: Request,
    platform: Annotated[Platform, Depends(sender)],
    cursor: Annotated[str, Query(pattern=CURSOR, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OperationList:
    """List the operations of the platform that asks, newest first."""
    parts = parts_of(request)
    before = read_cursor(cursor)
    found = await run_in_threadpool(
        lambda: parts.operations.of_platform(platform.id, before=before, limit=limit + 1)
    )
    more = write_cursor(found[limit - 1].number) if len(found) > limit else None
    return OperationList(operations=[operation_document(one) for one in found[:limit]], next=more)
