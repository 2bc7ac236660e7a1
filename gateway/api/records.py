"""``/v1/records`` and ``/v1/receipts``: a platform's own records, and proofs that anybody can verify."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, sender
from gateway.api.parts import WITNESSED, WITNESSED_HEADER, ApiParts
from gateway.errors import NotFound
from gateway.ports import Platform
from gateway.service.receipts import BatchProofs, FoundRecord, find_record, receipt_with
from gateway.transparency import read_proof

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["records"])
Batch = Annotated[
    int | None, Query(ge=0, description="The batch that an outcome names: it is found at once.")
]
Disclose = Annotated[list[Literal["event", "subject"]], Query(description="Commitments to open.")]


class RecordDocument(BaseModel):
    """A conversion record, and until when its points hold."""

    record: dict[str, Any]
    batch: int
    expires: str | None


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
    responses={200: {"headers": WITNESSED, "content": {"application/json": {"schema": {"type": "object"}}}}},
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


def _own(parts: ApiParts, platform: Platform, *, record_id: str, batch: int | None) -> FoundRecord:
    """Find a record of a platform; another's is not found either."""
    found = find_record(
        record_id,
        records=parts.records,
        journal=parts.journal,
        replayer=parts.replayer(),
        issuer=parts.issuer,
        batch=batch,
    )
    if found.batch.platform != platform.id:
        raise NotFound(f"there is no record {record_id} in this home", field=record_id)
    return found
