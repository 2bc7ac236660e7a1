"""Rows of a CSV document: one header, quoted line breaks, nothing guessed."""

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from gateway.contract.text import ROW_BYTES_MAX, TextSource, broken_row, open_text
from gateway.errors import MalformedDocument
from gateway.model.source import Place, RefusedRow, SourceFormat, SourceRow

__all__ = ["CsvTable", "UnknownHeader", "open_csv", "read_csv"]

_EXPORT_AGAIN: Final = "export the table again with one header row and a name for each column"


class UnknownHeader(MalformedDocument):
    """A table's header is none of those that the adapter knows; nothing of the table was read."""

    code = "unknown-header"


class CsvTable(NamedTuple):
    """A CSV document whose header has been read: the names of its columns, and its rows to come."""

    names: tuple[str, ...]
    rows: Iterator[SourceRow | RefusedRow]


def read_csv(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    """Yield the rows of a CSV document by column name; blank lines are not rows.

    A row with another number of cells than the header, with broken quoting, with bytes that do not
    decode or of more than 64 KiB is refused; the rows after it keep their numbers. A quoted cell
    that is never closed reaches to the end of the file: nothing inside it is taken for a row.

    Raises:
        MalformedDocument: it is not text, has no header, or a column without a name or with the name
            of another.
    """
    yield from open_csv(document, file, source=source).rows


def open_csv(document: BinaryIO, file: str, *, source: SourceFormat) -> CsvTable:
    """Read the header of a CSV document, for an adapter that chooses by it; see :func:`read_csv`.

    Raises:
        MalformedDocument: as for :func:`read_csv`.
    """
    lines = _Lines(open_text(document, file, encodings=source.encodings), source.quote)
    cells = csv.reader(
        lines,
        delimiter=source.delimiter,
        quotechar=source.quote or None,
        quoting=csv.QUOTE_MINIMAL if source.quote else csv.QUOTE_NONE,
        strict=True,
    )
    names = _header(lines, cells, file=file)
    return CsvTable(tuple(names), _rows(lines, cells, file=file, names=names))


def _rows(
    lines: "_Lines", cells: Iterator[list[str]], *, file: str, names: list[str]
) -> Iterator[SourceRow | RefusedRow]:
    number = 0
    while True:
        fault, row = _next_row(lines, cells)
        if row is None:
            return
        if not row and not fault:
            continue
        number += 1
        if not fault and len(row) != len(names):
            fault = f"expected {len(names)} cells as in the header, found {len(row)}"
        place = Place(file, number)
        if fault:
            yield broken_row(place, fault, raw=lines.taken(), encoding=lines.encoding)
        else:
            yield SourceRow(place, dict(zip(names, row, strict=True)))


class _RowTooLong(Exception):
    """The csv reader asked for more of a row than a row may have."""


class _Lines:
    """Decoded lines for the csv reader; remembers the bytes of the row it is reading."""

    def __init__(self, text: TextSource, quote: str) -> None:
        self._stream = text.stream
        self.encoding = text.encoding
        self._quote = quote
        self._row: list[bytes] = []
        self._size = 0
        self.undecodable = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._stream.readline(ROW_BYTES_MAX + 1)
        if not line:
            raise StopIteration
        self._row.append(line)
        self._size += len(line)
        if self._size > ROW_BYTES_MAX:
            raise _RowTooLong
        try:
            return line.decode(self.encoding)
        except UnicodeDecodeError:
            # Decoded with a replacement, the row ends where the csv reader says that it ends.
            self.undecodable = True
            return line.decode(self.encoding, "replace")

    def begin_row(self) -> None:
        self._row, self._size, self.undecodable = [], 0, False

    def taken(self) -> bytes:
        return b"".join(self._row)

    def skip_row(self) -> int:
        """Read to the end of a row that is too long and return its whole length."""
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        quotes = self._quotes(decoder.decode(self.taken()))
        piece, size = self._row[-1], self._size
        while (quotes % 2 or not piece.endswith(b"\n")) and (piece := self._stream.readline(ROW_BYTES_MAX)):
            quotes += self._quotes(decoder.decode(piece))
            size += len(piece)
        return size

    def _quotes(self, text: str) -> int:
        return text.count(self._quote) if self._quote else 0


def _header(lines: _Lines, cells: Iterator[list[str]], *, file: str) -> list[str]:
    fault = ""
    names: list[str] = []
    while not fault and not names:
        fault, row = _next_row(lines, cells)
        if row is None:
            raise MalformedDocument(f"{file} is empty; expected a header row", remedy=_EXPORT_AGAIN)
        names = row
    if fault:
        raise MalformedDocument(f"{file}: the header row cannot be read: {fault}", remedy=_EXPORT_AGAIN)
    seen: dict[str, int] = {}
    for column, name in enumerate(names, start=1):
        if not name.strip():
            raise MalformedDocument(f"{file}: column {column} has no name", remedy=_EXPORT_AGAIN)
        if (first := seen.setdefault(name, column)) != column:
            raise MalformedDocument(
                f"{file}: columns {first} and {column} have the same name", remedy=_EXPORT_AGAIN
            )
    return names


def _next_row(lines: _Lines, cells: Iterator[list[str]]) -> tuple[str, list[str] | None]:
    """Return what is wrong with the next row ("" if nothing) and its cells; None after the last row."""
    lines.begin_row()
    try:
        row = next(cells, None)
    except _RowTooLong:
        return f"expected a row of at most {ROW_BYTES_MAX} bytes, found {lines.skip_row()}", []
    except csv.Error as error:
        return f"not CSV: {error}", []
    if lines.undecodable:
        return f"expected text in {lines.encoding}, some bytes of the row are not", row
    return "", row
