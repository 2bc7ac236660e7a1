"""Rows that are appended, and statements that are sent at once: kept exactly, or not at all."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import GatewayError
from gateway.ledger import Head
from gateway.store.ledger import tables as t
from gateway.store.ledger.books import SqlLedger, SqlLedgerReader
from gateway.store.sql.appending import Appending, at_once
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import DatabaseUnavailable
from gateway.store.sql.many import update_many
from tests.fakes.ledger_stores import AT, commit, reserve
from tests.fakes.ledgers import limited, lot, moving
from tests.fakes.servers import postgres_server
from tests.integration.ledger.conftest import open_database
from tests.integration.ledger.rebuilding import require_rebuilt

pytestmark = pytest.mark.xdist_group("servers")

ODD = "tab\t, line\n, \\N, \\., 碳桥 𠀀, '\"{}"
TRANSFERS = [("tr_1", 1, ODD, None, ""), ("tr_2", 2**62, "", AT, ODD)]
POSTINGS = [(number, line, "a" * 40, "b" * 40, 1) for number in range(1, 2_001) for line in range(4)]


def test_rows_are_kept_as_they_were_given(database: Database) -> None:
    with database.write(alone=False) as connection, Appending(connection) as writing:
        writing.add(t.transfers, TRANSFERS[:1])
        writing.add(t.outbox, [("tr_1", ODD, "credit", AT, 0), ("tr_2", "", "", AT, 1)])
        writing.add(t.transfers, [])
        writing.add(t.transfers, iter(TRANSFERS[1:]))

    with database.read() as connection:
        assert sorted(map(tuple, connection.execute(select(t.transfers)))) == TRANSFERS
        messages = connection.execute(select(t.outbox).order_by(t.outbox.c.number)).all()
    assert [tuple(one[1:]) for one in messages] == [("tr_1", ODD, "credit", AT, 0), ("tr_2", "", "", AT, 1)]
    assert messages[0].number < messages[1].number


@pytest.mark.parametrize("place", [0, 4_000, len(POSTINGS)])
def test_of_rows_with_a_key_that_is_there_nothing_is_kept(database: Database, place: int) -> None:
    """Wherever it stands: rows are sent in several blocks, and told of late."""
    given = [*POSTINGS[:place], POSTINGS[0], *POSTINGS[place:]]

    with pytest.raises(IntegrityError):
        _append(database, {t.transfers: TRANSFERS, t.postings: given, t.counters: [("key", 1)]})

    assert _counts(database) == {"transfers": 0, "postings": 0, "counters": 0}


def test_what_ends_while_rows_are_sent_keeps_nothing_and_harms_no_other(database: Database) -> None:
    def broken() -> Iterator[Sequence[Any]]:
        yield from POSTINGS
        raise GatewayError("in between")

    with pytest.raises(GatewayError, match="in between"):
        _append(database, {t.postings: broken()})
    assert _counts(database)["postings"] == 0

    _append(database, {t.postings: POSTINGS})
    assert _counts(database)["postings"] == len(POSTINGS)


def test_statements_that_are_sent_at_once_are_carried_out_in_their_order(database: Database) -> None:
    with database.write(alone=False) as connection:
        with Appending(connection) as writing:
            writing.add(t.transfers, TRANSFERS)
        with at_once(connection):
            update_many(connection, t.transfers, columns={"id": ("tr_1", "tr_2"), "state": ("A", ODD)})
            update_many(connection, t.transfers, columns={"id": ("tr_1",), "state": ("B",), "due": (AT,)})
            update_many(connection, t.transfers, columns={"id": ("tr_2",), "due": (None,)})
            update_many(connection, t.transfers, columns={})

    with database.read() as connection:
        query = select(t.transfers.c.state, t.transfers.c.due).order_by(t.transfers.c.id)
        assert connection.execute(query).all() == [("B", AT), (ODD, None)]


def test_of_statements_that_are_sent_at_once_one_that_fails_ends_all(database: Database) -> None:
    with pytest.raises(IntegrityError):
        _count(database, ["one", "one", "two"])

    assert _counts(database)["counters"] == 0


def test_what_is_remembered_is_believed_only_of_the_entry_that_is_there(database: Database) -> None:
    """As after a backup was restored below a process that went on."""
    with SqlLedger(database) as ledger, SqlLedger(database) as other:
        ledger.limit(limited(100))
        ledger.run([reserve(moving("tr_1", 60, of=lot(mg=60)))])
        _forget_all(database)
        other.limit(limited(100))
        other.run([reserve(moving("tr_2", 1)), reserve(moving("tr_1", 50, of=lot(mg=50)))])

        taken = ledger.run([commit("tr_1")])

    assert taken[0].decision is not None
    assert taken[0].decision.amounts.points_out == moving("tr_1", 50).parts[0].points
    require_rebuilt(SqlLedgerReader(database))


def test_a_server_that_is_killed_meanwhile_is_told_and_keeps_nothing(tmp_path: Path) -> None:
    with postgres_server() as server:
        database = open_database(server.database(), tmp_path)

        def killed(given: Iterable[Any], *, last: Any) -> Iterator[Any]:
            yield from given
            server.kill()
            yield last

        with pytest.raises(DatabaseUnavailable):
            _append(database, {t.postings: killed(POSTINGS[:-1], last=POSTINGS[-1])})
        server.start()
        with pytest.raises(DatabaseUnavailable):
            _count(database, killed(["one"], last="two"))
        server.start()
        assert _counts(database) == {"transfers": 0, "postings": 0, "counters": 0}
        database.close()


def _append(database: Database, given: Mapping[Table, Iterable[Sequence[Any]]]) -> None:
    with database.write(alone=False) as connection, Appending(connection) as writing:
        for table, rows in given.items():
            writing.add(table, rows)


def _count(database: Database, keys: Iterable[str]) -> None:
    with database.write(alone=False) as connection, at_once(connection):
        for key in keys:
            connection.execute(insert(t.counters).values(key=key, used=1))


def _forget_all(database: Database) -> None:
    with database.write(alone=False) as connection:
        for table in (t.transfers, t.reservations, t.changes, t.postings, t.lots, t.outbox):
            connection.execute(delete(table))
        for table in (t.accounts, t.positions, t.counters, t.flows):
            connection.execute(delete(table))
        connection.execute(update(t.head).values(Head()._asdict()))


def _counts(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            str(table.name): connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (t.transfers, t.postings, t.counters)
        }
