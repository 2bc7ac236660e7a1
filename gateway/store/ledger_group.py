"""One group of steps: what it needs is loaded, a clerk takes the steps, what changed is written.

The row ``ledger_head`` is locked from the first statement to the commit. So groups follow one another, in one
process or several, and each sees the books as the one before has left them. All look-ups are by key.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, bindparam, select, text, update

from gateway.errors import InvariantBroken
from gateway.ledger import (
    ALL,
    Book,
    Clerk,
    Decision,
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
from gateway.store import ledger_tables as t
from gateway.store.appending import Appending
from gateway.store.ledger_rows import (
    Difference,
    account_text,
    changed,
    decision_of,
    difference,
    event_row,
    fill,
    reservation_of,
)
from gateway.store.many import rows_by, rows_by_pair, rows_of, rows_with, update_many

__all__ = ["Group", "run_steps"]

AHEAD: Final = 50  # steps that are taken before their postings are given to the database
_STANDING: Final = (t.transfers.c.id, t.transfers.c.version, t.transfers.c.state)
_NO_SCAN: Final = text("SET LOCAL enable_seqscan = off")
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
        query = rows_by_pair(t.positions.c.platform, t.positions.c.other, self._connection.dialect.name)
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

    def write(self, clerk: Clerk, writing: Appending) -> None:
        """Check what the clerk has done and write it down.

        Raises:
            InvariantBroken: nothing of this transaction may be kept.
        """
        if not clerk.entries:
            return
        self.post(clerk, writing)
        require_step(self._before, self.book)
        journal = defaultdict(list)
        for table, row in map(event_row, clerk.entries):
            journal[table].append(row)
        for table, rows in journal.items():
            writing.add(table, rows)
        differences = [*changed(self._before, self.book), self._moved_windows()]
        for table, new, _ in differences:
            writing.add(table, new)
        writing.end()
        for table, _, known in differences:
            update_many(self._connection, table, known)
        self._connection.execute(_NEW_HEAD, clerk.head._asdict())

    def _moved_windows(self) -> Difference:
        return difference(t.windows, self._windows_before, after=self.windows)

    def _fill(self, table: Table, key: Column[Any], *, values: Iterable[str | int]) -> None:
        fill(self.book, table, rows=rows_of(self._connection, key, values=values))


def run_steps(connection: Connection, steps: Sequence[TransferStep]) -> list[StepTaken]:
    """Take steps one after the other, all in the transaction of this connection."""
    group = Group(connection)
    names = [step.transfer for step in steps]
    query = rows_by(t.transfers.c.id, connection.dialect.name, columns=_STANDING)
    before = {name: (version, state) for name, version, state in rows_with(connection, query, values=names)}
    wanted = [step.command for step in steps if isinstance(step.command, Reservation)]
    originals = [one.original for one in wanted if one.original]
    commanded = {step.transfer for step in steps if step.command is not None and step.transfer in before}
    group.load_decided([*before, *originals])
    group.load_reserved([*commanded, *originals])
    group.load_books([*wanted, *group.reservations.values()])
    aborted = {step.transfer for step in steps if _aborts(step)} & group.reservations.keys()
    group.load_counters([*wanted, *(group.reservations[name] for name in aborted)])
    walk = _Walk(group.clerk(), group.decisions, standing=before)
    taken: list[StepTaken] = []
    with Appending(connection) as writing:
        for first in range(0, len(steps), AHEAD):
            taken += map(walk.take, steps[first : first + AHEAD])
            group.post(walk.clerk, writing)
        group.write(walk.clerk, writing)
        after = walk.transfers.values()
        writing.add(t.transfers, [one for one in after if one.id not in before])
        writing.add(t.outbox, walk.messages)
    known = [one for one in after if one.id in before]
    names = [str(one.name) for one in t.transfers.columns]
    update_many(connection, t.transfers, dict(zip(names, zip(*known, strict=True), strict=False)))
    return taken


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


@lru_cache(maxsize=8)  # the steps of a group were taken within a second or two
def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
