"""``/v1/acts`` and ``/v1/files``: submissions of a platform, each an operation."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, require_digest, sender_of_content, signed_document, slices
from gateway.api.forms import MAPPING
from gateway.api.operations import OperationDocument, answered, explained
from gateway.api.rows import NDJSON, is_ndjson, lines_of, read_acts
from gateway.api.together import Together
from gateway.api.traced import traceparent
from gateway.errors import GatewayError, NotFound
from gateway.ports import Operation, Platform
from gateway.service.submitting.taking import ROWS_MAX, RowsSent
from gateway.signing import Presented

__all__ = ["IdempotencyKey", "Prefer", "router"]

router = APIRouter(prefix="/v1", tags=["acts"])
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="Visible ASCII. Repeats of a key get the first answer.",
        pattern="^[!-~]{1,128}$",
    ),
]
Mapping = Annotated[str, Query(description="Such as cn-420100/wuhan/travel.", max_length=200)]
MappingOfLines = Annotated[
    str,
    Query(description="Of NDJSON, which cannot name it. JSON names it in its content.", max_length=200),
]
Prefer = Annotated[
    str, Header(alias="Prefer", description="`wait=10` waits so many seconds for the outcomes.")
]
FileName = Annotated[
    str,
    Query(
        description="The file's name, as it is to stand in places.",
        pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$",
        examples=["trips.ndjson.gz"],
    ),
]
_ACTS_BODY: Final = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["mapping", "acts"],
                "additionalProperties": False,
                "properties": {
                    "mapping": MAPPING,
                    "acts": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": ROWS_MAX,
                        "items": {
                            "type": "object",
                            "additionalProperties": True,
                            "description": "A row as the platform writes it.",
                        },
                    },
                },
            },
            "example": {
                "mapping": "cn-420100/wuhan/travel",
                "acts": [
                    {
                        "trip_id": "WH-1",
                        "user_id": "u-1",
                        "trip_type": "metro",
                        "start_time": "2025-03-16T08:00:00+08:00",
                        "distance_km": "10.574",
                    }
                ],
            },
        },
        "application/x-ndjson": {"schema": NDJSON},
    },
}
_FILE_BODY: Final = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}}
    },
}


@router.post(
    "/acts",
    status_code=202,
    response_model=OperationDocument,
    response_model_exclude_none=True,
    responses={200: {"model": OperationDocument, "description": "Done already."}},
    openapi_extra={"requestBody": _ACTS_BODY},
)
async def submit_acts(
    request: Request,
    response: Response,
    key: IdempotencyKey,
    sent: Annotated[tuple[Platform, bytes], Depends(signed_document)],
    mapping: MappingOfLines = "",
    prefer: Prefer = "",
) -> OperationDocument:
    """Submit one act or many: JSON with `mapping` and `acts`, or NDJSON with `?mapping=`.

    The answer names an operation. Its outcomes tell for each row which record it became, which record it
    repeats, or why it was refused; the good rows of a request do not wait for the bad ones.
    """
    platform, content = sent
    if not is_ndjson(request):
        wanted, rows = read_acts(content)
    elif mapping:
        wanted, rows = mapping, lines_of(content)
    else:
        raise NotFound("rows as NDJSON name their mapping by `?mapping=`", field="/query/mapping")
    submitting: Together[RowsSent, Operation] = request.app.state.submitting
    operation = await submitting(RowsSent(platform.id, key, wanted, rows, traceparent()))
    return await answered(request, response, operation=operation, prefer=prefer)


@router.post(
    "/files",
    status_code=202,
    response_model=OperationDocument,
    response_model_exclude_none=True,
    openapi_extra={"requestBody": _FILE_BODY},
)
async def upload_file(
    request: Request,
    response: Response,
    key: IdempotencyKey,
    mapping: Mapping,
    name: FileName,
    admitted: Annotated[tuple[Platform, Presented], Depends(sender_of_content)],
) -> OperationDocument:
    """Upload a file as it is: CSV, NDJSON or Parquet, plain, .gz or .zst; the mapping says how to read it."""
    parts = parts_of(request)
    platform, presented = admitted
    await run_in_threadpool(parts.submitting.require_own, platform.id, mapping)
    await run_in_threadpool(parts.submitting.require_room)
    operation_id = parts.submitting.new_id()
    with parts.uploading(operation_id) as upload:
        async for chunk in slices(request, parts.limits, most=parts.limits.file_bytes):
            await run_in_threadpool(upload.write, chunk)
        require_digest(presented.content_sha256, upload.sha256)
        upload.whole = True

    def submit() -> Operation:
        try:
            kept = parts.submitting.submit_file(
                platform.id, key, operation_id=operation_id, sha256=upload.sha256, mapping=mapping, name=name
            )
        except GatewayError:
            parts.drop_upload(operation_id)
            raise
        if kept.id != operation_id:  # the file was here before
            parts.drop_upload(operation_id)
        return kept

    operation = await run_in_threadpool(submit)
    response.headers["Location"] = f"/v1/operations/{operation.id}"
    return await explained(request, operation)
