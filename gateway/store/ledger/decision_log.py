"""Batches of decisions in the database (:class:`gateway.ports.DecisionLog`)."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    insert,
    select,
)

from gateway.ports import DecisionBatch
from gateway.store.sql.database import Database
from gateway.store.sql.queueing import queue_entry
from gateway.store.sql.tables import METADATA

__all__ = ["SqlDecisionLog", "decision_batches"]

decision_batches: Final = Table(
    "decision_batches",
    METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("through", BigInteger, nullable=False, unique=True),  # the number of its last decision
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("chain", String, nullable=False),
    Column("entry_digest", String, nullable=False),
    Column("issued", String, nullable=False),
    Column("position", BigInteger, ForeignKey("queue.position"), nullable=False),
)
_T: Final = decision_batches.c


class SqlDecisionLog:
    """The batches of decisions of one home."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> DecisionBatch | None:
        """Return the newest batch."""
        return self._first(_batches().order_by(_T.sequence.desc()))

    def all(self) -> Iterator[DecisionBatch]:
        """Return all batches in order."""
        with self._database.read() as connection:
            for row in connection.execute(_batches().order_by(_T.sequence)):
                yield DecisionBatch(*row)

    def holding(self, number: int) -> DecisionBatch | None:
        """Return the batch of the decision with a number of the journal; None where it waits."""
        return self._first(_batches().where(_T.through >= number).order_by(_T.through))

    def through(self, sequence: int) -> int:
        """Return the number of the last decision of a batch; 0 before the first one."""
        found = self._first(_batches().where(_T.sequence == sequence))
        return 0 if found is None else found.through

    def add(self, batch: DecisionBatch, entry: bytes) -> None:
        """Store a batch and queue its log entry in one transaction; its position is given out there."""
        with self._database.write() as connection:
            position = queue_entry(connection, entry)
            values = batch._replace(position=position)._asdict()
            connection.execute(insert(decision_batches).values(values))

    def _first(self, query: Select[Any]) -> DecisionBatch | None:
        with self._database.read() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else DecisionBatch(*row)


def _batches() -> Select[Any]:
    return select(*(_T[name] for name in DecisionBatch._fields))
