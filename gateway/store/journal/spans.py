"""When accepted acts took place, under keyed hashes of their persons, for as long as it is needed."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, case, delete, select

from gateway.ports import NewSpan
from gateway.store.sql.dialects import upsert
from gateway.store.sql.tables import own_spans

__all__ = ["drop_spans", "read_spans", "write_spans"]

_KEYS_PER_QUERY: Final = 8192  # SQLite takes 32,766 parameters; larger lists gain nothing


def read_spans(
    connection: Connection, keys: Sequence[bytes], *, day: int, window: tuple[int, int]
) -> dict[bytes, list[tuple[int, int]]]:
    """Return the times of acts by key: those remembered on a day, that reach into the window."""
    found: dict[bytes, list[tuple[int, int]]] = {}
    start, end = window
    columns = own_spans.c
    query = select(columns["key"], columns.start, columns.end).where(
        columns.last_day >= day, columns.end > start, columns.start < end
    )
    for first in range(0, len(keys), _KEYS_PER_QUERY):
        some = keys[first : first + _KEYS_PER_QUERY]
        for key, begun, ended in connection.execute(query.where(columns["key"].in_(some))):
            found.setdefault(key, []).append((begun, ended))
    return found


def write_spans(connection: Connection, spans: Sequence[NewSpan]) -> None:
    """Remember the times of acts."""
    if spans:
        written = upsert(connection, own_spans)
        known, later = own_spans.c.last_day, written.excluded.last_day
        connection.execute(
            written.on_conflict_do_update(
                index_elements=["key", "start", "end"],
                set_={"last_day": case((known > later, known), else_=later)},
            ),
            [span._asdict() for span in sorted(spans)],
        )


def drop_spans(connection: Connection, day: int) -> None:
    """Forget the times of acts that need not be remembered on a day."""
    connection.execute(delete(own_spans).where(own_spans.c.last_day < day))
