"""Give out numbers inside the deciding transaction: positions of the log, batches."""

from sqlalchemy import Column, Connection, func, insert, select

from gateway.store.sql import tables as t

__all__ = ["next_number", "queue_entry"]


def queue_entry(connection: Connection, entry: bytes) -> int:
    """Queue a log entry inside a transaction and return its position."""
    position = next_number(connection, t.queue.c.position)
    connection.execute(insert(t.queue).values(position=position, entry=entry))
    return position


def next_number(connection: Connection, column: Column[int]) -> int:
    """Return the number after the highest one, 0 for an empty table."""
    highest = connection.execute(select(func.max(column))).scalar()
    return 0 if highest is None else int(highest) + 1
