"""Reading CSV: headers, quoting, encodings, and rows that are set aside without losing count."""

import io

import pytest

from gateway.contract import ROW_BYTES_MAX, WHOLE_ROW, read_csv
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

CSV = SourceFormat(kind="csv")
BOTH = SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))


def read(document: bytes, source: SourceFormat = CSV) -> list[SourceRow | RefusedRow]:
    return list(read_csv(io.BytesIO(document), "t.csv", source=source))


def fates(rows: list[SourceRow | RefusedRow]) -> list[str]:
    return [
        f"{row.place.row} {row.code if isinstance(row, RefusedRow) else row.fields.get('a', '')}"
        for row in rows
    ]


def test_quoted_line_break_belongs_to_its_cell_and_counts_as_one_row() -> None:
    rows = read(b'a,b\n"one\r\ntwo",x\n3,y\n')

    assert [row.fields for row in rows] == [{"a": "one\r\ntwo", "b": "x"}, {"a": "3", "b": "y"}]
    assert [row.place.row for row in rows] == [1, 2]


def test_quote_and_delimiter_are_those_of_the_mapping() -> None:
    source = SourceFormat(kind="csv", delimiter="\t", quote="'")

    (row,) = read(b"a\tb\n'x\ty'\t\"z\"\n", source)

    assert row.fields == {"a": "x\ty", "b": '"z"'}


def test_table_without_quotes_keeps_them_as_text() -> None:
    source = SourceFormat(kind="csv", quote="")

    rows = read(b'a,b\n"1,5"\n' + b"x" * 100_000 + b'"\n"3,4\n', source)

    assert rows[0].fields == {"a": '"1', "b": '5"'}
    assert fates(rows) == ['1 "1', "2 malformed-row", '3 "3']


def test_byte_inside_a_character_is_no_quote() -> None:
    """The second byte of 衸 in GB18030 is that of a bar."""
    source = SourceFormat(kind="csv", encodings=("gb18030",), quote="|")
    long = "衸" * 50_001
    assert long[0].encode("gb18030")[1:] == b"|"

    rows = read(f"a,b\n{long},|x\n|\n3,4\n".encode("gb18030"), source)

    assert fates(rows) == ["1 malformed-row", "2 3"]


def test_empty_cell_is_a_text_and_spaces_are_kept() -> None:
    (row,) = read(b"a,b\n, x \n")

    assert row.fields == {"a": "", "b": " x "}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        pytest.param(b"a,,c\n1,2,3\n", "column 2 has no name", id="empty name"),
        pytest.param(b"a, ,c\n1,2,3\n", "column 2 has no name", id="blank name"),
        pytest.param(b"a,b,a\n1,2,3\n", "columns 1 and 3 have the same name", id="same name"),
        pytest.param(b"", "is empty", id="no bytes"),
        pytest.param(b"\n\n", "is empty", id="blank lines"),
        pytest.param(b'"a,b\n1,2\n', "header row cannot be read", id="quote never closed"),
        pytest.param(b"a" * (ROW_BYTES_MAX + 1), "at most 65536 bytes", id="header too long"),
        pytest.param(b"a\rb\r1\r2\r", "header row cannot be read", id="bare carriage returns"),
    ],
)
def test_header_that_does_not_name_its_columns_is_refused_whole(header: bytes, said: str) -> None:
    with pytest.raises(MalformedDocument, match=said) as refused:
        read(header)

    assert refused.value.remedy
    assert "t.csv" in str(refused.value)


def test_row_of_another_width_is_refused_and_kept_whole() -> None:
    rows = read(b"a,b\n1,2\n1,2,3\n4\n5,6\n")

    assert fates(rows) == ["1 1", "2 malformed-row", "3 malformed-row", "4 5"]
    assert rows[1].fields == {WHOLE_ROW: "1,2,3"}


def test_row_at_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    fitting = b"x" * (ROW_BYTES_MAX - 3) + b",y\n"

    rows = read(b"a,b\n" + fitting + b"x" + fitting + b"3,z\n")

    assert [type(row) for row in rows] == [SourceRow, RefusedRow, SourceRow]
    assert isinstance(rows[1], RefusedRow)
    assert rows[1].detail == f"expected a row of at most {ROW_BYTES_MAX} bytes, found {ROW_BYTES_MAX + 1}"
    assert rows[2].place.row == 3


