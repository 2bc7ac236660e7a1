"""``/v1/agreements``: what platforms have signed about their corridors."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, signed_document
from gateway.api.forms import json_body, signatures
from gateway.api.ids import require_digest_name
from gateway.errors import NotFound
from gateway.ports import CorridorDocument, CorridorKind, Platform
from gateway.service.agreements.agreeing import receive_document
from gateway.service.agreements.book import AgreementBook

__all__ = ["router"]

router = APIRouter(prefix="/v1")
IMMUTABLE: Final = "public, max-age=31536000, immutable"
_PLATFORM: Final = Query(max_length=200, pattern="^([a-z]{2}-[0-9]{6}/[a-z0-9-]{1,40})?$")
_CANONICAL: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}},
    304: {"description": "Known already."},
}
_BODY: Final = json_body(
    {
        "type": "object",
        "required": ["body", "signatures"],
        "additionalProperties": False,
        "properties": {
            "body": {"type": "object", "additionalProperties": True},
            "signatures": signatures(2),
        },
    }
)


class AgreementEntry(BaseModel):
    """A signed document of a corridor; it stands at `/v1/agreements/{digest}`."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(description="`agreement`, `pause` or `resume`.")
    source: str
    destination: str
    version: int = Field(description="Of an agreement; 0 for what is none.")
    digest: str = Field(description="Of the document's body.")
    received: str
    log_entry: int | None = Field(description="Its place in the log; null until it stands there.")
    in_force: bool


class AgreementList(BaseModel):
    """Documents of corridors, in the order in which they came."""

    agreements: list[AgreementEntry]


@router.get("/agreements", tags=["public"], response_model=AgreementList)
async def agreements(
    request: Request,
    source: Annotated[str, _PLATFORM] = "",
    destination: Annotated[str, _PLATFORM] = "",
) -> AgreementList:
    """List agreements, pauses and ends of pauses: of all corridors, or from or to a platform."""

    def found() -> list[AgreementEntry]:
        kept = parts_of(request).agreeing.corridors.of(source, destination)
        return [_entry(request, one) for one in kept]

    return AgreementList(agreements=await run_in_threadpool(found))


@router.get("/agreements/{digest}", tags=["public"], response_class=Response, responses=_CANONICAL)
async def agreement(request: Request, digest: str) -> Response:
    """Return a document as it was signed; the digest is that of its body."""
    require_digest_name(digest)
    found = await run_in_threadpool(parts_of(request).agreeing.corridors.document, digest)
    if found is None:
        raise NotFound(f"there is no agreement {digest}", remedy="see /v1/agreements")
    etag = f'"{digest.removeprefix("sha256:")}"'
    headers = {"ETag": etag, "Cache-Control": IMMUTABLE}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.document, media_type="application/json", headers=headers)


@router.post(
    "/agreements", tags=["agreements"], status_code=201, response_model=AgreementEntry, openapi_extra=_BODY
)
async def publish_agreement(
    request: Request, sent: Annotated[tuple[Platform, bytes], Depends(signed_document)]
) -> AgreementEntry:
    """Hand in a document of an own corridor: an agreement signed by both, a pause or its end by who makes it.

    It is announced in the log by the next writer; a pause counts at once. The same again is answered alike.
    """
    platform, content = sent
    agreeing = parts_of(request).agreeing

    def kept() -> AgreementEntry:
        return _entry(request, receive_document(content, agreeing, sender=platform.id))

    return await run_in_threadpool(kept)


def _entry(request: Request, document: CorridorDocument) -> AgreementEntry:
    parts = parts_of(request)
    book, now = AgreementBook(parts.agreeing.corridors), parts.clock.now()
    corridor = document.source, document.destination
    if document.kind is CorridorKind.AGREEMENT:
        found = book.in_force(*corridor, now=now)
        in_force = found is not None and found.digest == document.digest
    else:
        in_force = document.digest in {pause.digest for pause in book.pauses(*corridor, now=now)}
    return AgreementEntry(
        kind=document.kind.value,
        source=document.source,
        destination=document.destination,
        version=document.version,
        digest=document.digest,
        received=document.received,
        log_entry=document.position,
        in_force=in_force,
    )
