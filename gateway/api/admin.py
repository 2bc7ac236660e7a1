"""``/v1/admin``: for those who run or watch the gateway, by a token of their own."""

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, read_document
from gateway.api.cursors import CURSOR, read_cursor, write_cursor
from gateway.api.forms import BLANK, Form, text
from gateway.api.operations import OperationList, operation_document
from gateway.errors import NotFound
from gateway.ports import Operator, Platform
from gateway.service.access.onboarding import PLATFORM_NAME, invite_platform
from gateway.service.access.rules import Action, require_day, require_role

__all__ = ["router"]

router = APIRouter(prefix="/v1/admin", tags=["admin"])
BODY_BYTES: Final = 4096
REASON_MAX: Final = 500


class PlatformDocument(BaseModel):
    """A platform that may speak to this gateway."""

    model_config = ConfigDict(extra="forbid")

    platform: str
    suspended: str = Field(description="Why it may not at present; empty while it may.")
    created: str
    keys: list[str] = Field(description="Ids of its keys in force.")


class PlatformList(BaseModel):
    """The platforms."""

    platforms: list[PlatformDocument]


class Invitation(BaseModel):
    """A code with which a platform hands in its first key; kept nowhere."""

    platform: str
    code: str
    expires: str


async def operator(request: Request) -> Operator:
    """Admit a request by its token."""
    gate = parts_of(request).operator_gate
    found = await run_in_threadpool(gate.admit, request.headers.get("authorization", ""))
    request.state.operator = f"{found.role} {found.id}"
    return found


Admitted = Annotated[Operator, Depends(operator)]


_INVITATION: Final = Form(
    platform={
        "type": "string",
        "pattern": f"^{PLATFORM_NAME.pattern}$",
        "description": "REGION/NAME.",
        "examples": ["cn-420100/wuhan"],
    }
)
_SUSPENSION: Final = Form(reason=text("Why; the platform reads it.", least=1, most=REASON_MAX, opening=BLANK))


async def _member(request: Request, form: Form, *, name: str) -> str:
    return str(form.read(await read_document(request, most=BODY_BYTES))[name])


@router.get("/platforms", response_model=PlatformList)
async def list_platforms(request: Request, who: Admitted) -> PlatformList:
    """List the platforms. Roles: operator, coordinator."""
    require_role(who, Action.READ_PLATFORMS)
    kept = parts_of(request).platforms

    def listed() -> list[PlatformDocument]:
        return [
            _platform(one, [key.id for key in kept.keys(one.id) if key.revoked is None])
            for one in kept.platforms()
        ]

    return PlatformList(platforms=await run_in_threadpool(listed))


@router.post(
    "/invitations",
    status_code=201,
    response_model=Invitation,
    openapi_extra=_INVITATION.body,
)
async def invite_a_platform(request: Request, who: Admitted) -> Invitation:
    """Admit a platform: the answer has a code that is shown once and holds for a day. Role: operator."""
    require_role(who, Action.CHANGE_PLATFORMS)
    parts, platform = parts_of(request), await _member(request, _INVITATION, name="platform")
    code = parts.new_code()
    expires = await run_in_threadpool(
        lambda: invite_platform(platform, parts.platforms, code=code, now=parts.clock.now())
    )
    return Invitation(platform=platform, code=code, expires=expires)


@router.put(
    "/platforms/{region}/{name}/suspension",
    response_model=PlatformDocument,
    openapi_extra=_SUSPENSION.body,
)
async def suspend_a_platform(request: Request, region: str, *, name: str, who: Admitted) -> PlatformDocument:
    """Keep a platform out for a reason; what it submitted stays. Role: operator."""
    require_role(who, Action.CHANGE_PLATFORMS)
    reason = await _member(request, _SUSPENSION, name="reason")
    return await _suspended(request, f"{region}/{name}", reason=reason)


@router.delete("/platforms/{region}/{name}/suspension", response_model=PlatformDocument)
async def resume_a_platform(request: Request, region: str, *, name: str, who: Admitted) -> PlatformDocument:
    """Let a platform in again. Role: operator."""
    require_role(who, Action.CHANGE_PLATFORMS)
    return await _suspended(request, f"{region}/{name}", reason="")


@router.get("/operations", response_model=OperationList, response_model_exclude_none=True)
async def all_operations(
    request: Request,
    who: Admitted,
    platform: Annotated[str, Query(max_length=200)],
    cursor: Annotated[str, Query(pattern=CURSOR, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OperationList:
    """List the operations of any platform, newest first. Role: coordinator."""
    require_role(who, Action.READ_OPERATIONS)
    before, kept = read_cursor(cursor), parts_of(request).operations
    found = await run_in_threadpool(lambda: kept.of_platform(platform, before=before, limit=limit + 1))
    more = write_cursor(found[limit - 1].number) if len(found) > limit else None
    return OperationList(operations=[operation_document(one) for one in found[:limit]], next=more)


@router.get(
    "/records",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
)
async def records_of_a_day(
    request: Request,
    who: Admitted,
    platform: Annotated[str, Query(max_length=200)],
    day: Annotated[str, Query(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")],
) -> StreamingResponse:
    """Return all records of a platform's day: a heading, then one receipt a line, nothing opened.

    Roles: coordinator; auditor within its grant. Each line verifies offline.
    """
    require_day(who, platform=platform, day=day)
    lines = parts_of(request).day_of_records(platform, day, f"{who.role} {who.id}")
    first = await run_in_threadpool(next, lines)  # a day without records is refused here
    return StreamingResponse(_ended(chain([first], lines)), media_type="application/x-ndjson")


def _ended(lines: Iterator[bytes]) -> Iterator[bytes]:
    return (line + b"\n" for line in lines)


def _platform(one: Platform, keys: list[str]) -> PlatformDocument:
    return PlatformDocument(platform=one.id, suspended=one.suspended, created=one.created, keys=keys)


async def _suspended(request: Request, platform: str, *, reason: str) -> PlatformDocument:
    kept = parts_of(request).platforms

    def changed() -> PlatformDocument:
        kept.suspend(platform, reason)
        found = kept.platform(platform)
        if found is None:
            raise NotFound("there is no such platform", remedy="see /v1/admin/platforms")
        return _platform(found, [key.id for key in kept.keys(platform) if key.revoked is None])

    return await run_in_threadpool(changed)
