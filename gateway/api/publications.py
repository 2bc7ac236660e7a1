"""``POST /v1/mappings``: mapping versions and the signatures of maintainers, until enough have signed.

What waits can be listed and taken back. The list has an address that no digest has.
"""

import hashlib
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.admin import operator
from gateway.api.bodies import parts_of, read_document, require_digest, sender, sender_of_content
from gateway.api.cursors import CURSOR, read_cursor, write_cursor
from gateway.api.forms import MAPPING, json_body, signatures, text
from gateway.api.ids import require_digest_name
from gateway.errors import NotFound
from gateway.model.statement import MAPPING_APPROVAL_TYPE
from gateway.ports import MappingPublication, PublicationState
from gateway.service.access.rules import Action, require_role
from gateway.service.mappings.approving import PUBLICATION_BYTES_MAX, Maintainers
from gateway.service.mappings.countersigning import missing_keys, receive_publication, withdraw_publication
from gateway.service.mappings.maintaining import Judging

__all__ = ["router"]

router = APIRouter(prefix="/v1/mappings")
VERSION_MAX: Final = 999_999
LISTED_MAX: Final = 50  # a text may have a MiB
_OVER: Final = (PublicationState.PUBLISHED, PublicationState.WITHDRAWN)
_MAPPING_BODY: Final = {
    "type": "object",
    "required": ["type", "mapping"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "enum": [MAPPING_APPROVAL_TYPE]},
        "mapping": {
            "type": "object",
            "required": ["id", "version", "digest"],
            "additionalProperties": False,
            "properties": {
                "id": MAPPING,
                "version": {"type": "integer", "minimum": 1, "maximum": VERSION_MAX},
                "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
            },
        },
    },
}
_APPROVAL: Final = {
    "type": "object",
    "required": ["body", "signatures"],
    "additionalProperties": False,
    "properties": {"body": _MAPPING_BODY, "signatures": signatures(8)},
}
_BODY: Final = json_body(
    {
        "type": "object",
        "required": ["document", "approval"],
        "additionalProperties": False,
        "properties": {
            "document": text("The canonical JSON of the mapping, as text.", least=1),
            "approval": _APPROVAL,
        },
    }
)


class PublicationProblem(BaseModel):
    """Why a version that enough have signed could not be published."""

    code: str
    detail: str
    field: str
    remedy: str


class PublicationDocument(BaseModel):
    """How far the publication of a mapping version is; its text is at `/v1/mappings/{digest}`."""

    model_config = ConfigDict(extra="forbid")

    id: str
    version: int
    digest: str
    state: PublicationState = Field(
        description="`waiting` for signatures; `signed` by enough, published by the next writer; `published`;"
        " `refused` when it was to be published; `withdrawn` by who had handed it in."
    )
    proposer: str | None = Field(description="The platform that handed it in first; null: a coordinator.")
    signatures: list[str] = Field(description="Ids of the keys that have signed, in the order of arrival.")
    required: int | None = Field(description="How many maintainers must sign; null once it takes no more.")
    missing: list[str] = Field(description="Ids of maintainers' keys that may still sign.")
    received: str
    log_entry: int | None = Field(description="Its place in the log; null until it stands there.")
    withdrawn: str | None = Field(description="When it was taken back; null otherwise.")
    problem: PublicationProblem | None = Field(description="Why it was refused; null otherwise.")


class PublicationList(BaseModel):
    """Versions that are neither published nor withdrawn, newest first."""

    publications: list[PublicationDocument]
    next: str | None = Field(description="Hand it in as `cursor`; null where there is no more.")


async def asker(request: Request) -> str:
    """Admit a coordinator by a token, as the empty name, or a platform by its signature."""
    if "authorization" not in request.headers:
        return (await sender(request)).id
    require_role(await operator(request), Action.PUBLISH_MAPPINGS)
    return ""


Asker = Annotated[str, Depends(asker)]


