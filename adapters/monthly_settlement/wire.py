"""A settlement file: ``H|month|institution|rows|quantity|points``, then a line for each act.

An act is ``D|event|user|day|kind|quantity|points``. The format is *assumed*, after the clearing files
that banks and operators exchange: fields between bars, the kind of line first, control totals in the
heading, so that a file that was cut off or changed on its way shows it. Numbers have at most three
decimals; points are whole.
"""

import io
import re
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import islice
from typing import BinaryIO, Final, NamedTuple

from gateway.contract import Line, read_lines, read_within
from gateway.errors import MalformedDocument, UsageError
from gateway.model.source import Place, RefusedRow, SourceFormat, SourceRow

__all__ = ["read_month", "write_month"]

_BYTES_MAX: Final = 32 * 1024 * 1024  # 500,000 acts; a larger month is settled in several files
_DETAIL: Final = ("event", "user", "day", "kind", "quantity", "points")
_HEADING: Final = ("month", "institution")
_MONTH: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_QUANTITY: Final = re.compile(r"(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,3}))?", re.ASCII)
_ASK_AGAIN: Final = "have the institution send the month's file again; no row of this one was used"


class _Totals(NamedTuple):
    """What the heading states and the rows must add up to; quantities in thousandths."""

    rows: int = 0
    thousandths: int = 0
    points: int = 0

    def with_row(self, row: SourceRow) -> "_Totals":
        quantity = _thousandths(row.fields["quantity"]) or 0
        return _Totals(self.rows + 1, self.thousandths + quantity, self.points + int(row.fields["points"]))


class _Heading(NamedTuple):
    """The first line."""

    month: str
    institution: str
    totals: _Totals


def read_month(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow]:
    """Return the acts of a file that agrees with its heading.

    Raises:
        MalformedDocument: there is no heading, a line cannot be read or is of another month, or the number
            of rows or a total differs from the heading's.
    """
    data = read_within(document, file, limit=_BYTES_MAX, remedy="settle institutions in files of their own")
    lines = read_lines(io.BytesIO(data), file, source=source)
    heading = _heading(next(lines, None), file)
    found = reduce(_Totals.with_row, _details(lines, heading, file=file), _Totals())
    for name, one, other in zip(_Totals._fields, heading.totals, found, strict=True):
        if one != other:
            raise MalformedDocument(
                f"{file}: the heading states {one} {name}, the lines have {other}", remedy=_ASK_AGAIN
            )
    lines = read_lines(io.BytesIO(data), file, source=source)
    return _details(islice(lines, 1, None), heading, file=file)


def write_month(rows: Sequence[SourceRow], *, source: SourceFormat) -> bytes:
    """Write the file of a month; see :class:`MonthlySettlementAdapter`."""
    headings = {tuple(row.fields.get(name, "") for name in _HEADING) for row in rows}
    if len(headings) != 1:
        raise UsageError("expected the rows of one month and institution", remedy="write a file for each")
    totals = reduce(_Totals.with_row, rows, _Totals())
    points, (month, institution) = totals.points, headings.pop()
    quantity = f"{totals.thousandths // 1000}.{totals.thousandths % 1000:03d}"
    lines = [["H", month, institution, str(totals.rows), quantity, str(points)]]
    lines += [["D", *(row.fields[name] for name in _DETAIL)] for row in rows]
    if any(sign in cell for cells in lines for cell in cells for sign in "|\r\n"):
        raise UsageError("a field holds a bar or a line break", remedy="take it out at its source")
    return "".join("|".join(cells) + "\n" for cells in lines).encode(source.encodings[0])


def _heading(line: Line | RefusedRow | None, file: str) -> _Heading:
    cells = line.text.split("|") if isinstance(line, Line) else []
    if len(cells) == 6 and cells[0] == "H" and _MONTH.fullmatch(cells[1]) and _WHOLE.fullmatch(cells[3]):
        quantity = _thousandths(cells[4])
        if quantity is not None and _WHOLE.fullmatch(cells[5]):
            return _Heading(cells[1], cells[2], _Totals(int(cells[3]), quantity, int(cells[5])))
    raise MalformedDocument(
        f"{file}: expected the heading H|YYYY-MM|institution|rows|quantity|points in the first line",
        remedy=_ASK_AGAIN,
    )


def _details(lines: Iterator[Line | RefusedRow], heading: _Heading, *, file: str) -> Iterator[SourceRow]:
    return (_detail(line, Place(file, number), heading=heading) for number, line in enumerate(lines, start=1))


def _detail(line: Line | RefusedRow, place: Place, *, heading: _Heading) -> SourceRow:
    cells = line.text.split("|") if isinstance(line, Line) else []
    where = f"{place.file}: row {place.row}"
    if len(cells) != 1 + len(_DETAIL) or cells[0] != "D" or not all(cells):
        raise MalformedDocument(f"{where}: expected D|{'|'.join(_DETAIL)}", remedy=_ASK_AGAIN)
    fields = dict(zip((*_HEADING, *_DETAIL), (*heading[:2], *cells[1:]), strict=True))
    if not fields["day"].startswith(fields["month"] + "-"):
        raise MalformedDocument(f"{where} is not of the month in the heading", remedy=_ASK_AGAIN)
    if _thousandths(fields["quantity"]) is None or not _WHOLE.fullmatch(fields["points"]):
        expected = "a quantity of at most three decimals and whole points"
        raise MalformedDocument(f"{where}: expected {expected}", remedy=_ASK_AGAIN)
    return SourceRow(place, fields)


def _thousandths(text: str) -> int | None:
    """Return a number of at most three decimals in thousandths; None if it is none."""
    match = _QUANTITY.fullmatch(text)
    return int(f"{match[1]}{match[2] or '':0<3}") if match else None
