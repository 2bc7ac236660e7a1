"""The checkpoint store in PostgreSQL, for homes that several hosts write to in turn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
    select,
    text,
    update,
)

from gateway.store.log.checkpoints import CheckpointStore, Stored
from gateway.store.sql.dialects import Postgres, upsert

__all__ = ["SharedCheckpoints"]

_LOCK: Final = 0x74616E7169616F + 1  # not the writer's: this may be the same database
_CHECKPOINTS: Final = Table(
    "tanqiao_checkpoints",
    MetaData(),
    Column("origin", String, primary_key=True),
    Column("note", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("policy_digest", String, nullable=False),
    Column("keys_digest", String, nullable=False),
)


class SharedCheckpoints(CheckpointStore):
    """One table of a PostgreSQL database that is never restored: best one of its own."""

    def __init__(self, url: URL) -> None:
        self._dialect = Postgres(url)
        self.place = self._dialect.name
        self._engine = self._dialect.engine()

    def latest(self, origin: str) -> Stored | None:
        """Return what is stored of a log, or None where nothing was ever stored."""
        with self._connection() as connection:
            if not inspect(connection).has_table(_CHECKPOINTS.name):
                return None
            return _select(connection, origin)

    @contextmanager
    def changing(self, origin: str) -> Iterator[tuple[Stored, Callable[[Stored], None]]]:
        """Hold the store from reading the row to changing it; the change is on the disk at the end."""
        with self._connection() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            connection.execute(text("SET LOCAL synchronous_commit = on"))
            if not inspect(connection).has_table(_CHECKPOINTS.name):
                _CHECKPOINTS.create(connection)
            first = upsert(connection, _CHECKPOINTS).values(origin=origin, **asdict(Stored()))
            connection.execute(first.on_conflict_do_nothing())
            row = update(_CHECKPOINTS).where(_CHECKPOINTS.c.origin == origin)

            def replace_row(new: Stored) -> None:
                connection.execute(row.values(**asdict(new)))

            yield _select(connection, origin) or Stored(), replace_row

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except self._dialect.troubles as error:
            raise self._dialect.told(error) from error


def _select(connection: Connection, origin: str) -> Stored | None:
    columns = [_CHECKPOINTS.c[name] for name in asdict(Stored())]
    row = connection.execute(select(*columns).where(_CHECKPOINTS.c.origin == origin)).first()
    return None if row is None else Stored(*row)
