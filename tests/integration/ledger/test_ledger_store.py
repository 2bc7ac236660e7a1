"""The ledger's store: what the pure books say, kept, on SQLite and on PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import permutations
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import text

from gateway.errors import IntegrityBroken, InvariantBroken, Refused
from gateway.ledger import (
    Clerk,
    Dispute,
    Head,
    Limit,
    Reservation,
    Verdict,
    WindowState,
    WindowStep,
)
from gateway.ports import Decide, TransferStep
from gateway.store.ledger.books import SqlLedger, SqlLedgerReader
from gateway.store.sql.database import Database
from tests.fakes.ledger_stores import abort, commit, reserve
from tests.fakes.ledgers import DAY, Abort, B, Commit, Programme, limited, lot, moving, run
from tests.integration.ledger.conftest import NewAddress, open_database
from tests.integration.ledger.rebuilding import require_rebuilt, require_rebuilt_apart

pytestmark = pytest.mark.xdist_group("servers")


PROGRAMMES: Final = int(os.environ.get("TANQIAO_LEDGER_STORE_PROGRAMMES", "3"))


@pytest.fixture
def ledger(database: Database) -> Iterator[SqlLedger]:
    with SqlLedger(database) as ledger:
        ledger.limit(limited(100))
        yield ledger


@pytest.fixture
def reader(database: Database) -> SqlLedgerReader:
    return SqlLedgerReader(database)


def test_a_transfer_is_reserved_and_committed(ledger: SqlLedger, reader: SqlLedgerReader) -> None:
    wanted = moving("tr_1", 60, of=lot(mg=100), recognised=50)

    reserved = ledger.submit(reserve(wanted)).result()
    assert (reserved.done, reserved.version, reserved.state, reserved.decision) == (True, 1, "RESERVED", None)
    assert reader.reservation("tr_1") == wanted
    assert [one.id for one in reader.due(now=2**40, limit=9)] == ["tr_1"]
    taken = ledger.submit(commit("tr_1")).result()

    assert taken.decision == reader.decision("tr_1")
    assert taken.decision is not None
    assert (taken.decision.verdict, taken.decision.window, taken.decision.decided) == (
        "COMMIT",
        1,
        "2026-11-22T08:00:00Z",
    )
    assert reader.standing().book.lots[f"r-1>{B}"].platform == B
    assert reader.due(now=2**40, limit=9) == []
    require_rebuilt(reader)


def test_what_is_refused_is_decided_at_once_and_for_ever(ledger: SqlLedger, reader: SqlLedgerReader) -> None:
    refused = ledger.submit(reserve(moving("tr_1", 101))).result()

    assert (refused.done, refused.state) == (True, "ABORTED")
    assert refused.refusal is not None
    assert refused.refusal.code == "position-limit"
    assert refused.decision is not None
    assert (refused.decision.verdict, refused.decision.reason) == ("ABORT", "position-limit")
    ledger.limit(limited(1_000))
    again = ledger.submit(reserve(moving("tr_1", 101))).result()
    assert (again.done, again.decision) == (False, refused.decision)
    late = ledger.submit(commit("tr_1")).result()
    assert (late.done, late.decision) == (False, refused.decision)
    require_rebuilt(reader)


def test_of_commit_and_expiry_one_is_taken_and_the_other_is_told(
    ledger: SqlLedger, reader: SqlLedgerReader
) -> None:
    for n in range(20):
        ledger.run([reserve(moving(f"tr_{n}", 1))])

    pairs = [(ledger.submit(commit(f"tr_{n}")), ledger.submit(abort(f"tr_{n}"))) for n in range(20)]

    for one, other in pairs:
        assert [one.result().done, other.result().done] == [True, False]
        assert one.result().decision == other.result().decision
    require_rebuilt(reader)


def test_the_same_id_twice_in_a_batch_is_taken_once(ledger: SqlLedger, reader: SqlLedgerReader) -> None:
    wanted = reserve(moving("tr_1", 60))

    taken = ledger.run([wanted, wanted, commit("tr_1"), abort("tr_1"), commit("tr_1", version=2)])

    assert [one.done for one in taken] == [True, False, True, False, False]
    assert {one.decision for one in taken[2:]} == {reader.decision("tr_1")}
    require_rebuilt(reader)


def test_a_step_that_breaks_an_invariant_breaks_no_other(ledger: SqlLedger, reader: SqlLedgerReader) -> None:
    longer = moving("tr_x", 10, of=lot(record="r-x")._replace(expires=DAY))
    ledger.run([reserve(longer)])

    futures = [
        ledger.submit(step)
        for step in (reserve(moving("tr_1", 10)), commit("tr_x"), reserve(moving("tr_2", 10)))
    ]

    assert futures[0].result().done
    with pytest.raises(InvariantBroken, match="I11"):
        futures[1].result()
    assert futures[2].result().done
    require_rebuilt(reader)


ORDERS = {
    60: list(permutations(range(3))),
    90: [[(first + n) % 10 for n in range(10)] for first in range(10)],
}


@pytest.mark.parametrize("batch", [1, 2, 3, 10])
@pytest.mark.parametrize("mg", ORDERS)
def test_of_amounts_that_do_not_fit_together_the_first_is_accepted_in_any_order_and_batches(
    ledger: SqlLedger, reader: SqlLedgerReader, mg: int, batch: int
) -> None:
    """Three of 60, ten of 90, under a cap of 100; each order is tried on a corridor of its own."""
    for number, order in enumerate(ORDERS[mg]):
        source, destination = (f"cn-{number:06}/{end}" for end in ("from", "to"))
        ledger.limit(limited(100, source=source, destination=destination))
        steps = [
            reserve(
                moving(f"tr_{number}_{n}", mg, of=lot(source, mg, record=f"r-{number}-{n}"), to=destination)
            )
            for n in order
        ]

        taken = [one for n in range(0, len(order), batch) for one in ledger.run(steps[n : n + batch])]

        assert [one.refusal is None for one in taken] == [True, *(len(order) - 1) * [False]]
    require_rebuilt(reader)


@pytest.mark.parametrize(("count", "mg"), [(3, 60), (10, 90)])
def test_of_amounts_that_do_not_fit_together_one_is_accepted_from_many_writers(
    database: Database, reader: SqlLedgerReader, count: int, mg: int
) -> None:
    with ExitStack() as stack:
        writers = [stack.enter_context(SqlLedger(database)) for _ in range(4)]
        for n in range(5):
            pair = (f"cn-00000{n}/from", f"cn-00000{n}/to")
            writers[0].limit(limited(100, source=pair[0], destination=pair[1]))
            wanted = [
                moving(f"tr_{n}_{m}", mg, of=lot(pair[0], mg, record=f"r-{n}-{m}"), to=pair[1])
                for m in range(count)
            ]
            futures = [writers[m % 4].submit(reserve(one)) for m, one in enumerate(wanted)]
            accepted = [future.result() for future in futures if future.result().refusal is None]
            assert len(accepted) == 1
    require_rebuilt(reader)


def test_a_database_that_is_not_there_is_told_to_each(address: str, tmp_path: Path) -> None:
    database = open_database(address, tmp_path)
    with SqlLedger(database) as ledger, database.engine.begin() as connection:
        connection.execute(text("DROP TABLE ledger_head"))
        connection.commit()

        futures = [ledger.submit(reserve(moving(f"tr_{n}", 1))) for n in range(5)]

        for future in futures:
            assert isinstance(future.exception(), IntegrityBroken)
    database.close()


def test_random_programmes_end_as_the_pure_books_end(new_address: NewAddress, tmp_path: Path) -> None:
    """Batches of any size, with limits, disputes and windows between them, give what single commands give."""
    for seed in range(PROGRAMMES):
        database = open_database(new_address(), tmp_path)
        with SqlLedger(database) as ledger:
            Replaying(seed, ledger, SqlLedgerReader(database)).all()
        require_rebuilt(SqlLedgerReader(database))
        for entries in (1, 2 + seed, 500):
            require_rebuilt_apart(database, entries=entries)
        database.close()


class Replaying:
    """A random programme, given to the pure books one by one and to the store in batches."""

    def __init__(self, seed: int, ledger: SqlLedger, reader: SqlLedgerReader) -> None:
        self._ledger = ledger
        self._reader = reader
        self._programme = Programme(seed)
        self._clerk = Clerk(
            self._programme.book, Head(), reservations={}, decisions={}, windows={1: WindowState.OPEN}
        )
        self._waiting: list[tuple[TransferStep, str]] = []

    def all(self) -> None:
        for limit in self._programme.limits():
            self._clerk.limit(limit)
            self._ledger.limit(limit)
        for _ in range(60):
            command = self._programme.command(window=self._clerk.head.window)
            outcome = run(self._clerk, command, decided="2026-11-22T08:00:00Z")
            if isinstance(command, Reservation | Commit | Abort):
                step = self._step(command)
                self._waiting.append((step, outcome))
                if self._programme.random.random() < 0.7:
                    continue
                self._flush()
            else:
                self._flush()
                assert self._alone(command) == outcome
        self._flush()
        standing = self._reader.standing()
        assert standing.head == self._clerk.head
        assert standing.book == self._clerk.book

    def _step(self, command: Reservation | Commit | Abort) -> TransferStep:
        match command:
            case Reservation():
                return reserve(command)
            case Commit():
                return commit(command.transfer)
            case Abort():
                return abort(command.transfer)._replace(command=Decide(Verdict.ABORT, "asked"))

    def _flush(self) -> None:
        taken = self._ledger.run([step for step, _ in self._waiting])
        for one, (step, outcome) in zip(taken, self._waiting, strict=True):
            if one.refusal is not None:
                assert one.refusal.code == outcome
            elif not isinstance(step.command, Reservation):
                assert one.decision is not None
                assert one.decision.verdict == outcome
        self._waiting = []

    def _alone(self, command: Limit | Dispute | WindowStep) -> str:
        try:
            match command:
                case Limit():
                    self._ledger.limit(command)
                case Dispute():
                    self._ledger.dispute(command)
                case WindowStep():
                    self._ledger.step_windows(command)
        except Refused as refused:
            return refused.code
        return ""
