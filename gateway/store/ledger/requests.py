"""Requests with ids of their callers' making: digests and answers for ever, bodies for a while."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, update

from gateway.model.canonical import digest
from gateway.ports import KnownRequest, Standing
from gateway.store.ledger.tables import requests
from gateway.store.sql.database import Database
from gateway.store.sql.many import rows_of
from gateway.store.sql.unless_known import insert_unless_known, set_once

__all__ = ["SqlRequests"]


class SqlRequests:
    """What was asked and answered (:class:`gateway.ports.Requests`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def receive(self, platform: str, bodies: Sequence[tuple[str, str]], *, now: int) -> list[KnownRequest]:
        """Keep requests as (id, canonical body), in order; one that comes twice is known the second time."""
        if not bodies:
            return []
        digests = [digest(body.encode()) for _, body in bodies]
        given = {
            name: {"platform": platform, "id": name, "digest": hashed, "body": body, "received": now}
            for (name, body), hashed in reversed(list(zip(bodies, digests, strict=True)))
        }
        with self._database.write(alone=False) as connection:
            new = set(insert_unless_known(connection, requests.c.id, rows=list(given.values())))
            repeated = len(new) < len(bodies)
            known = _kept(connection, platform, names=list(given)) if repeated else {}
        received: list[KnownRequest] = []
        for (name, body), hashed in zip(bodies, digests, strict=True):
            if name in new:
                new.remove(name)
                received.append(KnownRequest(Standing.NEW, body))
            else:
                row = known[name]
                standing = Standing.SAME if row.digest == hashed else Standing.OTHER
                received.append(KnownRequest(standing, row.body or "", row.answer or ""))
        return received

    def answer(self, platform: str, answers: Sequence[tuple[str, str]]) -> list[str]:
        """Keep answers as (id, answer) and return those in force: the first that was kept of each."""
        if not answers:
            return []
        given = [{"platform": platform, "id": one, "answer": answer} for one, answer in answers]
        with self._database.write(alone=False) as connection:
            set_once(connection, requests.c.answer, rows=given)
            kept = _kept(connection, platform, names=[one for one, _ in answers])
        return [str(kept[one].answer) for one, _ in answers]

    def forget(self, before: int) -> None:
        """Forget bodies of answered requests received before a moment; digests and answers stay."""
        old = (requests.c.received < before, requests.c.answer.is_not(None), requests.c.body.is_not(None))
        with self._database.write(alone=False) as connection:
            connection.execute(update(requests).where(*old).values(body=None))


def _kept(connection: Connection, platform: str, *, names: Sequence[str]) -> dict[str, Any]:
    """Return what is kept of requests, by their ids."""
    mine = requests.c.platform == platform
    return {row.id: row for row in rows_of(connection, requests.c.id, values=names, also=mine)}
