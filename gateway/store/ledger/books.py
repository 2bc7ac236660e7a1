"""The books in a database, SQLite or PostgreSQL: groups of steps in one durable transaction each."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, Select, Table, select
from sqlalchemy.exc import IntegrityError

from gateway.errors import IntegrityBroken, InvariantBroken, Refused
from gateway.ledger import (
    Book,
    Clerk,
    Decision,
    Dispute,
    Entry,
    Event,
    Flow,
    Head,
    Limit,
    Lot,
    Pair,
    Posting,
    Reservation,
    WindowState,
    WindowStep,
)
from gateway.ports import BooksStanding, StepTaken, Transfer, TransferStep
from gateway.store.ledger import tables as t
from gateway.store.ledger.group import Group, run_steps
from gateway.store.ledger.rows import change_of, decision_of, fill, posting_of, reservation_of
from gateway.store.sql.appending import Appending
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import is_conflict
from gateway.store.sql.gathering import Gathering, Works
from gateway.store.sql.many import rows_of

__all__ = ["SqlLedger", "SqlLedgerReader"]

T = TypeVar("T")
BOOKS: Final = (t.accounts, t.lots, t.positions, t.counters, t.flows)
BLOCK: Final = 1_000  # entries that are read at a time
REMEMBERED_MAX: Final = 20_000  # reservations of a process; some twenty MiB


class SqlLedger(Gathering[TransferStep, StepTaken]):
    """Writes the books (:class:`gateway.ports.Ledger`), in a thread of its own what waits together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[str, tuple[int, Reservation]] = {}
        super().__init__(self._commit, name="ledger")

    def __enter__(self) -> "SqlLedger":
        return self

    def submit(self, step: TransferStep) -> "Future[StepTaken]":
        """Have a step taken with those that wait at the same time, in one transaction."""
        return self._put(step)

    def submit_all(self, steps: Sequence[TransferStep]) -> "list[Future[StepTaken]]":
        """Have several steps taken, in one transaction unless one of them breaks it."""
        return self._put_all(steps)

    def run(self, steps: Sequence[TransferStep]) -> list[StepTaken]:
        """Take steps one after the other in one transaction."""
        with self._database.write(alone=False) as connection:
            taken, entries = run_steps(connection, steps, remembered=self._remembered)
        self._remember(entries)
        return taken

    def limit(self, limit: Limit) -> None:
        """Set the limits of a position from now on."""
        self._alone(lambda group: group.load_positions([limit.pair]), lambda clerk: clerk.limit(limit))

    def dispute(self, dispute: Dispute) -> None:
        """Block what is left of a lot, or let it move again."""

        def load(group: Group) -> None:
            group.load_lots([dispute.lot])
            if dispute.facts is not None:
                group.load_accounts([dispute.facts.platform])

        self._alone(load, lambda clerk: clerk.dispute(dispute))

    def step_windows(self, step: WindowStep) -> bool:
        """Have windows take a step; False where they had taken it."""

        def load(group: Group) -> None:
            group.load_windows(step.windows)
            if step.state is WindowState.SETTLED:
                group.load_flows(step.windows)
                group.load_positions({Pair(flow.source, flow.destination) for flow in group.book.flows})

        return self._alone(load, lambda clerk: clerk.step(step))

    def _alone(self, load: Callable[[Group], None], work: Callable[[Clerk], T]) -> T:
        with self._database.write(alone=False) as connection:
            group = Group(connection)
            load(group)
            clerk = group.clerk()
            done = work(clerk)
            with Appending(connection) as writing:
                group.write(clerk, writing)
            return done

    def _remember(self, entries: Iterable[Entry]) -> None:
        """Remember what is reserved and not yet decided: most of it is decided a few seconds later."""
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.clear()
        for number, event, _ in entries:
            if isinstance(event, Reservation):
                self._remembered[event.transfer] = (number, event)
            elif isinstance(event, Decision):
                self._remembered.pop(event.transfer, None)

    def _commit(self, works: Works[TransferStep, StepTaken]) -> None:
        """Commit steps together; where one breaks the group, each is taken by itself."""
        try:
            taken = self.run([step for step, _ in works])
        except Exception as error:  # noqa: BLE001 - it is the answer to whoever asked for these steps
            if len(works) > 1 and _is_of_one(error):
                for work in works:
                    self._commit([work])
                return
            for _, future in works:
                future.set_exception(error)
            return
        for (_, future), answer in zip(works, taken, strict=True):
            future.set_result(answer)


def _is_of_one(error: Exception) -> bool:
    """Tell whether one step may be at fault for what befell its group; else it befalls each of them."""
    return is_conflict(error) or isinstance(error, IntegrityError | Refused | InvariantBroken)


Named = TypeVar("Named", Reservation, Decision)


def _named(row: Any, event: Named) -> Named:  # noqa: ANN401 - a row of either table
    """Return what a row holds, which is about the transfer that it is kept for."""
    if row.transfer != event.transfer:
        told = f"entry {row.number} is about {event.transfer}, kept as one about {row.transfer}"
        raise IntegrityBroken(told, field=row.transfer)
    return event


