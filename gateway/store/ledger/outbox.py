"""Messages on their way to platforms, each taken for a while by one worker and kept until acknowledged."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from gateway.ports import OutboxMessage, OutboxTask
from gateway.store.ledger.tables import outbox
from gateway.store.sql.database import Database
from gateway.store.sql.one_of import VALUES, one_of

__all__ = ["SqlOutbox"]

TOGETHER: Final = 5_000  # numbers in one statement: SQLite takes some 32,000


def _take() -> ReturningUpdate[Any]:
    free = outbox.c.platform.not_in(bindparam("without", expanding=True))
    due = select(outbox.c.number).where(outbox.c.due <= bindparam("now"), free)
    first = due.order_by(outbox.c.due, outbox.c.number).limit(bindparam("most"))
    chosen = first.with_for_update(skip_locked=True).cte("chosen")  # looked up once
    new: dict[str, Any] = {"due": bindparam("until"), "attempts": outbox.c.attempts + 1}
    taken = update(outbox).where(outbox.c.number.in_(select(chosen.c.number)))
    return taken.values(new).returning(outbox)


_TAKE: Final = _take()  # made once: it is asked many times a second


class SqlOutbox:
    """The outbox of transfers (:class:`gateway.ports.Outbox`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, *, now: int, lease: int, limit: int, without: Collection[str] = ()) -> list[OutboxTask]:
        """Take what is due; after ``lease`` seconds others may take what was neither ended nor put off.

        PostgreSQL passes over what another worker takes at this moment; SQLite has one writer at a time.
        """
        given = {"now": now, "until": now + lease, "most": limit, "without": sorted(without)}
        with self._database.write(alone=False) as connection:
            return sorted(_task(row) for row in connection.execute(_TAKE, given))

    def waiting(self, platform: str, *, limit: int) -> list[OutboxTask]:
        """Return what waits for a platform, due or not; first what it was told least often."""
        query = select(outbox).where(outbox.c.platform == platform)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(outbox.c.attempts, outbox.c.number).limit(limit))
            return [_task(row) for row in found]

    def carried(self, tasks: Sequence[OutboxTask]) -> None:
        """Count that a platform is told messages once more, in a file."""
        told = update(outbox).values(attempts=outbox.c.attempts + 1)
        with self._database.write(alone=False) as connection:
            for first in range(0, len(tasks), TOGETHER):
                numbers = [task.number for task in tasks[first : first + TOGETHER]]
                connection.execute(told.where(outbox.c.number.in_(numbers)))

    def end(self, tasks: Sequence[OutboxTask]) -> None:
        """Forget messages that their platforms have acknowledged, whoever has sent them."""
        numbers = [task.number for task in tasks]
        with self._database.write(alone=False) as connection:
            ended = delete(outbox).where(one_of(outbox.c.number, connection.dialect.name))
            connection.execute(ended, {VALUES: numbers})

    def answered(self, messages: Sequence[tuple[str, OutboxMessage]]) -> None:
        """Forget messages about transfers that were answered in another way than to whoever sent them."""
        done: defaultdict[OutboxMessage, list[str]] = defaultdict(list)
        for transfer, message in messages:
            done[message].append(transfer)
        with self._database.write(alone=False) as connection:
            for (platform, kind), transfers in done.items():
                mine = (outbox.c.platform == platform, outbox.c.kind == kind)
                connection.execute(delete(outbox).where(*mine, outbox.c.transfer.in_(transfers)))

    def put_off(self, task: OutboxTask, *, due: int) -> None:
        """Have a message tried again at a moment, unless another worker has it by now."""
        mine = (outbox.c.number == task.number, outbox.c.attempts == task.attempts)
        with self._database.write(alone=False) as connection:
            connection.execute(update(outbox).where(*mine).values(due=due))

    def alarming(self, *, attempts: int, limit: int) -> list[OutboxTask]:
        """Return messages that were tried so often and are still on their way."""
        query = select(outbox).where(outbox.c.attempts >= attempts).order_by(outbox.c.number).limit(limit)
        with self._database.read() as connection:
            return [_task(row) for row in connection.execute(query)]


def _task(row: Row[Any]) -> OutboxTask:
    return OutboxTask(row.number, row.transfer, OutboxMessage(row.platform, row.kind), row.attempts)
