"""Reading JSON: numbers as they were written, pointers as keys, and what is too clever refused."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import (
    JSON_DEPTH_MAX,
    ROW_BYTES_MAX,
    WHOLE_ROW,
    JsonValue,
    NotStrictJson,
    flat_fields,
    read_ndjson,
    strict_json,
)
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceFormat, SourceRow


def read(document: bytes, *encodings: str) -> list[SourceRow | RefusedRow]:
    source = SourceFormat(encodings=encodings or ("utf-8",))  # type: ignore[arg-type]  # a test may say more
    return list(read_ndjson(io.BytesIO(document), "t.ndjson", source=source))


@pytest.mark.parametrize("literal", ["0", "-0", "1.50", "1e2", "1E-7", "0.1", "123456789012345678901.5"])
def test_number_keeps_its_literal_text(literal: str) -> None:
    (row,) = read(f'{{"n": {literal}}}\n'.encode())

    assert row.fields == {"/n": literal}


def test_keys_are_json_pointers() -> None:
    assert flat_fields({"a": {"b/c": ["x", "y"]}, "~": "t", "": "e"}) == {
        "/a/b~1c/0": "x",
        "/a/b~1c/1": "y",
        "/~0": "t",
        "/": "e",
    }


def test_null_and_empty_containers_are_absent_and_empty_text_is_not() -> None:
    (row,) = read(b'{"a": null, "b": {}, "c": [], "d": "", "e": [null]}')

    assert row.fields == {"/d": ""}


def test_truth_is_true_or_false() -> None:
    (row,) = read(b'{"a": true, "b": [false]}')

    assert row.fields == {"/a": "true", "/b/0": "false"}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('{"a": 1, "a": 1}', id="key twice"),
        pytest.param('{"x": {"a": 1, "a": 2}}', id="key twice inside"),
        pytest.param('{"a": NaN}', id="NaN"),
        pytest.param('{"a": -Infinity}', id="Infinity"),
        pytest.param('{"a": "\\ud800"}', id="high surrogate alone"),
        pytest.param('{"\\uDC00": "a"}', id="low surrogate in a key"),
        pytest.param('{"a": 01}', id="leading zero"),
        pytest.param('{"a": 1.}', id="no digit behind the point"),
        pytest.param('{"a": +1}', id="plus sign"),
        pytest.param('{"a": 1,}', id="comma at the end"),
        pytest.param("{'a': 1}", id="single quotes"),
        pytest.param('{"a": "\t"}', id="control character"),
        pytest.param('{"a": 1} {}', id="two values"),
        pytest.param('{"a": 1', id="cut short"),
        pytest.param('"text"', id="no object"),
        pytest.param('[{"a": 1}]', id="an array"),
        pytest.param('{"a":' * 9 + "1" + "}" * 9, id="nine levels"),
        pytest.param('{"a": ' + "[" * 30_000 + "]" * 30_000 + "}", id="levels without end"),
    ],
)
def test_row_that_is_not_strict_json_is_refused_with_its_number(line: str) -> None:
    rows = read(b'{"a": "first"}\n' + line.encode() + b'\n{"a": "last"}\n')

    assert [type(row) for row in rows] == [SourceRow, RefusedRow, SourceRow]
    assert isinstance(rows[1], RefusedRow)
    assert rows[1].code == "malformed-row"
    assert rows[1].fields == {WHOLE_ROW: line}
    assert [row.place.row for row in rows] == [1, 2, 3]


def test_eight_levels_are_read() -> None:
    (row,) = read(('{"a":' * JSON_DEPTH_MAX + "1" + "}" * JSON_DEPTH_MAX).encode())

    assert row.fields == {"/a" * JSON_DEPTH_MAX: "1"}


def test_pair_of_surrogates_is_one_character() -> None:
    (row,) = read(b'{"a": "\\ud83d\\ude00"}')

    assert row.fields == {"/a": "\N{GRINNING FACE}"}


def test_blank_lines_are_not_rows_and_the_last_needs_no_end() -> None:
    rows = read(b'{"a": "1"}\n\n  \r\n{"a": "2"}')

    assert [(row.place.row, row.fields["/a"]) for row in rows] == [(1, "1"), (2, "2")]


def test_row_at_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    fitting = b'{"a": "' + b"x" * (ROW_BYTES_MAX - 10) + b'"}\n'
    assert len(fitting) == ROW_BYTES_MAX

    rows = read(fitting + b" " + fitting + b'{"a": "3"}\n' + b" " * (3 * ROW_BYTES_MAX) + b'{"a": "4"}\n')

    assert [type(row) for row in rows] == [SourceRow, RefusedRow, SourceRow, RefusedRow]
    assert isinstance(rows[3], RefusedRow)
    assert rows[3].detail.endswith(f"found {3 * ROW_BYTES_MAX + 11}")


def test_long_row_is_skipped_to_its_end_and_no_further() -> None:
    rows = read(b'{"a": "' + b"x" * 200_000 + b'"}\n{"a": "2"}\n{"a": "3"}\n')

    assert [type(row) for row in rows] == [RefusedRow, SourceRow, SourceRow]
    assert [row.place.row for row in rows] == [1, 2, 3]


@pytest.mark.parametrize("before", ["[", "[ ", "[  "])
def test_array_on_one_endless_line_is_refused_for_what_it_is(before: str) -> None:
    """The head ends inside a character in two of three cases; that must not look like a wrong encoding."""
    with pytest.raises(MalformedDocument, match="with a brace"):
        read((before + "站" * 500_000).encode())


def test_row_that_does_not_decode_is_refused_with_its_number() -> None:
    rows = read(b'{"a": "1"}\n{"a": "\xff"}\n{"a": "3"}\n')

    assert [type(row) for row in rows] == [SourceRow, RefusedRow, SourceRow]
    assert isinstance(rows[1], RefusedRow)
    assert rows[1].detail == "expected text in utf-8, byte 8 of the row is not"


def test_gb18030_is_read_where_the_mapping_allows_it() -> None:
    (row,) = read('{"站": "孖岭"}'.encode("gb18030"), "utf-8", "gb18030")

    assert row.fields == {"/站": "孖岭"}


def test_byte_order_mark_at_the_start_is_dropped() -> None:
    (row,) = read(b'\xef\xbb\xbf{"a": "1"}\n')

    assert row.fields == {"/a": "1"}


def test_nothing_at_all_is_no_rows() -> None:
    assert read(b"") == []


@pytest.mark.parametrize("document", [b"a,b\n1,2\n", b"[\n", b'"x"\n', b"<xml>\n"])
def test_document_that_does_not_begin_an_object_is_refused_whole(document: bytes) -> None:
    with pytest.raises(MalformedDocument, match=r"t\.ndjson: row 1"):
        read(document)


def test_detail_holds_nothing_of_the_row() -> None:
    rows = read(b'{"a": 1}\n{"name": "Zhang San", "name": "Zhang San"}\n{"id": "31010519} \n')

    details = [row.detail for row in rows if isinstance(row, RefusedRow)]
    assert len(details) == 2
    assert not [detail for detail in details if "Zhang" in detail or "3101" in detail]


JSON_TEXTS = st.recursive(
    st.none() | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON_TEXTS)
def test_flat_fields_keeps_every_leaf_under_a_key_of_its_own(value: JsonValue) -> None:
    def leaves(inner: JsonValue) -> int:
        if isinstance(inner, dict | list):
            return sum(map(leaves, inner.values() if isinstance(inner, dict) else inner))
        return inner is not None

    try:
        fields = flat_fields(value)
    except NotStrictJson:
        return
    assert len(fields) == leaves(value)


def test_strict_json_refuses_with_the_code_of_a_document() -> None:
    with pytest.raises(NotStrictJson) as refused:
        strict_json("{")

    assert refused.value.code == "malformed-document"
