"""The database: what the disk does to it, and what is refused."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gateway.errors import IntegrityBroken, LocalFileError
from gateway.store.sql import database, dialects
from gateway.store.sql.database import Database, refuse_network_disk


def write_some(made: Database) -> None:
    with made.write() as connection:
        connection.execute(text("INSERT INTO queue VALUES (1, zeroblob(4))"))


def forget_and_write_twice(made: Database) -> None:
    with made.write() as connection:
        connection.execute(text("DELETE FROM queue"))
        for _ in range(2):
            connection.execute(text("INSERT INTO queue VALUES (1, zeroblob(4))"))


def test_a_write_is_kept_or_nothing_of_it(tmp_path: Path) -> None:
    made = Database(tmp_path / "a.db")
    write_some(made)
    with pytest.raises(IntegrityError):
        forget_and_write_twice(made)

    with made.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM queue")).scalar() == 1
    made.close()


def test_a_rule_of_the_tables_that_is_broken_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    made = Database(tmp_path / "a.db")
    write_some(made)

    with pytest.raises(IntegrityError):
        write_some(made)
    made.close()


@pytest.mark.parametrize(
    "data", [b"no database", bytes(8192), b"SQLite format 3\x00" + bytes(range(256)) * 20]
)
def test_a_file_that_is_no_database_is_an_integrity_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.db").write_bytes(data)

    with pytest.raises(IntegrityBroken, match="is damaged"):
        Database(tmp_path / "a.db")


def test_a_table_that_is_gone_is_an_integrity_error(tmp_path: Path) -> None:
    made = Database(tmp_path / "a.db")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("DROP TABLE queue")

    with pytest.raises(IntegrityBroken, match="no such table"):
        write_some(made)
    made.close()


def write_much(made: Database) -> None:
    with made.write() as connection:
        connection.execute(text("INSERT INTO queue VALUES (1, zeroblob(1000000))"))


def test_a_full_disk_is_a_local_error_with_a_remedy(tmp_path: Path) -> None:
    made = Database(tmp_path / "a.db")
    with made.read() as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))
    with pytest.raises(LocalFileError, match="full") as refused:
        write_much(made)

    assert "make room" in refused.value.remedy
    made.close()


def test_a_database_in_no_folder_is_a_local_error(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match="cannot be used"):
        Database(tmp_path / "none" / "a.db")


def test_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test machine has one, so the disk at hand is declared to be one."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    monkeypatch.setattr(database, "_NETWORK_DISKS", frozenset(entry[2] for entry in mounts))

    with pytest.raises(LocalFileError, match="network file system"):
        refuse_network_disk(tmp_path)


def test_who_writes_waits_for_another_and_no_longer_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Database(tmp_path / "a.db")) as made, closing(Database(tmp_path / "a.db")) as other:
        waiting = ThreadPoolExecutor(1)
        with made.write():
            written = waiting.submit(write_some, other)
            assert not written.done()
        written.result(timeout=30)
        monkeypatch.setattr(dialects, "BUSY_MS", 20)
        with made.write(), pytest.raises(LocalFileError, match="locked"):
            write_some(other)
        waiting.shutdown()
