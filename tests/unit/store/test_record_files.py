"""Record files: written by day, read back whole, believed by their digest alone."""

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import IntegrityBroken
from gateway.ports import PrivateColumns, PrivateRow, RecordFile
from gateway.store.files.records import ParquetRecordFiles, encode_rows

PLATFORM = "cn-420100/wuhan"


def row(index: int, day: str = "2025-03-16", **changes: object) -> PrivateRow:
    made = PrivateRow(
        leaf_index=index,
        id=f"{index:032x}",
        leaf=bytes([index]) * 32,
        day=day,
        behaviour="TRV-METRO",
        inputs='{"distance":{"unit":"km","value":"1"}}',
        evidence="operator-record",
        ownership="personal",
        mapping="sha256:" + "ab" * 32,
        co2e_mg=2**63 - 1,
        points_uncapped=829,
        points=0,
        claimed_mg=None,
        claimed_points=7,
        event_commitment=bytes(32),
        subject_commitment=bytes(32),
        event=f"地铁-{index}",
        event_salt=bytes(16),
        person=bytes(32),
        subject_salt=bytes(16),
        household=None,
    )
    return made._replace(**changes)  # type: ignore[arg-type]  # members by name, of any type


def write(folder: Path, *rows: PrivateRow, batch: int = 0) -> list[RecordFile]:
    """Write rows as the columns of one batch: what has a fixed length is packed."""
    columns = {name: list(values) for name, *values in zip(PrivateRow._fields, *rows, strict=True)}
    del columns["leaf_index"]
    columns["id"] = [bytes.fromhex(str(name)) for name in columns["id"]]
    packed = ("id", "leaf", "event_commitment", "subject_commitment", "event_salt", "person", "subject_salt")
    made: Any = {name: b"".join(values) if name in packed else values for name, values in columns.items()}  # type: ignore[arg-type]  # bytes
    return ParquetRecordFiles(folder).write(PLATFORM, batch, files=encode_rows(PrivateColumns(**made)))


def test_rows_are_written_by_day_and_read_back_as_they_were(tmp_path: Path) -> None:
    rows = [row(0), row(1, "2025-03-17"), row(2), row(3, household=bytes(32), claimed_mg=5)]

    files = write(tmp_path, *rows, batch=12)

    assert [(file.path, file.day, file.rows) for file in files] == [
        ("platform=cn-420100%2Fwuhan/day=2025-03-16/batch-000000012.parquet", "2025-03-16", 3),
        ("platform=cn-420100%2Fwuhan/day=2025-03-17/batch-000000012.parquet", "2025-03-17", 1),
    ]
    store = ParquetRecordFiles(tmp_path)
    assert sorted(read for file in files for read in store.read(file)) == rows
    assert store.strays({file.path for file in files}) == []
    assert all((tmp_path / file.path).stat().st_mode & 0o777 == 0o600 for file in files)


def test_a_file_is_believed_by_its_digest_alone(tmp_path: Path) -> None:
    [file] = write(tmp_path, row(0))
    other = file._replace(digest="00" * 32)
    with pytest.raises(IntegrityBroken, match="not the file that was written"):
        ParquetRecordFiles(tmp_path).read(other)

    (tmp_path / file.path).unlink()

    with pytest.raises(IntegrityBroken, match="is missing"):
        ParquetRecordFiles(tmp_path).read(file)


def test_a_record_is_found_by_its_id(tmp_path: Path) -> None:
    write(tmp_path, row(0), row(1), batch=3)
    write(tmp_path, row(2, "2025-03-17"), batch=4)
    store = ParquetRecordFiles(tmp_path)

    assert [store.find(f"{index:032x}") for index in range(4)] == [3, 3, 4, None]
    for nothing in ("' OR 1=1", "deadbeef", "00" * 17, "", "é"):
        assert store.find(nothing) is None


def test_a_broken_file_is_named_while_searching(tmp_path: Path) -> None:
    [file] = write(tmp_path, row(0))
    (tmp_path / file.path).write_bytes(b"PAR1")

    with pytest.raises(IntegrityBroken, match=file.path):
        ParquetRecordFiles(tmp_path).find("00" * 16)


def test_a_sweep_takes_one_batch_and_its_half_files(tmp_path: Path) -> None:
    [kept] = write(tmp_path, row(0), batch=1)
    [left] = write(tmp_path, row(0), batch=2)
    (tmp_path / f"{left.path}.half").write_bytes(b"half")
    store = ParquetRecordFiles(tmp_path)

    store.sweep(2)

    assert store.strays(set()) == [kept.path]
    assert ParquetRecordFiles(tmp_path / "none").strays(set()) == []