async def brought(request: Request) -> tuple[str, bytes]:
    """Admit who hands something in, as :func:`asker` does; returns the platform and the content."""
    if "authorization" in request.headers:
        return await asker(request), await read_document(request, most=PUBLICATION_BYTES_MAX)
    platform, presented = await sender_of_content(request)
    content = await read_document(request, most=PUBLICATION_BYTES_MAX)
    require_digest(presented.content_sha256, hashlib.sha256(content).digest())
    return platform.id, content


@router.post(
    "",
    tags=["maintaining"],
    status_code=202,
    response_model=PublicationDocument,
    responses={200: {"model": PublicationDocument, "description": "Published already."}},
    openapi_extra=_BODY,
)
async def publish_mapping(
    request: Request, response: Response, sent: Annotated[tuple[str, bytes], Depends(brought)]
) -> PublicationDocument:
    """Hand in a mapping version with signatures of its maintainers; more of them may follow.

    The content is what `tanqiao mapping sign` writes. The version is kept until as many have signed as the
    gateway asks for; then the next writer publishes it in the log, and from then on it is in use. A signature
    that is here already changes nothing. By a platform for its own mappings, or by a coordinator.
    """
    who, content = sent
    judging = parts_of(request).judging

    def kept() -> PublicationDocument:
        return _shown(receive_publication(content, judging, sender=who), judging)

    document = await run_in_threadpool(kept)
    if document.state is PublicationState.PUBLISHED:
        response.status_code = 200
    return document


@router.get("/waiting", tags=["maintaining"], response_model=PublicationList)
async def waiting_mappings(
    request: Request,
    who: Asker,
    cursor: Annotated[str, Query(pattern=CURSOR, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = LISTED_MAX,
) -> PublicationList:
    """List the versions that wait for signatures: a platform those of its mappings, a coordinator all.

    `missing` names the keys that may still sign, `/v1/mappings/{digest}` is the text to be read. A version
    waits until enough have signed or it is withdrawn: there is no deadline.
    """
    judging, before = parts_of(request).judging, read_cursor(cursor)

    def found() -> PublicationList:
        kept = judging.publications.open(who, before=before, limit=limit + 1)
        maintainers = judging.maintainers() if kept else None
        listed = [_document(one, maintainers) for one in kept[:limit]]
        more = write_cursor(kept[limit - 1].number) if len(kept) > limit else None
        return PublicationList(publications=listed, next=more)

    return await run_in_threadpool(found)


@router.get("/{digest}/publication", tags=["public", "mappings"], response_model=PublicationDocument)
async def publication(request: Request, digest: str) -> PublicationDocument:
    """Tell how far the publication of a mapping version is, and whose signatures are missing."""
    require_digest_name(digest)
    judging = parts_of(request).judging

    def found() -> PublicationDocument:
        kept = judging.publications.publication(digest.removeprefix("sha256:"))
        if kept is None:
            raise NotFound("nobody has handed that version in", remedy="POST /v1/mappings takes it")
        return _shown(kept, judging)

    return await run_in_threadpool(found)


@router.delete("/{digest}/publication", tags=["maintaining"], response_model=PublicationDocument)
async def withdraw_mapping(request: Request, digest: str, *, who: Asker) -> PublicationDocument:
    """Take back a version that not enough have signed yet, for good. By who handed it in."""
    require_digest_name(digest)
    judging = parts_of(request).judging

    def withdrawn() -> PublicationDocument:
        return _shown(withdraw_publication(digest, judging, asker=who), judging)

    return await run_in_threadpool(withdrawn)


def _shown(kept: MappingPublication, judging: Judging) -> PublicationDocument:
    return _document(kept, None if kept.state in _OVER else judging.maintainers())


def _document(kept: MappingPublication, maintainers: Maintainers | None) -> PublicationDocument:
    return PublicationDocument(
        id=kept.id,
        version=kept.version,
        digest="sha256:" + kept.digest,
        state=kept.state,
        proposer=kept.proposer or None,
        signatures=[one.key for one in kept.signatures],
        required=maintainers.quorum if maintainers else None,
        missing=missing_keys(kept, maintainers) if maintainers else [],
        received=kept.received,
        log_entry=kept.position,
        withdrawn=kept.withdrawn or None,
        problem=PublicationProblem(**orjson.loads(kept.fault)) if kept.fault else None,
    )
