"""``/v1/webhooks``: endpoints of a platform that are told what has happened, and how sending went."""

from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, sender, signed_document
from gateway.api.cursors import CURSOR, read_cursor, write_cursor
from gateway.api.forms import Form, text
from gateway.api.ids import require_id
from gateway.ports import Delivery, DeliveryState, EventType, Platform, Webhook
from gateway.service.moments import moment_text
from gateway.service.webhooks.endpoints import DESCRIPTION_CHARACTERS_MAX
from gateway.signing import webhook_secret

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["webhooks"])
URL_CHARACTERS_MAX: Final = 2000  # as much as gateway.peers calls


class WebhookDocument(BaseModel):
    """An endpoint that is told of events."""

    model_config = ConfigDict(extra="forbid")

    id: str
    platform: str
    url: str
    events: list[EventType]
    description: str
    created: str
    public_key: str = Field(description="Verifies `v1a` signatures: `whpk_` and an Ed25519 key in base64.")
    secret: str | None = Field(
        None, description="Verifies `v1` signatures: `whsec_` and base64. Shown once, when it is created."
    )
    failing: str | None = Field(None, description="Since when every attempt has failed, if the last has.")
    disabled: str | None = Field(None, description="Why nothing is sent any more; absent while it is.")


class WebhookList(BaseModel):
    """The webhooks of a platform, the oldest first."""

    webhooks: list[WebhookDocument]


class DeliveryDocument(BaseModel):
    """An event on its way to an endpoint."""

    event: str = Field(description="The `webhook-id` under which it is sent.")
    type: EventType
    created: str
    state: DeliveryState
    attempts: int
    status: int | None = Field(None, description="What the endpoint answered last; absent without an answer.")
    detail: str | None = Field(None, description="Why the last attempt failed.")
    next: str | None = Field(None, description="When it is tried next; absent when it is not.")


class DeliveryList(BaseModel):
    """A page of deliveries, newest first."""

    deliveries: list[DeliveryDocument]
    next: str | None = Field(None, description="Cursor of the next page.")


_CREATE: Final = Form(
    url={
        "type": "string",
        "maxLength": URL_CHARACTERS_MAX,
        "pattern": r"^[!#-;=?-Z\[\]_a-z~]+$",
        "description": "https, resolving to public addresses; what is not ASCII is percent-encoded.",
        "examples": ["https://city.example/tanqiao"],
    },
    events={"type": "array", "minItems": 1, "items": {"type": "string", "enum": [*EventType]}},
    description=text("What it is for.", most=DESCRIPTION_CHARACTERS_MAX),
    optional=("description",),
)
_REPLAY: Final = Form(
    event={"type": "string", "pattern": "^[!-~]{1,128}$", "description": "The `webhook-id` of the event."}
)


@router.post(
    "/webhooks",
    status_code=201,
    response_model=WebhookDocument,
    response_model_exclude_none=True,
    openapi_extra=_CREATE.body,
)
async def create_webhook(
    request: Request, sent: Annotated[tuple[Platform, bytes], Depends(signed_document)]
) -> WebhookDocument:
    """Create a webhook: JSON with `url`, `events` and, if wanted, `description`; returns its secret, once."""
    platform, content = sent
    desk = parts_of(request).webhooks
    url, events, description = _wanted(content)
    made = await run_in_threadpool(
        lambda: desk.create(platform.id, url, events=events, description=description)
    )
    return _document(made, public_key=desk.public_key, secret=webhook_secret(made.secret))


@router.get("/webhooks", response_model=WebhookList, response_model_exclude_none=True)
async def webhooks(request: Request, platform: Annotated[Platform, Depends(sender)]) -> WebhookList:
    """List the webhooks of the platform that asks."""
    desk = parts_of(request).webhooks
    found = await run_in_threadpool(desk.webhooks.of_platform, platform.id)
    return WebhookList(webhooks=[_document(one, public_key=desk.public_key) for one in found])


@router.get("/webhooks/{webhook_id}", response_model=WebhookDocument, response_model_exclude_none=True)
async def webhook(
    request: Request, webhook_id: str, platform: Annotated[Platform, Depends(sender)]
) -> WebhookDocument:
    """Return one webhook of the platform that asks: whether it fails, since when, or is disabled."""
    require_id(webhook_id, "webhook")
    desk = parts_of(request).webhooks
    return _document(await run_in_threadpool(desk.own, platform.id, webhook_id), public_key=desk.public_key)


@router.delete("/webhooks/{webhook_id}", response_model=WebhookDocument, response_model_exclude_none=True)
async def delete_webhook(
    request: Request, webhook_id: str, platform: Annotated[Platform, Depends(sender)]
) -> WebhookDocument:
    """Delete a webhook of the platform that asks; what waits for it is not sent."""
    require_id(webhook_id, "webhook")
    desk = parts_of(request).webhooks
    deleted = await run_in_threadpool(desk.delete, platform.id, webhook_id)
    return _document(deleted, public_key=desk.public_key)


@router.get(
    "/webhooks/{webhook_id}/deliveries", response_model=DeliveryList, response_model_exclude_none=True
)
async def deliveries(
    request: Request,
    webhook_id: str,
    platform: Annotated[Platform, Depends(sender)],
    cursor: Annotated[str, Query(pattern=CURSOR, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeliveryList:
    """List the deliveries to a webhook of the platform that asks, newest first; kept for 30 days."""
    require_id(webhook_id, "webhook")
    desk, before = parts_of(request).webhooks, read_cursor(cursor)
    found = await run_in_threadpool(
        lambda: desk.deliveries(platform.id, webhook_id, before=before, limit=limit + 1)
    )
    more = write_cursor(found[limit - 1].number) if len(found) > limit else None
    return DeliveryList(deliveries=[_delivery_document(one) for one in found[:limit]], next=more)


@router.post(
    "/webhooks/{webhook_id}/replay",
    status_code=202,
    response_model=DeliveryDocument,
    response_model_exclude_none=True,
    openapi_extra=_REPLAY.body,
)
async def replay(
    request: Request, webhook_id: str, sent: Annotated[tuple[Platform, bytes], Depends(signed_document)]
) -> DeliveryDocument:
    """Have one event sent again, with the same id: JSON with `event`; its retries begin anew."""
    require_id(webhook_id, "webhook")
    platform, content = sent
    event = str(_REPLAY.read(content)["event"])
    desk = parts_of(request).webhooks
    return _delivery_document(
        await run_in_threadpool(lambda: desk.replay(platform.id, webhook_id, event=event))
    )


def _wanted(content: bytes) -> tuple[str, tuple[EventType, ...], str]:
    document = _CREATE.read(content)
    events = cast(list[str], document["events"])
    return str(document["url"]), tuple(map(EventType, events)), str(document.get("description", ""))


def _document(one: Webhook, *, public_key: str, secret: str | None = None) -> WebhookDocument:
    return WebhookDocument(
        id=one.id,
        platform=one.platform,
        url=one.url,
        events=list(one.events),
        description=one.description,
        created=one.created,
        public_key=public_key,
        secret=secret,
        failing=one.failing or None,
        disabled=one.disabled or None,
    )


def _delivery_document(one: Delivery) -> DeliveryDocument:
    return DeliveryDocument(
        event=one.event,
        type=one.type,
        created=one.created,
        state=one.state,
        attempts=one.attempts,
        status=one.status or None,
        detail=one.detail or None,
        next=moment_text(one.next_at) if one.next_at else None,
    )
