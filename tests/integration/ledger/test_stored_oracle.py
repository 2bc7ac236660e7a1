"""The stored books beside the naive ledger in the same random programmes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from gateway.ledger import Book, Decision, Refusal, Reservation, Verdict, WindowState
from gateway.ports import Decide
from gateway.store.ledger.books import SqlLedger, SqlLedgerReader
from tests.fakes.ledger_stores import commit, reserve
from tests.fakes.oracle_ledger import WITHOUT, Compared
from tests.integration.ledger.conftest import NewAddress, open_database
from tests.integration.ledger.rebuilding import require_rebuilt
from tests.oracle.programmes import programme

pytestmark = pytest.mark.xdist_group("servers")
SEEDS: Final = int(os.environ.get("TANQIAO_ORACLE_STORE_SEEDS", "2"))


class StoredBooks:
    """Books in a database; a batch is one transaction."""

    def __init__(self, ledger: SqlLedger, reader: SqlLedgerReader) -> None:
        self.limit = ledger.limit
        self.step = ledger.step_windows
        self._ledger = ledger
        self._reader = reader

    @property
    def book(self) -> Book:
        return self._reader.standing().book

    @property
    def windows(self) -> dict[int, WindowState]:
        return self._reader.windows()

    def reserve(self, wanted: Sequence[Reservation]) -> list[Refusal | None]:
        return [one.refusal for one in self._ledger.run([reserve(one) for one in wanted])]

    def decide(self, transfer: str, verdict: Verdict) -> Decision:
        (taken,) = self._ledger.run([commit(transfer)._replace(command=Decide(verdict))])
        assert taken.decision is not None
        return taken.decision


def test_the_stored_books_accept_and_hold_what_the_naive_ledger_does(
    new_address: NewAddress, tmp_path: Path
) -> None:
    for seed in range(SEEDS):
        database = open_database(new_address(), tmp_path)
        reader = SqlLedgerReader(database)
        with SqlLedger(database) as ledger:
            compared = Compared(StoredBooks(ledger, reader))
            programme(seed, without=WITHOUT, guide=compared)
            compared.compare()
        require_rebuilt(reader)
        database.close()
