"""Rows that are appended to tables, and the caller need not wait for each table in turn.

PostgreSQL takes them by COPY, at half of what an insert costs it, and works on those that have come while the
caller makes more. SQLite takes them as parameters of an insert.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from types import TracebackType
from typing import Any, cast

import psycopg
from sqlalchemy import Connection, Table, insert
from sqlalchemy.exc import DBAPIError

__all__ = ["Appending", "at_once"]


class Appending:
    """Appends rows to one table after the other, in the transaction of a connection.

    As long as it is open for a table, nothing else may be asked of the connection: ``end`` first.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._copies = connection.dialect.name == "postgresql"
        self._closing = ExitStack()
        self._table: Table | None = None

    def __enter__(self) -> "Appending":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end()
            return
        with _as_sqlalchemy(self._connection):
            self._closing.__exit__(kind, error, trace)

    def add(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """Append rows of all columns that are not counted up by themselves, in their order.

        Raises:
            IntegrityError: a rule of this table, or of the one before, is broken; at the latest by ``end``.
        """
        if not self._copies:
            names, _ = _columns(table)
            if given := [dict(zip(names, row, strict=True)) for row in rows]:
                self._connection.execute(insert(table), given)
            return
        with _as_sqlalchemy(self._connection):
            for row in rows:
                if self._table is not table:
                    self._begin(table)
                self._copy.write_row(row)

    def end(self) -> None:
        """Have the database take all that was appended.

        Raises:
            IntegrityError: a rule of the tables is broken.
        """
        self._table = None
        with _as_sqlalchemy(self._connection):
            self._closing.close()

    def _begin(self, table: Table) -> None:
        self.end()
        names, types = _columns(table)
        cursor = self._closing.enter_context(_driver(self._connection).cursor())
        quoted = ", ".join(f'"{name}"' for name in names)
        into = f'COPY "{table.name}" ({quoted}) FROM STDIN (FORMAT BINARY)'
        self._copy = self._closing.enter_context(cursor.copy(into.encode()))
        self._copy.set_types(types)
        self._table = table


@lru_cache(maxsize=32)
def _columns(table: Table) -> tuple[list[str], list[str]]:
    """Return the names of the columns that rows give, and their types."""
    given = [one for one in table.columns if one is not table.autoincrement_column]
    return [str(one.name) for one in given], [str(one.type).lower() for one in given]


@contextmanager
def at_once(connection: Connection) -> Iterator[None]:
    """Send statements that give no rows one after the other; PostgreSQL is waited for at the end alone.

    Raises:
        DBAPIError: one of them has failed, maybe told of a later one; the transaction cannot be kept.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    with _as_sqlalchemy(connection), _driver(connection).pipeline():
        yield


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.driver_connection)


@contextmanager
def _as_sqlalchemy(connection: Connection) -> Iterator[None]:
    """Let an error of the driver be told like one of any other statement."""
    try:
        yield
    except psycopg.Error as error:
        told = DBAPIError.instance(
            None, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
        )
        raise told from error
