"""``/v1/records`` and ``/v1/receipts``: a platform's own records, and proofs that anybody can verify."""

from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.concurrency import run_in_threadpool

from gateway.api.acts import IdempotencyKey, Prefer
from gateway.api.bodies import parts_of, sender, signed_document
from gateway.api.forms import Form
from gateway.api.ids import require_id
from gateway.api.operations import OperationDocument, answered
from gateway.api.parts import WITNESSED, WITNESSED_HEADER, ApiParts
from gateway.errors import UsageError
from gateway.ports import Operation, Platform
from gateway.service.access.rules import own
from gateway.service.converting.outcomes import find_event, records_in
from gateway.service.receipts.proving import BatchProofs, FoundRecord, find_record, receipt_with
from gateway.transparency import read_proof

__all__ = ["router"]

INTEGER_MAX: Final = 2**53 - 1  # what every JSON reader can hold
router = APIRouter(prefix="/v1", tags=["records"])
Batch = Annotated[
    Annotated[int, Field(ge=0, le=INTEGER_MAX)] | SkipJsonSchema[None],
    Query(description="The batch that an outcome names: it is found at once."),
]
Event = Annotated[
    str, Query(max_length=1024, description="Where several columns name an event: their JSON list.")
]
Disclose = Annotated[list[Literal["event", "subject"]], Query(description="Commitments to open.")]


_WITHDRAWAL: Final = Form(
    batch={"type": "integer", "minimum": 0, "maximum": INTEGER_MAX, "description": "The record's batch."}
)


class RecordDocument(BaseModel):
    """A conversion record, and until when its points hold."""

    record: dict[str, Any]
    batch: int
    expires: str | None


class RecordPlace(BaseModel):
    """A record's id and its batch: `/v1/records/{id}?batch=` returns it."""

    id: str
    batch: int


class RecordList(BaseModel):
    """The records of one operation or of one event."""

    records: list[RecordPlace]


@router.get("/records", response_model=RecordList)
async def records(
    request: Request,
    platform: Annotated[Platform, Depends(sender)],
    event: Event = "",
    operation: Annotated[str, Query(max_length=64, description="An operation that submitted rows.")] = "",
) -> RecordList:
    """Find the platform's records by its own id of an event, or by the operation that submitted them."""
    parts = parts_of(request)
    if bool(event) is bool(operation):
        raise UsageError("expected either `event` or `operation`", field="/query")

    def found() -> list[tuple[str, int]]:
        if operation:
            return records_in(parts.submitting.own(platform.id, operation))
        return find_event(
            platform.id, event, index=parts.index(), journal=parts.journal, records=parts.records
        )

    places = await run_in_threadpool(found)
    return RecordList(records=[RecordPlace(id=name, batch=batch) for name, batch in places])


@router.get("/records/{record_id}", response_model=RecordDocument)
async def record(
    request: Request, record_id: str, platform: Annotated[Platform, Depends(sender)], batch: Batch = None
) -> RecordDocument:
    """Return a record of the platform that asks."""
    found = await run_in_threadpool(_own, parts_of(request), platform, record_id=record_id, batch=batch)
    expires = None if found.expires is None else found.expires.isoformat()
    return RecordDocument(record=dict(found.document), batch=found.batch.number, expires=expires)


@router.get(
    "/receipts/{record_id}",
    response_class=Response,
    responses={
        200: {
            "headers": WITNESSED,
            "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}},
        }
    },
)
async def receipt(
    request: Request,
    record_id: str,
    platform: Annotated[Platform, Depends(sender)],
    batch: Batch = None,
    disclose: Disclose = [],  # noqa: B006 - FastAPI reads the default, nothing changes it
) -> Response:
    """Return the receipt of a record: it verifies offline, with tools of others too.

    The header `Tanqiao-Witnessed` is `false` while the quorum of witnesses has not cosigned it: such a
    receipt is pending. Ask for it again later; what it proves stays the same.
    """
    parts = parts_of(request)

    def made() -> tuple[bytes, bool]:
        found = _own(parts, platform, record_id=record_id, batch=batch)
        proofs = BatchProofs.of(found.batch, records=parts.records, journal=parts.journal, log=parts.log())
        whole = receipt_with(found, disclose, proofs=proofs)
        return whole, parts.witnessed(read_proof(proofs.log_proof).checkpoint)

    content, witnessed = await run_in_threadpool(made)
    headers = {WITNESSED_HEADER: str(witnessed).lower()}
    return Response(content, media_type="application/json", headers=headers)


@router.post(
    "/records/{record_id}/withdrawal", status_code=202, response_model=OperationDocument,
    response_model_exclude_none=True, openapi_extra=_WITHDRAWAL.body,
    responses={200: {"model": OperationDocument, "description": "Done already."}},
)  # fmt: skip
async def withdraw(
    request: Request,
    response: Response,
    *,
    record_id: str,
    key: IdempotencyKey,
    sent: Annotated[tuple[Platform, bytes], Depends(signed_document)],
    prefer: Prefer = "",
) -> OperationDocument:
    """Withdraw a record of the platform by a reversal in the log, until the claims of its day are closed.

    It counts no longer, and the next act of its person takes the claim.
    """
    platform, content = sent
    batch = cast(int, _WITHDRAWAL.read(content)["batch"])
    parts = parts_of(request)

    def taken() -> Operation:
        parts.submitting.require_room()
        return parts.desk.withdraw(_own(parts, platform, record_id=record_id, batch=batch), key)

    return await answered(request, response, operation=await run_in_threadpool(taken), prefer=prefer)


def _own(parts: ApiParts, platform: Platform, *, record_id: str, batch: int | None) -> FoundRecord:
    """Find a record of a platform; another's is not found either."""
    require_id(record_id, "record")
    found = find_record(
        record_id,
        records=parts.records,
        journal=parts.journal,
        replayer=parts.replayer(),
        issuer=parts.issuer,
        batch=batch,
    )
    own(found.batch, platform.id, what="record")
    return found
