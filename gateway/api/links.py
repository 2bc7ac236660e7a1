"""``/v1/links``: which accounts of a platform belong to persons that were verified elsewhere too.

The identity comes in the content and goes no further than the pseudonym that is made of it; the account comes
in the content too, so that no address holds it. No answer tells where else a person is known.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from gateway.api.acts import IdempotencyKey, Prefer
from gateway.api.bodies import parts_of, sender, signed_document
from gateway.api.forms import BLANK, Form, text
from gateway.api.ids import require_link_id
from gateway.api.operations import OperationDocument, answered
from gateway.errors import GatewayError, MalformedDocument
from gateway.ports import Operation, Platform
from gateway.service.claims.linking import CONSENT_CHARACTERS_MAX, IDENTITY_CHARACTERS_MIN

__all__ = ["router"]

router = APIRouter(prefix="/v1/links", tags=["links"])
MEMBER_CHARACTERS_MAX: Final = 1024
_FORM: Final = Form(
    account=text("The platform's own id of the account.", least=1, most=MEMBER_CHARACTERS_MAX),
    identity=text(
        "What was verified, the same text at each platform. It is not kept.",
        least=IDENTITY_CHARACTERS_MIN,
        most=MEMBER_CHARACTERS_MAX,
    ),
    consent=text(
        "Where the holder's consent at this platform is documented; no person is named there.",
        least=1,
        most=CONSENT_CHARACTERS_MAX,
        opening=BLANK,
    ),
)


@router.post(
    "", status_code=202, response_model=OperationDocument, response_model_exclude_none=True,
    responses={200: {"model": OperationDocument, "description": "Done already."}}, openapi_extra=_FORM.body,
)  # fmt: skip
async def link(
    request: Request,
    response: Response,
    *,
    key: IdempotencyKey,
    sent: Annotated[tuple[Platform, bytes], Depends(signed_document)],
    prefer: Prefer = "",
) -> OperationDocument:
    """Link an account of the platform to its verified holder, so that one act counts once everywhere.

    The operation's result has the id of the link. Whether the person is known elsewhere is not told.
    """
    platform, content = sent
    members = _members(content)
    parts = parts_of(request)

    def taken() -> Operation:
        parts.submitting.require_room()
        return parts.desk.link(platform.id, key, **members)

    return await answered(request, response, operation=await run_in_threadpool(taken), prefer=prefer)


@router.delete(
    "/{link_id}", status_code=202, response_model=OperationDocument, response_model_exclude_none=True,
    responses={200: {"model": OperationDocument, "description": "Done already."}},
)  # fmt: skip
async def unlink(
    request: Request,
    response: Response,
    *,
    link_id: str,
    key: IdempotencyKey,
    platform: Annotated[Platform, Depends(sender)],
    prefer: Prefer = "",
) -> OperationDocument:
    """Take a link away: acts that come from now on are compared within the platform only."""
    require_link_id(link_id)
    parts = parts_of(request)

    def taken() -> Operation:
        parts.submitting.require_room()
        return parts.desk.unlink(platform.id, key, link=link_id)

    return await answered(request, response, operation=await run_in_threadpool(taken), prefer=prefer)


def _members(content: bytes) -> dict[str, str]:
    """Read the content. What is wrong with it is told in words that quote nothing of it."""
    try:
        document = _FORM.read(content)
    except GatewayError as error:
        raise MalformedDocument(
            "expected an object with the texts `account`, `identity` and `consent`, as the contract has them",
            remedy="see openapi/gateway.yaml",
        ) from error
    return {name: str(value) for name, value in document.items()}
