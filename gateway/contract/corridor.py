"""Files for platforms that are called by nobody: what they have to do, line by line, and what they did.

A file's rows have the columns below, whatever it calls them and in whichever form: that is what an adapter
with ``rows`` and ``render`` is for. Where a city has no adapter of its own, files are CSV (RFC 4180).
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final, Protocol

from gateway.contract.table import read_csv
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = [
    "ANSWER_COLUMNS",
    "TASK_COLUMNS",
    "CommonForm",
    "CorridorForm",
    "as_cell",
    "document_of",
    "from_cell",
    "lines_of",
]

_MESSAGE: Final = ("id", "transfer", "account", "unit", "points", "co2e_mg", "expected_in_s", "original")
_LOT: Final = {
    "record": "record",
    "points": "lot_points",
    "co2e_mg": "lot_co2e_mg",
    "event": "event",
    "arrived": "arrived",
    "valid_through": "valid_through",
}
_OTHER: Final = {"hold": "destination", "credit": "source"}
TASK_COLUMNS: Final = ("about", "digest", *_MESSAGE, "other", *_LOT.values(), "decision")
"""What a city has to do: a message in one line for each of its lots; a decision in one line, as it is."""
ANSWER_COLUMNS: Final = ("transfer", "about", "digest", "outcome", "code")
"""What a city did. ``outcome``: done or refused; ``code``: why it was refused."""
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")
_FORMAT: Final = SourceFormat(kind="csv")
Line = dict[str, str]


class CorridorForm(Protocol):
    """How the files of a city are written: what an adapter offers that also renders."""

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield the rows of a file by the columns' names here."""
        ...

    def render(self, rows: Iterable[SourceRow], *, source: SourceFormat) -> bytes:
        """Write a file of rows, all with the same fields; read again, it gives the same rows."""
        ...


class CommonForm:
    """CSV by RFC 4180 in UTF-8, with the columns' names as they are here."""

    def rows(
        self, document: BinaryIO, file: str, *, source: SourceFormat = _FORMAT
    ) -> Iterator[SourceRow | RefusedRow]:
        """Yield the rows of a file."""
        yield from read_csv(document, file, source=source)

    def render(self, rows: Iterable[SourceRow], *, source: SourceFormat = _FORMAT) -> bytes:
        """Write a file of rows."""
        del source
        text = io.StringIO(newline="")
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(text, list(row.fields))
                writer.writeheader()
            writer.writerow(row.fields)
        return text.getvalue().encode()


def as_cell(text: str) -> str:
    """Return a text as it stands in a cell: one that a spreadsheet takes for a formula has ' before it.

    So has one that begins with ', which makes :func:`from_cell` exact.
    """
    return "'" + text if text.startswith(_FORMULA) else text


def from_cell(cell: str) -> str:
    """Return the text that stands in a cell."""
    return cell.removeprefix("'")


def lines_of(about: str, document: Mapping[str, Any], *, digest: str) -> Iterator[Line]:
    """Yield the lines of a message; ``digest`` is that of what it says."""
    line = dict.fromkeys(TASK_COLUMNS, "") | {"about": about, "digest": digest}
    if about == "decision":
        yield line | {
            "transfer": document["body"]["transfer"],
            "decision": canonical_bytes(dict(document)).decode(),
        }
        return
    line |= {name: as_cell(str(document[name])) for name in _MESSAGE if name in document}
    line["other"] = as_cell(document[_OTHER[about]])
    for lot in document["lots"]:
        yield line | {column: as_cell(lot[name]) for name, column in _LOT.items() if name in lot}


def document_of(lines: Sequence[Mapping[str, str]]) -> dict[str, Json]:
    """Return the message that stands in some lines, as common JSON has it."""
    first = lines[0]
    if first["about"] == "decision":
        decision: dict[str, Json] = json.loads(first["decision"])
        return decision
    said: dict[str, Json] = {name: from_cell(first[name]) for name in _MESSAGE if first[name]}
    said["expected_in_s"] = int(first["expected_in_s"])
    said[_OTHER[first["about"]]] = from_cell(first["other"])
    said["lots"] = [
        {name: from_cell(line[column]) for name, column in _LOT.items() if line[column]} for line in lines
    ]
    return said