def test_long_row_is_skipped_to_its_end_with_the_quoted_breaks_inside() -> None:
    inside = b'forged,row\n"",""\n' * 10_000

    rows = read(b'a,b\n1,x\n2,"' + inside + b'"\n3,z\n')

    assert fates(rows) == ["1 1", "2 malformed-row", "3 3"]
    assert len(rows[1].fields[WHOLE_ROW]) <= 1024


def test_long_row_with_its_quote_beyond_the_limit_ends_where_it_ends() -> None:
    rows = read(b"a,b\n" + b"x" * 200_000 + b',"y\n3,4\n"\n5,6\n')

    assert fates(rows) == ["1 malformed-row", "2 5"]


def test_quote_that_is_never_closed_lets_nothing_inside_pass_as_a_row() -> None:
    short = read(b'a,b\n1,"x\n3,4\n5,6\n')
    long = read(b'a,b\n1,"x\n' + b"3,4\n" * 50_000)

    assert fates(short) == fates(long) == ["1 malformed-row"]


def test_row_that_does_not_decode_is_refused_with_its_number() -> None:
    rows = read(b'a,b\n1,x\n2,"\xff\n\xff"\n3,z\n')

    assert fates(rows) == ["1 1", "2 malformed-row", "3 3"]
    assert rows[1].fields == {WHOLE_ROW: '2,"\\xff\n\\xff"'}


def test_text_after_a_closing_quote_is_refused() -> None:
    rows = read(b'a,b\n"1"1,x\n2,y\n')

    assert fates(rows) == ["1 malformed-row", "2 2"]


def test_byte_order_mark_is_dropped_at_the_start_only() -> None:
    rows = read("\ufeffa,b\n\ufeff1,2\n".encode())

    assert rows[0].fields == {"a": "\ufeff1", "b": "2"}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_encoding_is_found_on_the_head(encoding: str) -> None:
    (row,) = read("站名,b\n孖岭,𠀀\n".encode(encoding), BOTH)

    assert row.fields == {"站名": "孖岭", "b": "𠀀"}


def test_encoding_is_that_of_the_rows_where_the_header_would_do_in_any() -> None:
    (row,) = read("a,b\n1,孖岭\n".encode("gb18030"), BOTH)

    assert row.fields == {"a": "1", "b": "孖岭"}


def test_mark_of_utf_8_is_no_mark_in_another_encoding() -> None:
    gb = SourceFormat(kind="csv", encodings=("gb18030",))

    (row,) = read(b"\xef\xbb\xbfa,b\n1,2\n", gb)

    assert list(row.fields) == ["锘縜", "b"]


def test_character_cut_by_the_end_of_the_head_does_not_mislead() -> None:
    line = "镕" * 20_000 + ",x\n"
    document = "a,b\n" + line * 30
    assert len(document.encode()) > 1 << 20

    rows = read(document.encode(), BOTH)

    assert [type(row) for row in rows] == [SourceRow] * 30


def test_one_damaged_row_does_not_change_the_encoding_of_the_file() -> None:
    rows = read(b"a,b\n" + b"1,\xff\xff\xff\n" + "2,站\n".encode(), BOTH)

    assert fates(rows) == ["1 malformed-row", "2 2"]
    assert rows[1].fields["b"] == "站"


def test_bytes_that_no_declared_encoding_knows_are_refused_whole() -> None:
    with pytest.raises(MalformedDocument, match="utf-8 or gb18030") as refused:
        read(b"\x89PNG\xff\xff\xff\xff,\n", BOTH)

    assert "encoding" in refused.value.remedy


def test_utf_16_is_refused_whole() -> None:
    with pytest.raises(MalformedDocument, match="not text in utf-8"):
        read("a,b\n1,2\n".encode("utf-16"))


def test_full_width_digits_are_left_for_the_engine_to_refuse() -> None:
    (row,) = read("a\n１２\n".encode())

    assert row.fields == {"a": "１２"}
