"""Requests with ids of their callers' making: digests and answers for ever, bodies for a while."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from gateway.model.canonical import digest
from gateway.ports import KnownRequest, Standing
from gateway.store.database import Database
from gateway.store.dialects import upsert
from gateway.store.ledger_tables import requests

__all__ = ["SqlRequests"]


class SqlRequests:
    """What was asked and answered (:class:`gateway.ports.Requests`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def receive(self, platform: str, bodies: Sequence[tuple[str, str]], *, now: int) -> list[KnownRequest]:
        """Keep requests as (id, canonical body), in order; one that comes twice is known the second time."""
        with self._database.write(alone=False) as connection:
            return [_receive(connection, platform, request=one, body=body, now=now) for one, body in bodies]

    def answer(self, platform: str, answers: Sequence[tuple[str, str]]) -> list[str]:
        """Keep answers as (id, answer) and return those in force: the first that was kept of each."""
        mine = (requests.c.platform == platform, requests.c.id == bindparam("_id"))
        first = update(requests).where(*mine, requests.c.answer.is_(None)).values(answer=bindparam("_answer"))
        kept = select(requests.c.answer).where(*mine)
        with self._database.write(alone=False) as connection:
            connection.execute(first, [{"_id": one, "_answer": answer} for one, answer in answers])
            return [connection.execute(kept, {"_id": one}).scalar_one() for one, _ in answers]

    def forget(self, before: int) -> None:
        """Forget bodies of answered requests received before a moment; digests and answers stay."""
        old = (requests.c.received < before, requests.c.answer.is_not(None), requests.c.body.is_not(None))
        with self._database.write(alone=False) as connection:
            connection.execute(update(requests).where(*old).values(body=None))


def _receive(connection: Connection, platform: str, *, request: str, body: str, now: int) -> KnownRequest:
    """Insert a request, or find the one with its id, which another worker may insert at this moment."""
    values = {"platform": platform, "id": request, "digest": digest(body.encode()), "received": now}
    unless_known = upsert(connection, requests).values(values | {"body": body}).on_conflict_do_nothing()
    if connection.execute(unless_known.returning(requests.c.id)).scalar() is not None:
        return KnownRequest(Standing.NEW, body)
    mine = (requests.c.platform == platform, requests.c.id == request)
    row = connection.execute(select(requests).where(*mine)).one()
    same = row.digest == values["digest"]
    return KnownRequest(Standing.SAME if same else Standing.OTHER, row.body or "", row.answer or "")
