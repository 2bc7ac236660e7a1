"""Endpoints of platforms: what may be one, how many there may be, and sending one event again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.errors import NotFound, Refused
from gateway.ports import Clock, Delivery, EventType, Webhook, Webhooks
from gateway.service.moments import instant_text
from gateway.signing import WEBHOOK_SECRET_BYTES

__all__ = ["DESCRIPTION_CHARACTERS_MAX", "TooManyWebhooks", "WebhookDesk", "WebhookDisabled"]

WEBHOOKS_MAX: Final = 10  # of one platform: one for each of its systems
DESCRIPTION_CHARACTERS_MAX: Final = 200


class TooManyWebhooks(Refused):
    """A platform has as many webhooks as it may."""

    code = "too-many-webhooks"
    remedy = "delete one that is not needed: DELETE /v1/webhooks/{id}"


class WebhookDisabled(Refused):
    """Nothing is sent to this endpoint any more."""

    code = "webhook-disabled"
    remedy = "delete the webhook and create it anew; missed events can be replayed to the new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDesk:
    """Keeps the webhooks of platforms.

    ``require_callable`` refuses a URL that this gateway does not call; ``public_key`` verifies ``v1a``.
    """

    webhooks: Webhooks
    require_callable: Callable[[str], None]
    public_key: str
    clock: Clock
    random_bytes: Callable[[int], bytes]

    def create(self, platform: str, url: str, *, events: tuple[EventType, ...], description: str) -> Webhook:
        """Keep an endpoint with a secret of its own.

        Raises:
            AddressRefused: the URL may not be called.
            TooManyWebhooks: the platform has enough.
        """
        if not events or len(description) > DESCRIPTION_CHARACTERS_MAX:
            raise Refused(
                f"expected at least one event and a description of at most {DESCRIPTION_CHARACTERS_MAX}"
                " characters",
                remedy="openapi/gateway.yaml lists the events",
            )
        self.require_callable(url)
        webhook = Webhook(
            id=self.random_bytes(16).hex(),
            platform=platform,
            url=url,
            events=tuple(dict.fromkeys(events)),
            description=description,
            secret=self.random_bytes(WEBHOOK_SECRET_BYTES),
            created=instant_text(self.clock.now()),
            disabled="",
            failing="",
        )
        if not self.webhooks.add(webhook, most=WEBHOOKS_MAX):
            raise TooManyWebhooks(f"platform {platform} has {WEBHOOKS_MAX} webhooks")
        return webhook

    def own(self, platform: str, webhook_id: str) -> Webhook:
        """Return a webhook of a platform.

        Raises:
            NotFound: there is none, or it is another's: nobody learns which.
        """
        for webhook in self.webhooks.of_platform(platform):
            if webhook.id == webhook_id:
                return webhook
        raise NotFound(f"there is no webhook {webhook_id}")

    def delete(self, platform: str, webhook_id: str) -> Webhook:
        """Forget a webhook of a platform; returns what it was."""
        webhook = self.own(platform, webhook_id)
        self.webhooks.remove(webhook.id)
        return webhook

    def replay(self, platform: str, webhook_id: str, *, event: str) -> Delivery:
        """Have one event sent to a webhook, whether it was before or not; its retries begin anew.

        Raises:
            WebhookDisabled: the endpoint has said that it is gone.
            NotFound: the platform has no such event.
        """
        webhook = self.own(platform, webhook_id)
        if webhook.disabled:
            raise WebhookDisabled(f"webhook {webhook_id} is disabled: {webhook.disabled}")
        found = self.webhooks.replay(webhook, event, now=int(self.clock.now().timestamp()))
        if found is None:
            raise NotFound("there is no event of this id", field="/event")
        return found

    def deliveries(self, platform: str, webhook_id: str, *, before: int | None, limit: int) -> list[Delivery]:
        """Return deliveries to a webhook of a platform, newest first, those before a number."""
        return self.webhooks.deliveries(self.own(platform, webhook_id).id, before=before, limit=limit)
