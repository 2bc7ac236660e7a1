"""Used nonces in the database: kept over restarts, shared by workers."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select, tuple_

from gateway.store.dialects import upsert
from gateway.store.group_commit import GroupCommit
from gateway.store.serving_tables import nonces as table

__all__ = ["SqlNonces"]

SWEEP_SECONDS: Final = 60


class SqlNonces:
    """Used nonces in the database (:class:`gateway.ports.Nonces`)."""

    def __init__(self, writes: GroupCommit) -> None:
        self._writes = writes
        self._swept = 0

    def use(self, key_id: str, nonce: str, *, created: datetime, expires: datetime, now: datetime) -> bool:  # noqa: ARG002 - this store forgets nothing, so it need not ask how old a request is
        """Use a nonce up; False if it was used before."""
        self._sweep(int(now.timestamp()))
        values = {"key_id": key_id, "nonce": nonce, "expires": int(expires.timestamp())}

        def write(connection: Connection) -> bool:
            new = upsert(connection, table).values(values).on_conflict_do_nothing()
            return connection.execute(new.returning(table.c.expires)).first() is not None

        return self._writes.submit(write).result()

    def _sweep(self, now: int) -> None:
        """Now and then forget what has expired; rows that another worker sweeps are left to it."""
        if now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        ended = select(table.c.key_id, table.c.nonce).where(table.c.expires < now)
        names = tuple_(table.c.key_id, table.c.nonce)
        sweep = delete(table).where(names.in_(ended.with_for_update(skip_locked=True)))
        self._writes.submit(lambda connection: connection.execute(sweep)).result()
