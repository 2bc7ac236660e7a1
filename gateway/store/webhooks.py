"""Webhooks in the database: endpoints, the outbox of events, and how sending them went."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from gateway.ports import Delivery, DeliveryState, EventType, OperationState, Sent, Webhook
from gateway.store import serving_tables as s
from gateway.store import webhook_tables as t
from gateway.store.database import Database
from gateway.store.group_commit import GroupCommit

__all__ = ["SqlWebhooks", "announce"]


def announce(connection: Connection, finished: Iterable[tuple[str, OperationState]], *, now: str) -> None:
    """Queue an event for each finished operation whose platform wants it, in the transaction that ends it."""
    targets = _targets(connection)
    if not targets:
        return
    states = dict(finished)
    query = select(s.operations.c.id, s.operations.c.platform).where(s.operations.c.id.in_(states))
    due = int(datetime.fromisoformat(now).timestamp())
    events: list[dict[str, Any]] = []
    deliveries: list[dict[str, Any]] = []
    for operation, platform in connection.execute(query):
        kind = EventType(f"operation.{states[operation]}")
        wanting = [webhook.id for webhook in targets.get(platform, []) if kind in webhook.events]
        if not wanting:
            continue
        payload = orjson.dumps({"type": kind, "timestamp": now, "data": {"operation": operation}}).decode()
        event = f"{kind.replace('.', '-')}-{operation}"
        events.append({"id": event, "platform": platform, "type": kind, "payload": payload, "created": now})
        deliveries += [_waiting(webhook, event, due=due) for webhook in wanting]
    if events:
        connection.execute(insert(t.events), events)
        connection.execute(insert(t.deliveries), deliveries)


class SqlWebhooks:
    """The endpoints of all platforms and what is on its way to them (:class:`gateway.ports.Webhooks`)."""

    def __init__(self, database: Database, writes: GroupCommit) -> None:
        self._database = database
        self._writes = writes

    def add(self, webhook: Webhook, *, most: int) -> bool:
        """Keep an endpoint; False where the platform has so many already."""
        count = select(func.count()).where(t.webhooks.c.platform == webhook.platform)
        with self._database.write() as connection:
            if connection.execute(count).scalar_one() >= most:
                return False
            values = webhook._asdict() | {"events": " ".join(webhook.events)}
            connection.execute(insert(t.webhooks).values(values))
            return True

    def of_platform(self, platform: str) -> list[Webhook]:
        """Return the endpoints of a platform, the oldest first."""
        query = _webhooks().where(t.webhooks.c.platform == platform)
        with self._database.read() as connection:
            ordered = query.order_by(t.webhooks.c.created, t.webhooks.c.id)
            return [_webhook(row) for row in connection.execute(ordered)]

    def remove(self, webhook: str) -> None:
        """Forget an endpoint and what was on its way to it."""
        with self._database.write() as connection:
            connection.execute(delete(t.deliveries).where(t.deliveries.c.webhook == webhook))
            connection.execute(delete(t.webhooks).where(t.webhooks.c.id == webhook))

    def deliveries(self, webhook: str, *, before: int | None, limit: int) -> list[Delivery]:
        """Return deliveries to an endpoint, newest first, those before a number."""
        query = _deliveries().where(t.deliveries.c.webhook == webhook)
        if before is not None:
            query = query.where(t.deliveries.c.number < before)
        return self._all(query.order_by(t.deliveries.c.number.desc()).limit(limit))

    def replay(self, webhook: Webhook, event: str, *, now: int) -> Delivery | None:
        """Have an event of the endpoint's platform sent (again) to it; None where there is none."""
        known = select(t.events.c.id).where(t.events.c.id == event, t.events.c.platform == webhook.platform)
        mine = (t.deliveries.c.webhook == webhook.id, t.deliveries.c.event == event)
        anew = _waiting(webhook.id, event, due=now)
        with self._database.write() as connection:
            if connection.execute(known).first() is None:
                return None
            if not connection.execute(update(t.deliveries).where(*mine).values(anew)).rowcount:
                connection.execute(insert(t.deliveries).values(anew))
            return _delivery(connection.execute(_deliveries().where(*mine)).one())

    def ready(self, now: int) -> list[Webhook]:
        """Return the endpoints to which something is to be sent by now; none of a suspended platform."""
        query = (
            _webhooks()
            .join(s.platforms, s.platforms.c.id == t.webhooks.c.platform)
            .where(t.webhooks.c.disabled == "", s.platforms.c.suspended == "")
            .where(_due(now).where(t.deliveries.c.webhook == t.webhooks.c.id).exists())
        )
        with self._database.read() as connection:
            return [_webhook(row) for row in connection.execute(query)]

    def due(self, webhook: str, *, now: int, limit: int) -> list[Delivery]:
        """Return what is to be sent to an endpoint by now, the longest due first."""
        waiting = _deliveries().where(t.deliveries.c.state == DeliveryState.WAITING)
        query = waiting.where(t.deliveries.c.webhook == webhook, t.deliveries.c.next_at <= now)
        return self._all(query.order_by(t.deliveries.c.next_at, t.deliveries.c.number).limit(limit))

    def record(self, sent: Sent, *, now: str) -> None:
        """Write down how an attempt went, durably."""
        self._writes.submit(lambda connection: _record(connection, sent, now=now)).result()

    def forget(self, before: str) -> None:
        """Forget events from before a moment that wait for no endpoint."""
        awaited = select(t.deliveries.c.event).where(t.deliveries.c.state == DeliveryState.WAITING)
        old = select(t.events.c.id).where(t.events.c.created < before, t.events.c.id.not_in(awaited))
        with self._database.write() as connection:
            ended = connection.execute(old).scalars().all()
            for first in range(0, len(ended), 1000):  # SQL takes a bounded number of values
                some = ended[first : first + 1000]
                connection.execute(delete(t.deliveries).where(t.deliveries.c.event.in_(some)))
                connection.execute(delete(t.events).where(t.events.c.id.in_(some)))

    def _all(self, query: Select[Any]) -> list[Delivery]:
        with self._database.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]


