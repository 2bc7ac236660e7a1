"""Operations in the database: submissions from their arrival to their result."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from itertools import accumulate
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, tuple_, update

from gateway.ports import NewOperation, Operation, OperationKind, OperationState, Spool
from gateway.store.serving import tables as t
from gateway.store.serving.webhooks import announce
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import upsert
from gateway.store.sql.group_commit import GroupCommit

__all__ = ["SqlOperations"]

_OPEN: Final = (OperationState.RECEIVED, OperationState.WORKING)
TAKEN_MAX: Final = 2000  # operations that are converted together


class SqlOperations:
    """The submissions of all platforms (:class:`gateway.ports.Operations`)."""

    def __init__(self, database: Database, writes: GroupCommit) -> None:
        self._database = database
        self._writes = writes

    def receive(self, operation: NewOperation) -> Operation:
        """Keep a submission durably; one with a known key is not kept again, the first is returned."""
        return self._writes.submit_item(_receive, operation).result()

    def receive_all(self, operations: Sequence[NewOperation]) -> list[Operation | Exception]:
        """Keep submissions durably, each as if it came alone; returns what kept one from it in its place."""
        kept = [self._writes.submit_item(_receive, operation) for operation in operations]
        return [_told(one) for one in kept]

    def operation(self, operation_id: str) -> Operation | None:
        """Return one operation."""
        return self._first(_operations().where(t.operations.c.id == operation_id))

    def by_key(self, platform: str, key: str) -> Operation | None:
        """Return the operation of a platform with that idempotency key."""
        return self._first(
            _operations().where(t.operations.c.platform == platform, t.operations.c.key == key)
        )

    def of_platform(self, platform: str, *, before: int | None, limit: int) -> list[Operation]:
        """Return operations of a platform, newest first, those before a number."""
        query = _operations().where(t.operations.c.platform == platform)
        if before is not None:
            query = query.where(t.operations.c.number < before)
        return self._all(query.order_by(t.operations.c.number.desc()).limit(limit))

    def content(self, operation: Operation) -> bytes:
        """Return what an operation that is not done brought; empty where it waits in a file."""
        query = select(t.contents.c.rows).where(t.contents.c.operation == operation.number)
        with self._database.read() as connection:
            return connection.execute(query).scalar() or b""

    def finished(self, operation_ids: Sequence[str]) -> list[Operation]:
        """Return those of some operations that are done or have failed."""
        query = _operations().where(t.operations.c.id.in_(operation_ids))
        return self._all(query.where(t.operations.c.state.not_in(_OPEN)))

    def waiting(self, platform: str | None = None) -> int:
        """Return how many operations are not done, of one platform or of all."""
        query = select(func.count()).select_from(t.operations).where(t.operations.c.state.in_(_OPEN))
        if platform is not None:
            query = query.where(t.operations.c.platform == platform)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def oldest_waiting(self) -> str | None:
        """Return since when the oldest operation that is not done has been waiting."""
        query = select(t.operations.c.created).where(t.operations.c.state.in_(_OPEN))
        with self._database.read() as connection:
            found: str | None = connection.execute(query.order_by(t.operations.c.number).limit(1)).scalar()
        return found

    def spooled(self) -> list[Spool]:
        """Return what was being worked on when the last sequencer ended."""
        working = _operations().where(t.operations.c.state == OperationState.WORKING)
        by_spool: dict[str, list[Operation]] = {}
        for operation in self._all(working.order_by(t.operations.c.number)):
            by_spool.setdefault(operation.spool or "", []).append(operation)
        return [Spool(name, some[0].mapping, some[0].adapter, some) for name, some in by_spool.items()]

    def take(
        self,
        *,
        rows: int,
        write: Callable[[str, Sequence[bytes]], None],
        name: str,
        versions: Callable[[str], Iterable[str]],
    ) -> Spool | None:
        """Take the oldest waiting operations of one mapping and adapter together, about so many rows.

        A file, or an order, is taken alone, and nothing is written for it.
        """
        chosen = self._next(rows)
        if not chosen:
            return None
        joined = chosen[0].kind is OperationKind.ROWS
        spool = name if joined else chosen[0].id
        if joined:
            contents = self._contents(chosen)
            write(spool, [contents.get(operation.number, b"") for operation in chosen])
        starts = list(accumulate((operation.rows for operation in chosen), initial=1))[:-1]
        digests = " ".join(versions(chosen[0].mapping))
        taken = [
            one._replace(state=OperationState.WORKING, spool=spool, first_row=first, versions=digests)
            for one, first in zip(chosen, starts, strict=True)
        ]
        marks = [{"_number": one.number, "first_row": one.first_row} for one in taken]
        alike = {"state": OperationState.WORKING, "spool": spool, "versions": digests}
        working = update(t.operations).where(t.operations.c.number == bindparam("_number"))
        with self._database.write() as connection:
            connection.execute(working.values(alike), marks)
        return Spool(spool, taken[0].mapping, taken[0].adapter, taken)

    def crashed(self, spool: str) -> None:
        """Count a crash of the program while it converted the operations of a spool."""
        counted = {"crashes": t.operations.c.crashes + 1}
        with self._database.write() as connection:
            connection.execute(update(t.operations).where(t.operations.c.spool == spool).values(counted))

    def spools_in_use(self) -> set[str]:
        """Return the names of the files that are still to be converted."""
        names = select(t.operations.c.id, t.operations.c.spool).where(t.operations.c.state.in_(_OPEN))
        with self._database.read() as connection:
            return {name for row in connection.execute(names) for name in row if name}

    def finish(self, results: Sequence[tuple[str, OperationState, str]], *, now: str, log_size: int) -> None:
        """Write down what became of operations, announce it, and drop their contents: all or nothing."""
        done = update(t.operations).where(t.operations.c.id == bindparam("_id"))
        rows = [{"_id": name, "state": state, "result": result} for name, state, result in results]
        finished = select(t.operations.c.number).where(t.operations.c.id.in_([row["_id"] for row in rows]))
        with self._database.write() as connection:
            connection.execute(done, rows)
            announce(connection, results, now=now, log_size=log_size)
            connection.execute(delete(t.contents).where(t.contents.c.operation.in_(finished)))

    def _next(self, rows: int) -> list[Operation]:
        waiting = _operations().where(t.operations.c.state == OperationState.RECEIVED)
        oldest = self._all(waiting.order_by(t.operations.c.number).limit(TAKEN_MAX))
        chosen: list[Operation] = []
        total = 0
        for operation in oldest:
            like_first = (operation.mapping, operation.adapter) == (oldest[0].mapping, oldest[0].adapter)
            if not like_first or (chosen and total + operation.rows > rows):
                break
            if operation.kind is not OperationKind.ROWS:
                return chosen or [operation]
            chosen.append(operation)
            total += operation.rows
        return chosen

    def _contents(self, some: Sequence[Operation]) -> dict[int, bytes]:
        """Return the rows of operations, by number; of files there are none here."""
        of_some = t.contents.c.operation.in_([operation.number for operation in some])
        with self._database.read() as connection:
            return dict(connection.execute(select(t.contents).where(of_some)).all())

    def _first(self, query: Select[Any]) -> Operation | None:
        found = self._all(query.limit(1))
        return found[0] if found else None

    def _all(self, query: Select[Any]) -> list[Operation]:
        with self._database.read() as connection:
            return [_operation(row) for row in connection.execute(query)]


def _told(kept: "Future[Operation]") -> Operation | Exception:
    try:
        return kept.result()
    except Exception as error:  # noqa: BLE001 - it is the answer to whoever sent this one
        return error


def _operations() -> Select[Any]:
    return select(*(t.operations.c[name] for name in Operation._fields))


def _operation(row: Sequence[Any]) -> Operation:
    found = Operation(*row)
    return found._replace(state=OperationState(found.state), kind=OperationKind(found.kind))


def _receive(connection: Connection, new: Sequence[NewOperation]) -> list[Operation]:
    """Insert operations, or find those with their keys, which another worker may insert at this moment."""
    firsts: dict[tuple[str, str], NewOperation] = {}
    for one in new:
        firsts.setdefault((one.platform, one.key), one)
    numbers = _insert(connection, list(firsts.values()))
    kept = [
        {"operation": numbers[key], "rows": one.content}
        for key, one in firsts.items()
        if key in numbers and one.content is not None
    ]
    if kept:
        connection.execute(insert(t.contents), kept)
    found = {key: Operation(number=number, **_values(firsts[key])) for key, number in numbers.items()}
    if missing := firsts.keys() - numbers.keys():
        known = _operations().where(tuple_(t.operations.c.platform, t.operations.c.key).in_(missing))
        found |= {(one.platform, one.key): one for one in map(_operation, connection.execute(known))}
    return [found[one.platform, one.key] for one in new]


def _insert(connection: Connection, new: Sequence[NewOperation]) -> dict[tuple[str, str], int]:
    """Insert those operations whose keys are not known; returns their numbers, in the order of arrival."""
    columns = t.operations.c
    unless_known = upsert(connection, t.operations).on_conflict_do_nothing(index_elements=["platform", "key"])
    inserted = connection.execute(
        unless_known.returning(columns.platform, columns.key, columns.number),
        [_values(one) for one in new],
    )
    return {(platform, key): number for platform, key, number in inserted}


def _values(new: NewOperation) -> dict[str, Any]:
    """Return an operation's values at its arrival, all but its number."""
    names = [name for name in Operation._fields if name in NewOperation.__dataclass_fields__]
    arrived = {"state": OperationState.RECEIVED, "spool": None, "first_row": 0, "result": "", "crashes": 0}
    return {name: getattr(new, name) for name in names} | arrived | {"versions": ""}
