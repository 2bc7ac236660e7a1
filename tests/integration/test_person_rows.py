"""The records of a person are found where looking through all files finds them, whatever has changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.app.base.home import OpenHome, open_home
from gateway.app.records.erase import erase
from gateway.errors import IntegrityBroken
from gateway.ports import KeptColumns, PrivateRow, RecordFile
from gateway.store.files.records import ParquetRecordFiles
from gateway.store.journal import person_rows
from gateway.store.journal.person_rows import PersonRows
from tests.fakes.homes import convert, make_home, rows_of, trips, write_trips

PLATFORM = "cn-420100/wuhan"
PERSONS = 17


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_home(tmp_path, monkeypatch, profile="default")
    for part in range(2):
        convert(made, write_trips(tmp_path / f"{part}.ndjson", trips(60, part, first=60 * part)))
    return made


@contextmanager
def asked(home: Path) -> Iterator[tuple[OpenHome, PersonRows]]:
    with open_home(home) as opened:
        yield opened, PersonRows(opened.database, opened.journal, files=opened.records)


def found(opened: OpenHome, rows: PersonRows, person: int) -> list[PrivateRow]:
    account = opened.index().pseudonym(PLATFORM, f"user-{person:04d}")
    return [kept.row for kept in rows.of(PLATFORM, {account: None})[account]]


def by_looking_through(opened: OpenHome, home: Path, person: int) -> list[PrivateRow]:
    account = opened.index().pseudonym(PLATFORM, f"user-{person:04d}")
    return sorted(row for row in rows_of(home) if row.person == account)


def test_each_person_has_the_records_that_looking_through_finds(home: Path) -> None:
    with asked(home) as (opened, rows):
        for person in range(PERSONS + 1):
            assert sorted(found(opened, rows, person)) == by_looking_through(opened, home, person)
        assert sum(len(found(opened, rows, person)) for person in range(PERSONS)) == 120


def test_of_some_days_only_their_records_come_with_their_batch(home: Path) -> None:
    with asked(home) as (opened, rows):
        account = opened.index().pseudonym(PLATFORM, "user-0001")
        kept = rows.of(PLATFORM, {account: {"2025-03-11"}})[account]

        assert {one.row.day for one in kept} == {"2025-03-11"}
        assert {one.batch.number for one in kept} <= {0, 1, 2}
        assert rows.of("cn-000000/elsewhere", {account: None}) == {account: []}


def test_what_is_recorded_later_is_found(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_rows, "TOGETHER", 2)
    with asked(home) as (opened, rows):
        for part in range(2, 6):
            before = len(found(opened, rows, 3))
            convert(home, write_trips(tmp_path / f"{part}.ndjson", trips(60, part, first=60 * part)))

            assert sorted(found(opened, rows, 3)) == by_looking_through(opened, home, 3)
            assert len(found(opened, rows, 3)) > before


@pytest.mark.parametrize("held", [0, 40, 100_000], ids=["none held", "few held", "all held"])
def test_who_was_forgotten_is_not_found_and_others_are(
    home: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(person_rows, "HELD_ROWS", held)
    with asked(home) as (opened, rows):
        assert found(opened, rows, 5)
        erase(home, "user-0005", platform=PLATFORM)

        assert found(opened, rows, 5) == []
        for person in range(PERSONS):
            assert sorted(found(opened, rows, person)) == by_looking_through(opened, home, person)


def test_an_erasure_of_somebody_else_meanwhile_stops_nobody(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files that were listed are gone when they are to be read."""
    real, erased = ParquetRecordFiles.read_columns, list[str]()

    def read_columns(files: ParquetRecordFiles, file: RecordFile) -> KeptColumns:
        if not erased:
            erased.append("user-0005")
            erase(home, erased[0], platform=PLATFORM)
        return real(files, file)

    monkeypatch.setattr(ParquetRecordFiles, "read_columns", read_columns)
    with asked(home) as (opened, rows):
        assert sorted(found(opened, rows, 3)) == by_looking_through(opened, home, 3)
    assert erased


def test_what_could_not_be_read_for_a_moment_is_found_afterwards(home: Path, tmp_path: Path) -> None:
    with asked(home) as (opened, rows):
        path = max((home / "records").rglob("*.parquet"))
        path.rename(tmp_path / "away")
        with pytest.raises(IntegrityBroken, match="missing"):
            found(opened, rows, 5)
        (tmp_path / "away").rename(path)

        for person in range(PERSONS):
            assert sorted(found(opened, rows, person)) == by_looking_through(opened, home, person)


def test_a_changed_file_is_not_believed(home: Path) -> None:
    with asked(home) as (opened, rows):
        for path in sorted((home / "records").rglob("*.parquet")):
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)

        with pytest.raises(IntegrityBroken, match=r"batch-.*parquet"):
            found(opened, rows, 5)
