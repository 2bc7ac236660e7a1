"""One group of steps: what it needs is loaded, a clerk takes the steps, what changed is written.

The row ``ledger_head`` is locked from the first statement to the commit. So groups follow one another, in one
process or several, and each sees the books as the one before has left them. All look-ups are by key.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, Table, bindparam, select, text, update

from gateway.errors import InvariantBroken
from gateway.ledger import (
    ALL,
    Book,
    Clerk,
    Decision,
    Entry,
    Head,
    Kind,
    Pair,
    Refusal,
    Reservation,
    Verdict,
    WindowState,
    require_step,
)
from gateway.ports import Decide, StepTaken, Transfer, TransferStep
from gateway.store.ledger import tables as t
from gateway.store.ledger.rows import (
    Difference,
    account_text,
    changed,
    decision_of,
    difference,
    event_row,
    fill,
    reservation_of,
)
from gateway.store.sql.appending import Appending, at_once
from gateway.store.sql.many import rows_by, rows_by_pair, rows_of, rows_with, update_many

__all__ = ["Group", "Remembered", "run_steps"]

Remembered = Mapping[str, tuple[int, Reservation]]
"""Reservations by their transfers, each with the number of its entry; what is reserved never changes."""

AHEAD: Final = 50  # steps that are taken before their postings are given to the database
_NO_SCAN: Final = text("SET LOCAL enable_seqscan = off")
_PAIR: Final = (t.positions.c.platform, t.positions.c.other)
_HEAD: Final = select(t.head).with_for_update()
_NEW_HEAD: Final = update(t.head).values({name: bindparam(name) for name in Head._fields})


class Group:
    """The books as far as a group of commands needs them, inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        """Lock the head: no other group begins before this transaction ends."""
        self._connection = connection
        if connection.dialect.name == "postgresql":
            # a plan made while tables were small must not read a large one from end to end
            connection.execute(_NO_SCAN)
        row = connection.execute(_HEAD).one()
        self.head = Head(row.number, row.decision, row.window)
        self.book = Book()
        self.reservations: dict[str, Reservation] = {}
        self.decisions: dict[str, Decision] = {}
        self.windows: dict[int, WindowState] = {}

    def transfers(self, names: Iterable[str]) -> Sequence[Any]:
        """Return the version and the state of each transfer that there is, and the entry that reserved it."""
        return rows_with(self._connection, _standing(self._connection.dialect.name), values=names)

    def load_reserved(self, transfers: Iterable[str]) -> None:
        """Load what was reserved for transfers."""
        for row in rows_of(self._connection, t.reservations.c.transfer, values=transfers):
            self.reservations[row.transfer] = reservation_of(row.body)

    def load_decided(self, transfers: Iterable[str]) -> None:
        """Load what was decided about transfers."""
        for row in rows_of(self._connection, t.decisions.c.transfer, values=transfers):
            self.decisions[row.transfer] = decision_of(row.body)

    def load_books(self, touched: Sequence[Reservation]) -> None:
        """Load the rows that reservations and their ends touch."""
        pairs = {Pair(one.source, one.destination) for one in touched if one.kind is Kind.MOVE}
        self.load_lots(name for one in touched for name in one.lots())
        self.load_positions(pairs)
        self.load_flows([self.head.window])
        self.load_accounts(name for one in touched for name in (one.source, one.destination))

    def load_counters(self, counted: Iterable[Reservation]) -> None:
        """Load what reservations count in; what is committed stays counted, and needs none of it."""
        self._fill(t.counters, t.counters.c.key, values=(key for one in counted for key in one.counters()))

    def load_lots(self, names: Iterable[str]) -> None:
        """Load lots that were used before."""
        self._fill(t.lots, t.lots.c.name, values=names)

    def load_accounts(self, platforms: Iterable[str]) -> None:
        """Load all accounts of platforms."""
        self._fill(t.accounts, t.accounts.c.platform, values=platforms)

    def load_positions(self, pairs: Iterable[Pair]) -> None:
        """Load the positions of pairs, both ways, and of their platforms towards all."""
        wanted = {
            found
            for one, other in pairs
            for found in (Pair(one, other), Pair(other, one), Pair(one, ALL), Pair(other, ALL))
        }
        query = rows_by_pair(*_PAIR, dialect=self._connection.dialect.name)
        fill(self.book, t.positions, rows=rows_with(self._connection, query, values=map(tuple, wanted)))

    def load_flows(self, windows: Iterable[int]) -> None:
        """Load what moved in windows."""
        self._fill(t.flows, t.flows.c.window, values=windows)

    def load_windows(self, windows: Iterable[int]) -> None:
        """Load the states of windows."""
        for row in rows_of(self._connection, t.windows.c.number, values=windows):
            self.windows[row.number] = WindowState(row.state)

    def clerk(self) -> Clerk:
        """Return a clerk for what was loaded; from here on nothing more may be loaded."""
        self._posted = 0
        self._before = self.book.copy()
        self._windows_before = dict(self.windows)
        return Clerk(
            self.book,
            self.head,
            reservations=self.reservations,
            decisions=self.decisions,
            windows=self.windows,
        )

    def post(self, clerk: Clerk, writing: Appending) -> None:
        """Append the postings of what the clerk has done since this was last called."""
        entries = clerk.entries[self._posted :]
        self._posted += len(entries)
        writing.add(
            t.postings,
            (
                (number, line, account_text(debit), account_text(credit), amount)
                for number, _, postings in entries
                for line, (debit, credit, amount) in enumerate(postings)
            ),
        )

    def write(self, clerk: Clerk, writing: Appending, *besides: Difference) -> None:
        """Check what the clerk has done and write it down, with what else has changed.

        What is changed is sent first: while the database is about it, the rest is checked and made ready.

        Raises:
            InvariantBroken: nothing of this transaction may be kept.
        """
        self.post(clerk, writing)
        writing.end()
        differences = [*changed(self._before, self.book), self._moved_windows(), *besides]
        with at_once(self._connection):
            for table, _, known in differences:
                update_many(self._connection, table, columns=known)
            if clerk.entries:
                self._connection.execute(_NEW_HEAD, clerk.head._asdict())
            require_step(self._before, self.book)
            journal = defaultdict(list)
            for table, row in map(event_row, clerk.entries):
                journal[table].append(row)
        for table, rows in journal.items():
            writing.add(table, rows)
        for table, new, _ in differences:
            writing.add(table, new)

    def _moved_windows(self) -> Difference:
        return difference(t.windows, self._windows_before, after=self.windows)

    def _fill(self, table: Table, key: Column[Any], *, values: Iterable[str | int]) -> None:
        fill(self.book, table, rows=rows_of(self._connection, key, values=values))


