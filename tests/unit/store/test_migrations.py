"""A database of an earlier version is brought to this one with what is in it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from gateway.ports import OperationKind
from gateway.store.database import Database
from gateway.store.group_commit import GroupCommit
from gateway.store.operations import SqlOperations

_OPERATION = (
    "INSERT INTO operations (number, id, platform, key, content_sha256, mapping, adapter, name, rows, state,"
    " spool, first_row, result, created) VALUES (:n, :id, 'a/a', :id, x'00', 'a/a/m', 'common', '', :rows,"
    " 'received', NULL, 0, '', '2026-11-22T00:00:00Z')"
)


def upgraded(path: Path, revision: str) -> None:
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "gateway:store/migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.execute(text("INSERT INTO platforms VALUES ('a/a', '', '2026-11-22T00:00:00Z')"))
        for number, rows in ((1, 5), (2, 0)):
            connection.execute(text(_OPERATION), {"n": number, "id": f"op{number}", "rows": rows})
    engine.dispose()


def test_operations_that_wait_keep_their_kind(tmp_path: Path) -> None:
    upgraded(tmp_path / "a.db", "0007")

    database = Database(tmp_path / "a.db")
    with GroupCommit(database) as writes:
        operations = SqlOperations(database, writes)
        kinds = [one.kind for name in ("op1", "op2") if (one := operations.operation(name))]
    database.close()

    assert kinds == [OperationKind.ROWS, OperationKind.FILE]