def _record(connection: Connection, sent: Sent, *, now: str) -> None:
    tried = sent.delivery
    values = {name: getattr(tried, name) for name in ("state", "attempts", "next_at", "status", "detail")}
    one = t.deliveries.c.number == tried.number
    connection.execute(update(t.deliveries).where(one).values(values))
    endpoint = update(t.webhooks).where(t.webhooks.c.id == tried.webhook)
    if tried.state is DeliveryState.DELIVERED:
        connection.execute(endpoint.where(t.webhooks.c.failing != "").values(failing=""))
        return
    connection.execute(endpoint.where(t.webhooks.c.failing == "").values(failing=now))
    if sent.disabled:
        connection.execute(endpoint.values(disabled=sent.disabled))
        waiting = (t.deliveries.c.webhook == tried.webhook, t.deliveries.c.state == DeliveryState.WAITING)
        given_up = {"state": DeliveryState.FAILED, "next_at": 0, "detail": sent.disabled}
        connection.execute(update(t.deliveries).where(*waiting).values(given_up))


def _targets(connection: Connection) -> dict[str, list[Webhook]]:
    """Return the endpoints that take events, by platform."""
    by_platform: dict[str, list[Webhook]] = {}
    for row in connection.execute(_webhooks().where(t.webhooks.c.disabled == "")):
        webhook = _webhook(row)
        by_platform.setdefault(webhook.platform, []).append(webhook)
    return by_platform


def _waiting(webhook: str, event: str, *, due: int) -> dict[str, Any]:
    """Return a delivery of which nothing was tried yet."""
    return {
        "webhook": webhook,
        "event": event,
        "state": DeliveryState.WAITING,
        "attempts": 0,
        "next_at": due,
        "status": 0,
        "detail": "",
    }


def _due(now: int) -> Select[Any]:
    return select(t.deliveries.c.number).where(
        t.deliveries.c.state == DeliveryState.WAITING, t.deliveries.c.next_at <= now
    )


def _webhooks() -> Select[Any]:
    return select(*(t.webhooks.c[name] for name in Webhook._fields))


def _webhook(row: Sequence[Any]) -> Webhook:
    found = Webhook(*row)
    return found._replace(events=tuple(map(EventType, str(found.events).split())))


def _deliveries() -> Select[Any]:
    of_event = {"type", "payload", "created"}
    columns = [(t.events if name in of_event else t.deliveries).c[name] for name in Delivery._fields]
    return select(*columns).join_from(t.deliveries, t.events, t.events.c.id == t.deliveries.c.event)


def _delivery(row: Sequence[Any]) -> Delivery:
    found = Delivery(*row)
    return found._replace(state=DeliveryState(found.state), type=EventType(found.type))
