"""``/v1/platforms``: enrolment with proof of possession, and a platform's own keys."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import message_of, parts_of, read_document, sender, signed_document
from gateway.api.forms import PUBLIC_KEY, SIGNATURE, Form
from gateway.api.ids import require_key_id
from gateway.ports import Platform, PlatformKey
from gateway.service.access.rules import own
from gateway.service.moments import instant_text
from gateway.signing import RequestNotSigned

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["platforms"])
ENROLMENT_BYTES: Final = 4096  # whoever sends it is unknown; a code and a key have 100


class KeyDocument(BaseModel):
    """A platform's key for signing requests."""

    model_config = ConfigDict(extra="forbid")

    id: str
    platform: str
    public_key: str = Field(description="32 bytes of an Ed25519 key in base64.")
    created: str
    revoked: str | None


class KeyList(BaseModel):
    """The keys of a platform, revoked ones too."""

    keys: list[KeyDocument]


def _document(key: PlatformKey) -> KeyDocument:
    public = base64.b64encode(key.public).decode()
    return KeyDocument(
        id=key.id, platform=key.platform, public_key=public, created=key.created, revoked=key.revoked
    )


_CODE: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$", "description": "From the operator."}
_PROOF: Final = SIGNATURE | {
    "description": "Its signature over `tanqiao/key-of/1`, a zero byte, the platform's name; base64."
}
_ENROLMENT: Final = Form(code=_CODE, public_key=PUBLIC_KEY)
_NEW_KEY: Final = Form(public_key=PUBLIC_KEY, proof=_PROOF)


@router.post(
    "/platforms/{region}/{name}/enrolment",
    status_code=201,
    response_model=KeyDocument,
    openapi_extra=_ENROLMENT.body,
)
async def enrol(request: Request, region: str, *, name: str) -> KeyDocument:
    """Hand in a platform's first key: JSON with `code` (from the operator) and `public_key`, signed by it."""
    parts, message = parts_of(request), message_of(request)
    if "signature" not in message.headers:
        raise RequestNotSigned("enrolling is signed by the key that is handed in")
    content = await read_document(request, most=ENROLMENT_BYTES)
    document = _ENROLMENT.read(content)
    public, code = _bytes(document, "public_key"), str(document["code"])
    key = await run_in_threadpool(
        lambda: parts.gatekeeper.enrol(
            message, f"{region}/{name}", public=public, code=code, sha256=hashlib.sha256(content).digest()
        )
    )
    return _document(key)


@router.get("/keys", response_model=KeyList)
async def keys(request: Request, platform: Annotated[Platform, Depends(sender)]) -> KeyList:
    """List the keys of the platform that asks."""
    found = await run_in_threadpool(parts_of(request).platforms.keys, platform.id)
    return KeyList(keys=[_document(key) for key in found])


@router.post(
    "/keys",
    status_code=201,
    response_model=KeyDocument,
    openapi_extra=_NEW_KEY.body,
)
async def add_key(
    request: Request, sent: Annotated[tuple[Platform, bytes], Depends(signed_document)]
) -> KeyDocument:
    """Add a key: JSON with `public_key` and `proof`, the new key's signature over the platform's name."""
    platform, content = sent
    document = _NEW_KEY.read(content)
    public, proof = _bytes(document, "public_key"), _bytes(document, "proof")
    keeper = parts_of(request).gatekeeper
    return _document(await run_in_threadpool(lambda: keeper.add_key(platform.id, public, proof=proof)))


@router.delete("/keys/{key_id}", response_model=KeyDocument)
async def revoke_key(
    request: Request, key_id: str, platform: Annotated[Platform, Depends(sender)]
) -> KeyDocument:
    """Revoke a key of the platform that asks; what it signed before stays."""
    require_key_id(key_id)
    parts = parts_of(request)

    def ended() -> PlatformKey:
        own(parts.platforms.key(key_id), platform.id, what="key")
        parts.platforms.revoke_key(key_id, now=instant_text(parts.clock.now()))
        return own(parts.platforms.key(key_id), platform.id, what="key")

    return _document(await run_in_threadpool(ended))


def _bytes(document: Mapping[str, object], member: str) -> bytes:
    return base64.b64decode(str(document[member]), validate=True)
