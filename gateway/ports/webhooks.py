"""Webhooks: which endpoints a platform has, which events wait for them, and how sending them went."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

__all__ = ["Delivery", "DeliveryState", "EventType", "Post", "Posted", "Sent", "Webhook", "Webhooks"]


class EventType(StrEnum):
    """What platforms are told of. The types of an operation end like its states."""

    OPERATION_DONE = "operation.done"
    OPERATION_FAILED = "operation.failed"
    RECEIPT_WITNESSED = "receipt.witnessed"


class Webhook(NamedTuple):
    """An endpoint of a platform. ``disabled`` and ``failing`` are empty while all is well.

    ``disabled`` says why nothing is sent any more; ``failing`` since when each attempt has failed.
    """

    id: str
    platform: str
    url: str
    events: tuple[EventType, ...]
    description: str
    secret: bytes
    created: str
    disabled: str
    failing: str


class DeliveryState(StrEnum):
    """How far an event is on its way to an endpoint."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(NamedTuple):
    """An event on its way to an endpoint.

    ``next_at`` is the second since 1970 of the next attempt; ``status`` what HTTP answered last, 0 for no
    answer; ``detail`` why the last attempt failed.
    """

    number: int
    webhook: str
    event: str
    type: EventType
    payload: str
    state: DeliveryState
    attempts: int
    next_at: int
    status: int
    detail: str
    created: str


class Posted(NamedTuple):
    """What became of a request: the status of its answer, or 0 and why there is none."""

    status: int
    detail: str


class Sent(NamedTuple):
    """What an attempt has changed. ``disabled`` is the reason to send nothing more to this endpoint."""

    delivery: Delivery
    disabled: str


class Post(Protocol):
    """Sends one request to an endpoint; failing is an answer too, never an exception."""

    async def __call__(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Posted:
        """Send a request and return what became of it, within a bounded time."""
        ...


class Webhooks(Protocol):
    """The endpoints of all platforms and the events on their way to them."""

    def add(self, webhook: Webhook, *, most: int) -> bool:
        """Keep an endpoint; False where the platform has so many already."""
        ...

    def of_platform(self, platform: str) -> list[Webhook]:
        """Return the endpoints of a platform, the oldest first."""
        ...

    def remove(self, webhook: str) -> None:
        """Forget an endpoint and what was on its way to it."""
        ...

    def deliveries(self, webhook: str, *, before: int | None, limit: int) -> list[Delivery]:
        """Return deliveries to an endpoint, newest first, those before a number."""
        ...

    def replay(self, webhook: Webhook, event: str, *, now: int) -> Delivery | None:
        """Have an event of the endpoint's platform sent (again) to it; None where there is none."""
        ...

    def ready(self, now: int) -> list[Webhook]:
        """Return the endpoints to which something is to be sent by now."""
        ...

    def due(self, webhook: str, *, now: int, limit: int) -> list[Delivery]:
        """Return what is to be sent to an endpoint by now, the longest due first."""
        ...

    def record(self, sent: Sent, *, now: str) -> None:
        """Write down how an attempt went, durably."""
        ...

    def tell_witnessed(self, size: int, *, now: str) -> None:
        """Queue an event for each operation whose records are in the log at a size that has its quorum."""
        ...

    def forget(self, before: str) -> None:
        """Forget events from before a moment that wait for no endpoint."""
        ...
