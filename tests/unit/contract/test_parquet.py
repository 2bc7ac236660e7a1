"""Reading Parquet: exact texts, no floating point."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.contract import read_parquet
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceRow


def read(**columns: object) -> list[SourceRow | RefusedRow]:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, row_group_size=2)
    buffer.seek(0)
    return list(read_parquet(buffer, "t.parquet"))


@pytest.mark.parametrize(
    ("column", "text"),
    [
        pytest.param(pa.array(["１２ "]), "１２ ", id="text"),
        pytest.param(pa.array(["x"]).dictionary_encode(), "x", id="dictionary"),
        pytest.param(pa.array(["x"], pa.large_string()), "x", id="large text"),
        pytest.param(pa.array([2**63], pa.uint64()), "9223372036854775808", id="integer"),
        pytest.param(pa.array([-5], pa.int8()), "-5", id="negative"),
        pytest.param(pa.array([Decimal("10.1860")]), "10.1860", id="decimal keeps its scale"),
        pytest.param(pa.array([Decimal("0.00000001")]), "0.00000001", id="decimal without exponent"),
        pytest.param(pa.array([True]), "true", id="true"),
        pytest.param(pa.array([False]), "false", id="false"),
        pytest.param(pa.array([date(2025, 3, 16)]), "2025-03-16", id="date"),
        pytest.param(
            pa.array([datetime(2025, 3, 16, 7, 0, 1)], pa.timestamp("s")),  # noqa: DTZ001  # without a zone
            "2025-03-16 07:00:01",
            id="local time",
        ),
        pytest.param(
            pa.array([datetime(2025, 3, 16, 7, tzinfo=UTC)], pa.timestamp("us", tz="Asia/Shanghai")),
            "2025-03-16T07:00:00Z",
            id="instant",
        ),
        pytest.param(
            pa.array([1535728266000000010], pa.timestamp("ns")), "2018-08-31 15:11:06.00000001", id="ns"
        ),
        pytest.param(pa.array([-1], pa.timestamp("ms")), "1969-12-31 23:59:59.999", id="before 1970"),
    ],
)
def test_value_becomes_its_exact_text(column: "pa.Array", text: str) -> None:
    (row,) = read(value=column)

    assert row.fields == {"value": text}


def test_null_is_absent_in_columns_of_every_kind() -> None:
    rows = read(
        a=pa.array([None, "x"]),
        b=pa.nulls(2),
        c=pa.array([None, 0], pa.timestamp("s")),
        d=pa.array([1, None]),
    )

    assert [row.fields for row in rows] == [{"d": "1"}, {"a": "x", "c": "1970-01-01 00:00:00"}]


def test_rows_are_numbered_through_all_row_groups() -> None:
    rows = read(a=pa.array(range(20_000)).cast(pa.string()))

    assert [row.place.row for row in rows] == list(range(1, 20_001))
    assert rows[-1].fields == {"a": "19999"}


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pa.array([0.1]), id="double"),
        pytest.param(pa.array([0.5], pa.float32()), id="float"),
        pytest.param(pa.array([b"x"]), id="bytes"),
        pytest.param(pa.array([["x"]]), id="list"),
    ],
)
def test_column_without_an_exact_text_is_refused_whole(column: "pa.Array") -> None:
    with pytest.raises(MalformedDocument, match="'bad'") as refused:
        read(good=["x"], bad=column)

    assert "decimal or text" in refused.value.remedy


def test_row_beyond_the_limit_is_refused_alone() -> None:
    rows = read(a=["x" * 65_536, "x" * 65_537, "x"])

    assert [type(row) for row in rows] == [SourceRow, RefusedRow, SourceRow]


def test_two_columns_of_one_name_are_refused_whole() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), buffer)
    buffer.seek(0)

    with pytest.raises(MalformedDocument, match="two columns are named 'a'"):
        list(read_parquet(buffer, "t.parquet"))


@pytest.mark.parametrize("document", [b"", b"a,b\n1,2\n", b"PAR1" + b"\0" * 50 + b"PAR1"])
def test_document_that_is_not_parquet_is_refused_whole(document: bytes) -> None:
    with pytest.raises(MalformedDocument, match=r"t\.parquet"):
        list(read_parquet(io.BytesIO(document), "t.parquet"))


def test_parquet_inside_another_compression_is_refused_with_the_remedy() -> None:
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(MalformedDocument) as refused:
        list(read_parquet(Stream(b"PAR1"), "t.parquet"))

    assert "itself" in refused.value.remedy
