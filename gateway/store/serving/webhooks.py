"""Webhooks in the database: endpoints, the outbox of events, and how sending them went."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import BigInteger, Connection, Select, delete, func, insert, literal, select, update

from gateway.ports import Delivery, DeliveryState, EventType, OperationState, Sent, Webhook
from gateway.store.serving import tables as s
from gateway.store.serving import webhook_tables as t
from gateway.store.sql.database import Database
from gateway.store.sql.group_commit import GroupCommit

__all__ = ["SqlWebhooks", "announce"]

TOLD_AT_ONCE: Final = 1000  # SQL takes a bounded number of values


_Targets = dict[str, list[Webhook]]
_Event = tuple[EventType, str, str]  # what happened to which operation of which platform


def announce(
    connection: Connection,
    finished: Iterable[tuple[str, OperationState, str]],
    *,
    now: str,
    log_size: int,
) -> None:
    """Queue an event for each finished operation whose platform wants it, in the transaction that ends it.

    Where it wants to know of receipts, note the operation until the log has its quorum at that size.
    """
    targets = _targets(connection)
    if not targets:
        return
    ended = {name: (state, result) for name, state, result in finished}
    query = select(s.operations.c.id, s.operations.c.platform).where(s.operations.c.id.in_(ended))
    found = connection.execute(query).all()
    told = [(EventType(f"operation.{ended[one][0]}"), one, platform) for one, platform in found]
    _tell(connection, told, targets=targets, now=now)
    awaited = [
        {"operation": one, "platform": platform, "log_size": log_size}
        for one, platform in found
        if _wanting(targets.get(platform, []), EventType.RECEIPT_WITNESSED) and _has_records(ended[one][1])
    ]
    if awaited:
        connection.execute(insert(t.unwitnessed), awaited)


def _tell(connection: Connection, told: Iterable[_Event], *, targets: _Targets, now: str) -> None:
    due = int(datetime.fromisoformat(now).timestamp())
    events: list[dict[str, Any]] = []
    deliveries: list[dict[str, Any]] = []
    for kind, operation, platform in told:
        wanting = _wanting(targets.get(platform, []), kind)
        if not wanting:
            continue
        payload = orjson.dumps({"type": kind, "timestamp": now, "data": {"operation": operation}}).decode()
        event = f"{kind.replace('.', '-')}-{operation}"
        events.append({"id": event, "platform": platform, "type": kind, "payload": payload, "created": now})
        deliveries += [_waiting(webhook, event, due=due) for webhook in wanting]
    if events:
        connection.execute(insert(t.events), events)
        connection.execute(insert(t.deliveries), deliveries)


def _wanting(webhooks: Iterable[Webhook], kind: EventType) -> list[str]:
    return [webhook.id for webhook in webhooks if kind in webhook.events]


def _has_records(result: str) -> bool:
    """Tell whether rows or a file became records, or repeat some: those have receipts."""
    told = orjson.loads(result)
    summary = told.get("summary", {})
    counted = summary.get("accepted", 0) + summary.get("duplicates", 0)
    return counted > 0 or any("record" in one for one in told.get("outcomes", ()))


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
            query = query.where(t.deliveries.c.number < literal(before, BigInteger))
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

    def tell_witnessed(self, size: int, *, now: str) -> None:
        """Queue an event for each operation whose records are in the log at a size that has its quorum."""
        covered = t.unwitnessed.c.log_size <= size
        some = select(t.unwitnessed.c.operation, t.unwitnessed.c.platform).where(covered).limit(TOLD_AT_ONCE)
        with self._database.read() as connection:
            if connection.execute(some).first() is None:
                return
        with self._database.write() as connection:
            found = connection.execute(some).all()
            told = [(EventType.RECEIPT_WITNESSED, one, platform) for one, platform in found]
            _tell(connection, told, targets=_targets(connection), now=now)
            names = [one for one, _ in found]
            connection.execute(delete(t.unwitnessed).where(t.unwitnessed.c.operation.in_(names)))

    def forget(self, before: str) -> None:
        """Forget events from before a moment that wait for no endpoint."""
        awaited = select(t.deliveries.c.event).where(t.deliveries.c.state == DeliveryState.WAITING)
        old = select(t.events.c.id).where(t.events.c.created < before, t.events.c.id.not_in(awaited))
        with self._database.write() as connection:
            ended = connection.execute(old).scalars().all()
            for first in range(0, len(ended), TOLD_AT_ONCE):
                some = ended[first : first + TOLD_AT_ONCE]
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


def _targets(connection: Connection) -> _Targets:
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
