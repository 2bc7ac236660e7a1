"""A bank's table of acts: lines of title, the heading, the acts, and the sums at the foot.

The format is *assumed*, after tables that banks' core systems print; no bank has published one.
"""

import codecs
import io
import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import BinaryIO, Final, NamedTuple

from gateway.contract import WHOLE_ROW, open_csv, open_text, read_within
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = ["read_acts"]

_EVENT: Final = "流水号"
_COUNT: Final = "笔数"
_AMOUNT: Final = "金额（元）"
_COLUMNS: Final = (_EVENT, "客户号", "交易时间", "业务种类", _COUNT, _AMOUNT, "摘要")
_ROWS: Final = _COLUMNS[1]  # the line of sums states the number of rows here
_SUMS: Final = "合计"
_TITLE_LINES_MAX: Final = 20
_BYTES_MAX: Final = 32 * 1024 * 1024  # 300,000 acts: more than a branch has in a month
_BETWEEN: Final = re.compile(r'[,"\r\n\t;|]+')
_GROUPED: Final = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", re.ASCII)
_PLAIN: Final = re.compile(r"(-?)([0-9]{1,30})(?:\.([0-9]{1,2}))?", re.ASCII)
_EXPORT_AGAIN: Final = "export the table again, with its heading and the line of sums"


class _Table(NamedTuple):
    """A document, and at which of its bytes the heading begins."""

    data: bytes
    heading_at: int
    file: str
    source: SourceFormat


class _Totals(NamedTuple):
    """How many rows there are and their sums, amounts in fen; None once one could not be read."""

    rows: int = 0
    number: int | None = 0
    fen: int | None = 0

    def with_row(self, row: SourceRow | RefusedRow) -> "_Totals":
        count, fen = (_hundredths(row.fields.get(name, "")) for name in (_COUNT, _AMOUNT))
        return _Totals(self.rows + 1, _sum(self.number, count), _sum(self.fen, fen))


def read_acts(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    """Yield the acts of a table, after comparing their number and sums with those at its foot.

    The sums are compared where every row states a number; a row that does not is left to the mapping.

    Raises:
        MalformedDocument: no heading, no line of sums, another number of rows or another sum, or acts
            behind the line of sums.
    """
    data = read_within(document, file, limit=_BYTES_MAX, remedy="export each branch into a table of its own")
    table = _Table(data, _heading_at(data, file, source=source), file, source)
    totals = _Totals()
    stated: Mapping[str, str] | None = None
    for row in _rows(table):
        if stated is None and _is_sums(row):
            stated = row.fields
        elif stated is None:
            totals = totals.with_row(row)
        elif isinstance(row, SourceRow):
            raise MalformedDocument(f"{file}: there are rows behind the line of sums", remedy=_EXPORT_AGAIN)
    _require_equal(totals, stated, file=file)
    return takewhile(lambda row: not _is_sums(row), _rows(table))


def _heading_at(data: bytes, file: str, *, source: SourceFormat) -> int:
    """Return at which byte the heading begins."""
    stream, encoding = open_text(io.BytesIO(data), file, encodings=source.encodings)
    at = 0
    for _ in range(_TITLE_LINES_MAX):
        line = stream.readline()
        if set(_COLUMNS) <= set(_BETWEEN.split(line.decode(encoding, "replace"))):
            return at
        at += len(line) + (len(codecs.BOM_UTF8) if not at and data.startswith(codecs.BOM_UTF8) else 0)
    raise MalformedDocument(
        f"{file} is no table of acts: none of the first {_TITLE_LINES_MAX} lines has the columns "
        f"{', '.join(_COLUMNS)}",
        remedy=_EXPORT_AGAIN,
    )


def _rows(table: _Table) -> Iterator[SourceRow | RefusedRow]:
    document = io.BytesIO(table.data)
    document.seek(table.heading_at)
    for row in open_csv(document, table.file, source=table.source).rows:
        if isinstance(row, SourceRow):
            plain = {name: _ungrouped(row.fields[name]) for name in (_COUNT, _AMOUNT)}
            yield SourceRow(row.place, {**row.fields, **plain})
        else:
            yield row


def _is_sums(row: SourceRow | RefusedRow) -> bool:
    return row.fields.get(_EVENT, row.fields.get(WHOLE_ROW, "")).startswith(_SUMS)


def _require_equal(totals: _Totals, stated: Mapping[str, str] | None, *, file: str) -> None:
    if stated is None or WHOLE_ROW in stated:
        raise MalformedDocument(f"{file} has no line of sums ({_SUMS}) at its foot", remedy=_EXPORT_AGAIN)
    for name, found in ((_ROWS, totals.rows * 100), (_COUNT, totals.number), (_AMOUNT, totals.fen)):
        if found is not None and _hundredths(stated.get(name, "")) != found:
            raise MalformedDocument(
                f"{file}: the line of sums states another total of {name} than the {totals.rows} rows have",
                field=name,
                remedy=_EXPORT_AGAIN,
            )


def _ungrouped(text: str) -> str:
    """Take separators of thousands off where they stand right; else leave the text to the mapping."""
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def _hundredths(text: str) -> int | None:
    """Return a number of at most two decimals in hundredths; None if it is none."""
    match = _PLAIN.fullmatch(text)
    return int(f"{match[1]}{match[2]}{match[3] or '':0<2}") if match else None


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
