"""A database of an earlier version is brought to this one with what is in it."""

from pathlib import Path

from sqlalchemy import create_engine, text

from gateway.ports import OperationKind, PublicationState
from gateway.store.journal.publications import SqlPublications
from gateway.store.serving.operations import SqlOperations
from gateway.store.sql.database import Database
from gateway.store.sql.group_commit import GroupCommit
from tests.fakes.revisions import at_revision

_OPERATION = (
    "INSERT INTO operations (number, id, platform, key, content_sha256, mapping, adapter, name, rows, state,"
    " spool, first_row, result, created) VALUES (:n, :id, 'a/a', :id, x'00', 'a/a/m', 'common', '', :rows,"
    " 'received', NULL, 0, '', '2026-11-22T00:00:00Z')"
)


def test_operations_that_wait_keep_their_kind(tmp_path: Path) -> None:
    with at_revision(create_engine(f"sqlite:///{tmp_path / 'a.db'}"), "0010") as connection:
        connection.execute(text("INSERT INTO platforms VALUES ('a/a', '', '2026-11-22T00:00:00Z')"))
        for number, rows in ((1, 5), (2, 0)):
            connection.execute(text(_OPERATION), {"n": number, "id": f"op{number}", "rows": rows})

    database = Database(tmp_path / "a.db")
    with GroupCommit(database) as writes:
        operations = SqlOperations(database, writes)
        kinds = [one.kind for name in ("op1", "op2") if (one := operations.operation(name))]
    database.close()

    assert kinds == [OperationKind.ROWS, OperationKind.FILE]


def test_versions_that_wait_for_signatures_go_on_waiting_as_a_coordinators(tmp_path: Path) -> None:
    with at_revision(create_engine(f"sqlite:///{tmp_path / 'a.db'}"), "0021") as connection:
        connection.execute(
            text(
                "INSERT INTO publications (digest, id, version, canonical, received, ready, fault)"
                " VALUES ('d', 'a/a/m', 3, x'7b7d', '2026-11-22T00:00:00Z', 0, '')"
            )
        )

    database = Database(tmp_path / "a.db")
    (found,) = SqlPublications(database).open("a/a", before=None, limit=9)
    database.close()

    assert (found.state, found.proposer, found.number) == (PublicationState.WAITING, "", 1)
