"""A Parquet file says how large its pages are; what would not fit is refused before it is expanded."""

import io
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.contract import parquet_pages, read_parquet
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import RefusedRow, SourceRow

NO_TEXT = pa.array([b"ok", b"\xff\xfe", b"ok"]).view(pa.string())
FAR_DATE = pa.array([0, 2**31 - 1, 1], pa.int32()).cast(pa.date32())
FAR_TIME = pa.array([0, 2**62, 1], pa.int64()).cast(pa.timestamp("ms"))


def written(table: "pa.Table", **options: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)  # type: ignore[arg-type]  # the options of one test each
    return stream.getvalue()


def outcomes(document: bytes) -> list[SourceRow | RefusedRow]:
    return list(read_parquet(io.BytesIO(document), "f.parquet"))


@pytest.mark.parametrize("options", [
    {}, {"compression": "none"}, {"data_page_version": "2.0"}, {"use_dictionary": False},
    {"row_group_size": 7},
    {"write_page_checksum": True}, {"write_page_index": True},
    {"write_statistics": False}, {"data_page_size": 64},
], ids=str)  # fmt: skip
def test_pages_of_every_writing_are_counted_and_read(options: dict[str, object]) -> None:
    table = pa.table({"a": [str(n) for n in range(100)], "b": [None, *range(99)]})

    rows = outcomes(written(table, **options))

    assert [row.fields.get("a") for row in rows] == [str(n) for n in range(100)]


def test_pages_of_another_writer_are_counted_and_read(tmp_path: Path) -> None:
    path = tmp_path / "by-duckdb.parquet"
    duckdb.sql(f"COPY (SELECT x::VARCHAR AS x FROM range(5000) r(x)) TO '{path}' (FORMAT parquet)")  # noqa: S608 - a path of the test

    assert [row.fields["x"] for row in outcomes(path.read_bytes())] == [str(n) for n in range(5000)]


def test_table_without_rows_is_read() -> None:
    assert outcomes(written(pa.table({"a": pa.array([], pa.string())}))) == []


@pytest.mark.parametrize("column", [NO_TEXT, FAR_DATE, FAR_TIME], ids=["no UTF-8", "date", "time"])
def test_value_without_a_text_costs_its_row_alone(column: "pa.Array") -> None:
    rows = outcomes(written(pa.table({"x": column, "y": ["1", "2", "3"]})))

    assert [row.place.row for row in rows] == [1, 2, 3]
    assert [isinstance(row, RefusedRow) for row in rows] == [False, True, False]
    refused = rows[1]
    assert isinstance(refused, RefusedRow)
    assert (refused.code, refused.fields) == (Rejection.MALFORMED_ROW, {"y": "2"})
    assert "'x'" in refused.detail


def test_pages_that_do_not_fit_are_refused_before_they_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    document = written(
        pa.table({"a": ["x" * 5000], "b": ["y" * 5000]}), compression="zstd", use_dictionary=False
    )
    assert len(outcomes(document)) == 1
    monkeypatch.setattr(parquet_pages, "PAGE_BYTES_MAX", 10_000)

    with pytest.raises(MalformedDocument, match=r"pages that take 100.. bytes together, at most 10000"):
        outcomes(document)


def test_more_rows_than_a_file_of_that_size_may_have_are_refused() -> None:
    count = 4 * 1024 * 1024 + 1
    document = written(pa.table({"a": np.zeros(count, dtype=np.int8)}), row_group_size=count)

    with pytest.raises(MalformedDocument, match=f"has {count} rows in "):
        outcomes(document)


@pytest.mark.parametrize("octet", [0x00, 0xFF, 0x1B, 0x1C])
def test_damaged_page_header_is_refused_whole(octet: int) -> None:
    document = bytearray(written(pa.table({"a": ["x", "y"]})))
    document[4:16] = bytes([octet]) * 12

    with pytest.raises(MalformedDocument, match="a page header is damaged"):
        outcomes(bytes(document))


@pytest.mark.parametrize(
    "options",
    [{"compression": "none"}, {"use_dictionary": False, "write_page_index": True, "row_group_size": 2}],
    ids=["plain", "several row groups"],
)
def test_document_with_any_changed_bit_is_read_or_refused(options: dict[str, object]) -> None:
    """Some such bits used to end the process inside of Arrow."""
    document = written(pa.table({"trip_id": ["a", "b", None], "n": [1, 2, 3]}), **options)
    refused = 0
    for place in range(len(document)):
        for bit in range(8):
            changed = bytearray(document)
            changed[place] ^= 1 << bit
            try:
                outcomes(bytes(changed))
            except MalformedDocument:
                refused += 1

    assert refused > len(document)


@pytest.mark.parametrize("length", [0, 2**31, 5 * 1024 * 1024])
def test_footer_of_an_impossible_length_is_refused(length: int) -> None:
    document = written(pa.table({"a": ["x"]}))
    end = length.to_bytes(4, "little") + b"PAR1"

    with pytest.raises(MalformedDocument):
        outcomes(document[:-8] + end)
