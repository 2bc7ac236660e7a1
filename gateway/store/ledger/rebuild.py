"""Rebuild the books from their journal in another database, and compare what is kept with that, row by row.

Only the rows that a block of entries touches are held at a time, however long the journal is. What is kept
is read as of one moment, since transfers go on meanwhile.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from types import TracebackType
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    tuple_,
)

from gateway.errors import GatewayError, IntegrityBroken
from gateway.ledger import (
    Clerk,
    Decision,
    Dispute,
    Entry,
    Kind,
    Limit,
    Pair,
    Reservation,
    WindowState,
    WindowStep,
)
from gateway.ports import MovedPart
from gateway.store.ledger import tables as t
from gateway.store.ledger.books import SqlLedgerReader
from gateway.store.ledger.group import Group
from gateway.store.ledger.rows import lot_of, reservation_of, text_of
from gateway.store.sql.appending import Appending
from gateway.store.sql.database import Database
from gateway.store.sql.many import rows_of

__all__ = ["RebuiltBooks"]

ENTRIES: Final = 500  # replayed in one transaction
ROWS: Final = 500  # compared with one query
_NUMBERS: Final = {
    t.accounts.name: "I1",
    t.lots.name: "I2",
    t.positions.name: "I4",
    t.flows.name: "I8",
    t.head.name: "I5",
}
"""The invariant that a table is about; that it can be rebuilt at all is I12."""
_JOURNAL: Final = (t.reservations, t.decisions, t.changes)
_BOOKS: Final = (t.accounts, t.lots, t.positions, t.counters, t.flows, t.windows, t.head)

_SCRATCH: Final = MetaData()
_parts: Final = Table(
    "moved_parts",
    _SCRATCH,
    Column("record", String, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("transfer", String, nullable=False),
    Column("held", Text, nullable=False),
)


class RebuiltBooks:
    """Books that are rebuilt in a scratch database (:class:`gateway.ports.BooksAudit`)."""

    def __init__(self, kept: Database, scratch: Database, *, entries: int = ENTRIES) -> None:
        """Take the journal as it is now; ``entries`` of it are replayed in one transaction."""
        self._entries = entries
        self._journal = SqlLedgerReader(kept)
        self._scratch = scratch
        self._closing = ExitStack()
        self._kept = self._closing.enter_context(kept.read(at_one_moment=True))
        self.head: int = self._kept.execute(select(t.head.c.number)).scalar_one()
        _SCRATCH.create_all(scratch.engine)

    def __enter__(self) -> "RebuiltBooks":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def replay(self) -> Iterator[list[str]]:
        """Take every command of the journal again; yields what differs, for each entry.

        Raises:
            IntegrityBroken: an entry is not there, or could not have been made; nothing after it is rebuilt.
        """
        entries = self._journal.journal(self.head)
        while block := list(islice(entries, self._entries)):
            with self._scratch.write() as connection:
                found = _replayed(connection, block)
            yield from found

    def differing(self) -> Iterator[str]:
        """Yield where what is kept is not what the journal gives, by table and row."""
        beyond = sum(self._count(table.c.number > self.head) for table in (*_JOURNAL, t.postings))
        if beyond:
            yield f"I12 journal: {beyond} rows lie beyond entry {self.head}, with which it ends"
        for table in _BOOKS:
            with self._scratch.read() as made:
                yield from _differing(table, self._kept, other=made)
                yield from _missing(table, made, other=self._kept)

    def moved_records(self, records: Sequence[str]) -> dict[str, list[MovedPart]]:
        """Return every part of some records that was ever set aside to move, in the order of the journal."""
        found: dict[str, list[MovedPart]] = {}
        with self._scratch.read() as connection:
            for start in range(0, len(records), ROWS):
                rows = rows_of(connection, _parts.c.record, values=records[start : start + ROWS])
                names = {row.transfer for row in rows}
                kept = rows_of(connection, t.reservations.c.transfer, values=names)
                reserved = {row.transfer: reservation_of(row.body) for row in kept}
                for row in sorted(rows, key=lambda row: (row.number, row.line)):
                    held = lot_of(row.held)
                    part = MovedPart(row.number, reserved[row.transfer], row.line, held)
                    found.setdefault(row.record, []).append(part)
        return found

    def records_left(self) -> int:
        """Return how many records have moved parts that were not looked at."""
        with self._scratch.read() as connection:
            return int(connection.execute(select(func.count(_parts.c.record.distinct()))).scalar_one())

    def looked_at(self, records: Iterable[str]) -> None:
        """Note that the moved parts of records were looked at."""
        with self._scratch.write() as connection:
            for name in records:
                connection.execute(delete(_parts).where(_parts.c.record == name))

    def _count(self, condition: Any) -> int:  # noqa: ANN401 - an SQL expression
        return int(self._kept.execute(select(func.count()).where(condition)).scalar_one())


def _replayed(connection: Connection, entries: Sequence[Entry]) -> list[list[str]]:
    """Replay entries in one transaction of the scratch database; returns what differs of each."""
    group = Group(connection)
    _load(group, [entry.event for entry in entries])
    clerk = group.clerk()
    found, moved = [], []
    for entry in entries:
        found.append(_again(clerk, entry))
        moved += _moved(entry, clerk)
    with Appending(connection) as writing:
        group.write(clerk, writing)
    if moved:
        connection.execute(insert(_parts), moved)
    return found


def _moved(entry: Entry, clerk: Clerk) -> list[dict[str, Any]]:
    """Return the parts that an entry sets aside to move, each with the lot that it is taken of."""
    event = entry.event
    if not isinstance(event, Reservation) or event.kind is not Kind.MOVE:
        return []
    lots = clerk.book.lots
    return [
        {
            "record": lots[part.lot].record,
            "number": entry.number,
            "line": line,
            "transfer": event.transfer,
            "held": text_of(lots[part.lot]),
        }
        for line, part in enumerate(event.parts)
        if part.lot in lots
    ]


def _load(group: Group, events: Sequence[Any]) -> None:
    """Load whatever rows the events touch."""
    reserved = [event for event in events if isinstance(event, Reservation)]
    steps = [event for event in events if isinstance(event, WindowStep)]
    disputes = [event for event in events if isinstance(event, Dispute)]
    transfers = [event.transfer for event in events if isinstance(event, Reservation | Decision)]
    transfers += [event.original for event in reserved if event.original]
    group.load_reserved(transfers)
    group.load_decided(transfers)
    touched = [*reserved, *group.reservations.values()]
    group.load_books(touched)
    group.load_counters(touched)
    group.load_lots(event.lot for event in disputes)
    group.load_accounts(event.facts.platform for event in disputes if event.facts is not None)
    group.load_positions(event.pair for event in events if isinstance(event, Limit))
    group.load_windows(window for event in steps for window in event.windows)
    group.load_flows(
        window for event in steps if event.state is WindowState.SETTLED for window in event.windows
    )
    group.load_positions({Pair(flow.source, flow.destination) for flow in group.book.flows})


def _again(clerk: Clerk, entry: Entry) -> list[str]:
    """Take the command of an entry again and compare what comes of it."""
    before, where = len(clerk.entries), f"entry {entry.number}"
    clerk.head = clerk.head._replace(number=entry.number - 1)
    try:
        refused = _take(clerk, entry)
    except GatewayError as error:
        raise IntegrityBroken(f"I12 {where} could not have been made: {error}", field=where) from error
    if refused:
        return [f"I4 {where} could not have been made: {refused}"]
    made = clerk.entries[before:]
    if not made:
        return [f"I5 {where} repeats what was done before"]
    found = [] if made[0].event == entry.event else [_told(where, entry.event, made=made[0].event)]
    if made[0].postings != entry.postings:
        found.append(f"I1 {where}: its postings are not those that it leads to")
    return found


def _take(clerk: Clerk, entry: Entry) -> str:
    event = entry.event
    if isinstance(event, Reservation):
        refused = clerk.reserve(event)
        return "" if refused is None else f"{refused.code} {refused.about}"
    if isinstance(event, Decision):
        clerk.decide(event.transfer, event.verdict, reason=event.reason, decided=event.decided)
    elif isinstance(event, Limit):
        clerk.limit(event)
    elif isinstance(event, Dispute):
        clerk.dispute(event)
    else:
        clerk.step(event)
    return ""


def _told(where: str, kept: Any, *, made: Any) -> str:  # noqa: ANN401 - any event of the journal
    names = [name for name in kept._fields if getattr(kept, name) != getattr(made, name)]
    about = f", decision about {kept.transfer}" if isinstance(kept, Decision) else ""
    number = "I5" if isinstance(kept, Decision) else "I12"
    return f"{number} {where}{about}: {', '.join(names)} not as the journal before it gives"


def _differing(table: Table, mine: Connection, *, other: Connection) -> Iterator[str]:
    """Yield the rows of a table that the other database has otherwise, or not at all."""
    for rows, theirs in _beside(table, mine, other=other):
        for key, row in rows.items():
            if key not in theirs:
                yield f"{_place(table, key)}: the journal gives no such row"
                continue
            for name, value in row.items():
                if value != theirs[key][name]:
                    yield f"{_place(table, key)}: {name} is {value}, the journal gives {theirs[key][name]}"


def _missing(table: Table, mine: Connection, *, other: Connection) -> Iterator[str]:
    for rows, theirs in _beside(table, mine, other=other):
        for key in rows.keys() - theirs.keys():
            yield f"{_place(table, key)}: the row that the journal gives is not there"


_Rows = dict[tuple[Any, ...], dict[str, Any]]


def _beside(table: Table, mine: Connection, *, other: Connection) -> Iterator[tuple[_Rows, _Rows]]:
    """Yield blocks of rows by their keys, with those of the other database that have the same keys."""
    columns = list(table.primary_key)
    found = mine.execution_options(yield_per=ROWS).execute(select(table))
    for rows in found.mappings().partitions(ROWS):
        block = _by_key(table, rows)
        theirs = other.execute(select(table).where(tuple_(*columns).in_(list(block)))).mappings()
        yield block, _by_key(table, theirs)


def _by_key(table: Table, rows: Iterable[Any]) -> _Rows:
    names = [str(column.name) for column in table.primary_key]
    return {tuple(row[name] for name in names): dict(row) for row in rows}


def _place(table: Table, key: tuple[Any, ...]) -> str:
    return f"{_NUMBERS.get(table.name, 'I12')} {table.name} {' '.join(map(str, key))}"
