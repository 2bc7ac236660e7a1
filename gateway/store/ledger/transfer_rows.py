"""Transfers with all that is kept of them, a page at a time (:class:`gateway.ports.TransferRows`)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select, tuple_

from gateway.ports import KeptRequest, KeptTransfer, Transfer
from gateway.store.ledger import tables as t
from gateway.store.ledger.rows import decision_of, reservation_of
from gateway.store.ledger.transfer_tables import ends
from gateway.store.sql.database import Database
from gateway.store.sql.many import rows_of

__all__ = ["SqlTransferRows"]

PAGE: Final = 200


class SqlTransferRows:
    """Reads all transfers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Iterator[KeptTransfer]:
        """Yield all transfers as of one moment, by their ids."""
        query = select(t.transfers).order_by(t.transfers.c.id).limit(PAGE)
        with self._database.read(at_one_moment=True) as connection:
            after = ""
            while rows := connection.execute(query.where(t.transfers.c.id > after)).all():
                yield from _kept(connection, rows)
                after = rows[-1].id

    def orphans(self) -> Iterator[str]:
        """Yield transfers that were reserved or decided, and are not there."""
        with self._database.read() as connection:
            for table in (t.reservations, t.decisions):
                there = table.outerjoin(t.transfers, t.transfers.c.id == table.c.transfer)
                lost = select(table.c.transfer).select_from(there).where(t.transfers.c.id.is_(None))
                yield from connection.execute(lost).scalars()


def _kept(connection: Connection, rows: Sequence[Any]) -> Iterator[KeptTransfer]:
    names = [row.id for row in rows]
    decided = {
        row.transfer: decision_of(row.body)
        for row in rows_of(connection, t.decisions.c.transfer, values=names)
    }
    reserved = {
        row.transfer: reservation_of(row.body)
        for row in rows_of(connection, t.reservations.c.transfer, values=names)
    }
    platforms: defaultdict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(ends).where(ends.c.transfer.in_(names))):
        platforms[row.transfer].add(row.platform)
    asked = _requests(connection, [(one, name) for name in names for one in platforms[name]])
    for row in rows:
        name = row.id
        yield KeptTransfer(
            Transfer._make(row),
            decided.get(name),
            reserved.get(name),
            frozenset(platforms[name]),
            asked.get(name),
        )


def _requests(connection: Connection, keys: Sequence[tuple[str, str]]) -> dict[str, KeptRequest]:
    key = tuple_(t.requests.c.platform, t.requests.c.id)
    rows = connection.execute(select(t.requests).where(key.in_(keys)))
    return {row.id: KeptRequest(row.digest, row.body or "", row.answer or "") for row in rows}
