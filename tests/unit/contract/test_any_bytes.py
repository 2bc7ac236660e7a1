"""Whatever bytes a reader is given, it ends, numbers rows without gaps and raises nothing unexpected."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.contract import read_csv, read_ndjson
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

READERS = [pytest.param(read_csv, id="csv"), pytest.param(read_ndjson, id="ndjson")]
BOTH = SourceFormat(encodings=("utf-8", "gb18030"))
# Bytes that mean something to a reader, more often than chance would bring them together.
PIECES = st.lists(
    st.sampled_from(
        [
            b'"',
            b",",
            b"\n",
            b"\r\n",
            b"\r",
            b"a",
            b"{",
            b"}",
            b":",
            b"[",
            b"\\u",
            b"\xff",
            b"\xe7\xab\x99",
            b"\0",
        ]
    )
    | st.binary(max_size=3),
    max_size=40,
).map(b"".join)

Reader = Callable[..., Iterator[SourceRow | RefusedRow]]


@pytest.mark.parametrize("reader", READERS)
@given(head=st.sampled_from([b"", b"a,b\n", b'{"a": 1}\n', b"\xef\xbb\xbf"]), body=PIECES)
def test_reader_ends_and_numbers_rows_without_gaps(reader: Reader, head: bytes, body: bytes) -> None:
    try:
        rows = list(reader(io.BytesIO(head + body), "f", source=BOTH))
    except MalformedDocument:
        return

    assert [row.place.row for row, _ in zip(rows, count(), strict=False)] == list(range(1, len(rows) + 1))
    for row in rows:
        json.dumps(dict(row.fields), ensure_ascii=False).encode("utf-8")  # no half characters


CELL = st.text(st.sampled_from('ab",;\n 站'), max_size=6)


@given(st.lists(st.tuples(CELL, CELL), max_size=6))
@example([('a"', "\n")])
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("x", "y"), *rows])

    found = list(read_csv(io.BytesIO(written.getvalue().encode()), "f", source=SourceFormat(kind="csv")))

    assert [tuple(row.fields.values()) for row in found] == rows


@given(
    st.lists(st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=4), max_size=4), max_size=5)
)
def test_what_a_json_writer_writes_is_read_back(acts: list[dict[str, str]]) -> None:
    lines = "".join(json.dumps(act) + "\n" for act in acts)

    found = list(read_ndjson(io.BytesIO(lines.encode()), "f", source=SourceFormat()))

    def pointer(key: str) -> str:
        return "/" + key.replace("~", "~0").replace("/", "~1")

    assert [row.fields for row in found] == [{pointer(k): v for k, v in act.items()} for act in acts]
