"""``POST /v1/mappings``: mapping versions and the signatures of maintainers, until enough have signed."""

import hashlib
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.admin import operator
from gateway.api.bodies import parts_of, read_document, require_digest, sender_of_content
from gateway.api.forms import MAPPING, json_body, signatures, text
from gateway.api.ids import require_digest_name
from gateway.errors import NotFound
from gateway.model.statement import MAPPING_APPROVAL_TYPE
from gateway.ports import MappingPublication, PublicationState
from gateway.service.access import Action, require_role
from gateway.service.approving import PUBLICATION_BYTES_MAX
from gateway.service.countersigning import missing_keys, receive_publication
from gateway.service.maintaining import Judging

__all__ = ["router"]

router = APIRouter(prefix="/v1/mappings")
VERSION_MAX: Final = 999_999
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
        " `refused` when it was to be published."
    )
    signatures: list[str] = Field(description="Ids of the keys that have signed, in the order of arrival.")
    required: int | None = Field(description="How many maintainers must sign; null once it is published.")
    missing: list[str] = Field(description="Ids of maintainers' keys that may still sign.")
    received: str
    log_entry: int | None = Field(description="Its place in the log; null until it stands there.")
    problem: PublicationProblem | None = Field(description="Why it was refused; null otherwise.")


async def brought(request: Request) -> tuple[str, bytes]:
    """Admit a coordinator by a token or a platform by its signature; returns the platform and the content."""
    if "authorization" in request.headers:
        require_role(await operator(request), Action.PUBLISH_MAPPINGS)
        return "", await read_document(request, most=PUBLICATION_BYTES_MAX)
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
    sender, content = sent
    judging = parts_of(request).judging

    def kept() -> PublicationDocument:
        return _document(receive_publication(content, judging, sender=sender), judging)

    document = await run_in_threadpool(kept)
    if document.state is PublicationState.PUBLISHED:
        response.status_code = 200
    return document


@router.get("/{digest}/publication", tags=["public", "mappings"], response_model=PublicationDocument)
async def publication(request: Request, digest: str) -> PublicationDocument:
    """Tell how far the publication of a mapping version is, and whose signatures are missing."""
    require_digest_name(digest)
    judging = parts_of(request).judging

    def found() -> PublicationDocument:
        kept = judging.publications.publication(digest.removeprefix("sha256:"))
        if kept is None:
            raise NotFound("nobody has handed that version in", remedy="POST /v1/mappings takes it")
        return _document(kept, judging)

    return await run_in_threadpool(found)


def _document(kept: MappingPublication, judging: Judging) -> PublicationDocument:
    published = kept.state is PublicationState.PUBLISHED
    return PublicationDocument(
        id=kept.id,
        version=kept.version,
        digest="sha256:" + kept.digest,
        state=kept.state,
        signatures=[one.key for one in kept.signatures],
        required=None if published else judging.maintainers().quorum,
        missing=[] if published else missing_keys(kept, judging),
        received=kept.received,
        log_entry=kept.position,
        problem=PublicationProblem(**orjson.loads(kept.fault)) if kept.fault else None,
    )
