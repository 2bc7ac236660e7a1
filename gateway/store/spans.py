"""When accepted acts took place, under keyed hashes of their persons, for as long as it is needed."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from gateway.ports import NewSpan

__all__ = ["drop_spans", "read_spans", "write_spans"]

_KEYS_PER_QUERY: Final = 8192  # SQLite takes 32,766 parameters; larger lists gain nothing


def read_spans(
    connection: Connection, keys: Sequence[bytes], *, day: int, window: tuple[int, int]
) -> dict[bytes, list[tuple[int, int]]]:
    """Return the times of acts by key: those remembered on a day, that reach into the window."""
    found: dict[bytes, list[tuple[int, int]]] = {}
    for first in range(0, len(keys), _KEYS_PER_QUERY):
        some = keys[first : first + _KEYS_PER_QUERY]
        marks = ",".join("?" * len(some))
        statement = (
            'SELECT key, "start", "end" FROM own_spans'  # noqa: S608 - only question marks are put in
            f' WHERE key IN ({marks}) AND last_day >= ? AND "end" > ? AND "start" < ?'
        )
        for key, start, end in connection.exec_driver_sql(statement, (*some, day, *window)):
            found.setdefault(key, []).append((start, end))
    return found


def write_spans(connection: Connection, spans: Sequence[NewSpan]) -> None:
    """Remember the times of acts."""
    if spans:
        connection.exec_driver_sql(
            'INSERT INTO own_spans (key, "start", "end", last_day) VALUES (?, ?, ?, ?)'
            ' ON CONFLICT (key, "start", "end") DO UPDATE SET last_day = max(last_day, excluded.last_day)',
            [tuple(span) for span in sorted(spans)],
        )


def drop_spans(connection: Connection, day: int) -> None:
    """Forget the times of acts that need not be remembered on a day."""
    connection.exec_driver_sql("DELETE FROM own_spans WHERE last_day < ?", (day,))