def run_steps(
    connection: Connection, steps: Sequence[TransferStep], *, remembered: Remembered
) -> tuple[list[StepTaken], list[Entry]]:
    """Take steps one after the other, all in the transaction of this connection.

    ``remembered`` are entries of the journal that need not be read again. The entries made now are returned.
    """
    group = Group(connection)
    before = _load(group, steps, remembered=remembered)
    walk = _Walk(group.clerk(), group.decisions, standing=before)
    taken: list[StepTaken] = []
    with Appending(connection) as writing:
        for first in range(0, len(steps), AHEAD):
            taken += map(walk.take, steps[first : first + AHEAD])
            group.post(walk.clerk, writing)
        new = [one for name, one in walk.transfers.items() if name not in before]
        known = [one for name, one in walk.transfers.items() if name in before]
        columns = dict(zip(Transfer._fields, zip(*known, strict=True), strict=False))
        transfers = Difference(t.transfers, new, columns)
        group.write(walk.clerk, writing, transfers, Difference(t.outbox, walk.messages, {}))
    return taken, walk.clerk.entries


def _load(
    group: Group, steps: Sequence[TransferStep], *, remembered: Remembered
) -> dict[str, tuple[int, str]]:
    """Load what steps need; returns the versions and states of the transfers that there are."""
    found = group.transfers(step.transfer for step in steps)
    before = {name: (version, state) for name, version, state, _ in found}
    wanted = [step.command for step in steps if isinstance(step.command, Reservation)]
    originals = [one.original for one in wanted if one.original]
    commanded = {step.transfer for step in steps if step.command is not None and step.transfer in before}
    for name, _, _, number in found:
        entry = remembered.get(name)
        if entry is not None and entry[0] == number and name in commanded:
            group.reservations[name] = entry[1]
    group.load_decided([*before, *originals])
    group.load_reserved([*(commanded - group.reservations.keys()), *originals])
    group.load_books([*wanted, *group.reservations.values()])
    aborted = {step.transfer for step in steps if _aborts(step)} & group.reservations.keys()
    group.load_counters([*wanted, *(group.reservations[name] for name in aborted)])
    return before


class _Walk:
    """Steps on their way, one after the other. ``transfers`` are those that have changed."""

    def __init__(
        self, clerk: Clerk, decisions: Mapping[str, Decision], *, standing: Mapping[str, tuple[int, str]]
    ) -> None:
        """``standing`` are the versions and states of the transfers that there are."""
        self.clerk = clerk
        self.transfers: dict[str, Transfer] = {}
        self._standing = dict(standing)
        self.messages: list[tuple[Any, ...]] = []
        self._decisions = decisions

    def take(self, step: TransferStep) -> StepTaken:
        """Take a step, if the transfer is as the step expects it: so each moment is used once."""
        version, state = self._standing.get(step.transfer, (0, ""))
        decision = self._decisions.get(step.transfer)
        if version != step.version or (isinstance(step.command, Decide) and decision is not None):
            return StepTaken(False, version, state, None, decision)
        refused = self._obey(step)
        change = step.change if refused is None else step.otherwise
        if change is None:
            raise InvariantBroken(f"{step.transfer}: nothing says what follows a refusal")
        self._standing[step.transfer] = version + 1, change.state
        self.transfers[step.transfer] = Transfer(
            step.transfer, version + 1, change.state, change.due, change.document
        )
        self.messages += [(step.transfer, *one, step.at, 0) for one in change.messages]
        return StepTaken(True, version + 1, change.state, refused, self._decisions.get(step.transfer))

    def _obey(self, step: TransferStep) -> Refusal | None:
        """Carry the command of a step out; a reservation that is refused is decided at once."""
        command = step.command
        if isinstance(command, Reservation):
            refused = self.clerk.reserve(command)
            if refused is not None:
                self._decide(step, Decide(Verdict.ABORT, refused.code))
            return refused
        if command is not None:
            self._decide(step, command)
        return None

    def _decide(self, step: TransferStep, command: Decide) -> None:
        decided = _moment(step.at)
        self.clerk.decide(step.transfer, command.verdict, reason=command.reason, decided=decided)


def _aborts(step: TransferStep) -> bool:
    return isinstance(step.command, Decide) and step.command.verdict is Verdict.ABORT


@lru_cache(maxsize=2)
def _standing(dialect: str) -> Select[Any]:
    columns = (t.transfers.c.id, t.transfers.c.version, t.transfers.c.state, t.reservations.c.number)
    reserved = t.transfers.outerjoin(t.reservations, t.reservations.c.transfer == t.transfers.c.id)
    return rows_by(t.transfers.c.id, dialect, columns=columns).select_from(reserved)


@lru_cache(maxsize=8)  # the steps of a group were taken within a second or two
def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
