"""The tap documents of the open-data platform: one feed in three shapes, told apart by content.

Two exports to CSV differ in the order of the columns and in quoting, the API answers in JSON. A
missing station or vehicle is an empty text in one, ``-`` in another and an absent key in the third.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Final

from gateway.contract import JsonValue, NotStrictJson, entry_row, open_csv, open_text, strict_json
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import Place, RefusedRow, SourceFormat, SourceRow

__all__ = ["BOARDING", "BUS", "read_taps"]

BOARDING: Final = "地铁入站"
BUS: Final = "巴士"
_ALIGHTING: Final = "地铁出站"

_PAGE_BYTES_MAX: Final = 16 * 1024 * 1024  # the API gives at most 1,000 taps a page: 250 KB
_IDENTITY: Final = ("card_no", "deal_date", "deal_type", "equ_no")
_COLUMNS: Final = frozenset({*_IDENTITY, "deal_value"})
_DEAL_TYPES: Final = frozenset({BOARDING, _ALIGHTING, BUS})
_TIME: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_MISSING: Final = frozenset({"", "-"})


def read_taps(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    """Yield each tap of a document under the platform's column names; what is missing is left out.

    A tap that lacks a part of its identity (card, time, type, equipment), or whose time or type
    cannot be read, is refused: it could not be put into the order of the card's taps.

    Raises:
        MalformedDocument: it is neither a table with the columns of a tap nor a page of the API.
    """
    stream, encoding = open_text(document, file, encodings=source.encodings)
    if stream.peek(64)[:64].lstrip().startswith(b"{"):
        rows = _page_rows(stream.read(_PAGE_BYTES_MAX + 1), file, encoding=encoding)
    else:
        rows = _table_rows(stream, file, source=source)
    for row in rows:
        yield _tap(row) if isinstance(row, SourceRow) else row


def _table_rows(stream: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    table = open_csv(stream, file, source=source)
    if lacking := _COLUMNS - set(table.names):
        raise MalformedDocument(
            f"{file} is no table of taps: it has no column {', '.join(sorted(lacking))}",
            remedy="hand over the platform's export with its header row",
        )
    return table.rows


def _page_rows(page: bytes, file: str, *, encoding: str) -> Iterator[SourceRow | RefusedRow]:
    """Yield the entries of an answer's ``data``; the counts beside it are the query's, not the page's."""
    if len(page) > _PAGE_BYTES_MAX:
        raise MalformedDocument(
            f"{file} is longer than {_PAGE_BYTES_MAX} bytes; expected one page of the API",
            remedy="save each page of the API as a file of its own",
        )
    try:
        answer = strict_json(page.decode(encoding))
    except (NotStrictJson, UnicodeDecodeError) as error:
        raise MalformedDocument(
            f"{file} is no page of the API: {error}", remedy="fetch the page again"
        ) from error
    taps = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(taps, list):
        raise MalformedDocument(
            f"{file} is no page of the API: expected a list under data", remedy="fetch the page again"
        )
    for number, tap in enumerate(taps, start=1):
        yield _entry(tap, Place(file, number))


def _entry(tap: JsonValue, place: Place) -> SourceRow | RefusedRow:
    row = entry_row(tap, place)
    fields = {pointer.removeprefix("/"): text for pointer, text in row.fields.items()}
    return row._replace(fields=fields)


def _tap(row: SourceRow) -> SourceRow | RefusedRow:
    fields = {name: text for name, text in row.fields.items() if text not in _MISSING}
    for name in _IDENTITY:
        if name not in fields:
            return RefusedRow(row.place, Rejection.MISSING_FIELD, f"expected {name}", fields)
    if fields["deal_type"] not in _DEAL_TYPES:
        expected = f"deal_type: expected one of {BOARDING}, {_ALIGHTING}, {BUS}"
        return RefusedRow(row.place, Rejection.UNKNOWN_CODE, expected, fields)
    if not _is_time(fields["deal_date"]):
        expected = "deal_date: expected a time as YYYY-MM-DD HH:MM:SS"
        return RefusedRow(row.place, Rejection.MALFORMED_ROW, expected, fields)
    return SourceRow(row.place, fields)


def _is_time(text: str) -> bool:
    try:
        return _TIME.fullmatch(text) is not None and bool(datetime.fromisoformat(text))
    except ValueError:
        return False
