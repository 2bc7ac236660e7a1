"""The header of a table, for adapters that choose by it."""

import io

import pytest

from gateway.contract import open_csv
from gateway.errors import MalformedDocument
from gateway.model.source import Place, SourceFormat, SourceRow

CSV = SourceFormat(kind="csv")


def test_header_is_known_before_any_row_is_read() -> None:
    table = open_csv(io.BytesIO(b"\na,b\n1,2\n"), "t.csv", source=CSV)

    assert table.names == ("a", "b")
    assert list(table.rows) == [SourceRow(Place("t.csv", 1), {"a": "1", "b": "2"})]


def test_table_without_rows_still_has_a_header() -> None:
    table = open_csv(io.BytesIO(b"a,b"), "t.csv", source=CSV)

    assert (table.names, list(table.rows)) == (("a", "b"), [])


@pytest.mark.parametrize("document", [b"", b"a,\n1,2\n", b"a,a\n1,2\n"], ids=["empty", "no name", "twice"])
def test_bad_header_is_refused_at_once(document: bytes) -> None:
    with pytest.raises(MalformedDocument):
        open_csv(io.BytesIO(document), "t.csv", source=CSV)