def _windows(connection: Connection) -> dict[int, WindowState]:
    return {row.number: WindowState(row.state) for row in connection.execute(select(t.windows))}


class SqlLedgerReader:
    """Reads the books (:class:`gateway.ports.LedgerReader`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def transfer(self, transfer: str) -> Transfer | None:
        """Return a transfer."""
        row = self._first(select(t.transfers).where(t.transfers.c.id == transfer))
        return None if row is None else Transfer._make(row)

    def transfers(self, names: Collection[str]) -> dict[str, Transfer]:
        """Return those of some transfers that there are, by id."""
        with self._database.read() as connection:
            rows = rows_of(connection, t.transfers.c.id, values=names)
        return {row.id: Transfer._make(row) for row in rows}

    def due(self, *, now: int, limit: int) -> list[Transfer]:
        """Return transfers whose timer has run out, the longest due first."""
        query = select(t.transfers).where(t.transfers.c.due <= now).order_by(t.transfers.c.due).limit(limit)
        with self._database.read() as connection:
            return [Transfer._make(row) for row in connection.execute(query)]

    def reservation(self, transfer: str) -> Reservation | None:
        """Return what a transfer had reserved."""
        row = self._first(select(t.reservations).where(t.reservations.c.transfer == transfer))
        return None if row is None else reservation_of(row.body)

    def decision(self, transfer: str) -> Decision | None:
        """Return what was decided about a transfer."""
        row = self._first(select(t.decisions).where(t.decisions.c.transfer == transfer))
        return None if row is None else decision_of(row.body)

    def decided(self, names: Collection[str]) -> dict[str, Decision]:
        """Return what was decided about some transfers, by their ids."""
        with self._database.read() as connection:
            rows = rows_of(connection, t.decisions.c.transfer, values=names)
        return {row.transfer: decision_of(row.body) for row in rows}

    def decisions(self, *, after: int, limit: int) -> list[Decision]:
        """Return decisions in their order, those after a number of the journal."""
        query = select(t.decisions.c.body).where(t.decisions.c.number > after)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(t.decisions.c.number).limit(limit))
            return [decision_of(body) for body in found.scalars()]

    def standing(self) -> BooksStanding:
        """Return the whole books as they are kept, at one moment."""
        book = Book()
        with self._database.read(at_one_moment=True) as connection:
            row = connection.execute(select(t.head)).one()
            for table in BOOKS:
                fill(book, table, rows=connection.execute(select(table)))
            windows = _windows(connection)
        return BooksStanding(Head(row.number, row.decision, row.window), book, windows)

    def journal(self, through: int) -> Iterator[Entry]:
        """Return the journal up to a number, with its postings; what it holds never changes."""
        for first in range(0, through, BLOCK):
            yield from self._entries(first, min(first + BLOCK, through))

    def windows(self) -> dict[int, WindowState]:
        """Return the state of each window."""
        with self._database.read() as connection:
            return _windows(connection)

    def flows(self, windows: Sequence[int]) -> dict[Flow, int]:
        """Return what moved in some windows."""
        book = Book()
        with self._database.read() as connection:
            fill(book, t.flows, rows=rows_of(connection, t.flows.c.window, values=windows))
        return book.flows

    def lots(self, names: Collection[str]) -> dict[str, Lot]:
        """Return lots that were ever touched, and what has arrived of them elsewhere, by name."""
        book = Book()
        with self._database.read() as connection:
            fill(book, t.lots, rows=rows_of(connection, t.lots.c.name, values=names))
            arrived = rows_of(connection, t.lots.c.origin, values=names, also=t.ARRIVED)
            fill(book, t.lots, rows=arrived)
        return book.lots

    def counted(self, keys: Collection[str]) -> dict[str, int]:
        """Return what was counted under keys of day limits, reservations included."""
        with self._database.read() as connection:
            return {row.key: row.used for row in rows_of(connection, t.counters.c.key, values=keys)}

    def _entries(self, after: int, through: int) -> list[Entry]:
        events: dict[int, Event] = {}
        postings: defaultdict[int, list[Posting]] = defaultdict(list)
        with self._database.read() as connection:

            def rows(table: Table) -> Iterable[Any]:
                number = table.c.number
                return connection.execute(select(table).where(number > after, number <= through))

            events.update((row.number, _named(row, reservation_of(row.body))) for row in rows(t.reservations))
            events.update((row.number, _named(row, decision_of(row.body))) for row in rows(t.decisions))
            events.update((row.number, change_of(row.kind, row.body)) for row in rows(t.changes))
            for row in sorted(rows(t.postings)):
                postings[row.number].append(posting_of(row.debit, row.credit, amount=row.amount))
        if len(events) != through - after or postings.keys() - events.keys():
            missing = next((one for one in range(after + 1, through + 1) if one not in events), through)
            raise IntegrityBroken(f"the journal has no sound entry {missing}", field="journal")
        return [Entry(number, event, postings[number]) for number, event in sorted(events.items())]

    def _first(self, query: Select[Any]) -> Row[Any] | None:
        with self._database.read() as connection:
            return connection.execute(query).first()
