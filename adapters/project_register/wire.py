"""A register's table: one issue of a project's reductions a row, in whole tonnes with serial numbers.

The format is *assumed*: registries state serial numbers from and to, the quantity and the owner, but none
has published how it exports them.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from gateway.contract import UnknownHeader, open_csv
from gateway.model.codes import Rejection
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = ["COLUMNS", "FIRST", "LAST", "SERIES", "read_register"]

SERIES: Final = "series"
FIRST: Final = "first"
LAST: Final = "last"

_FROM: Final = "编号起"
_TO: Final = "编号止"
_TONNES: Final = "减排量（吨）"
COLUMNS: Final = ("项目编号", "签发日期", _FROM, _TO, _TONNES, "持有账户", "状态")
_SERIAL: Final = re.compile(r"(.{0,64}?)([0-9]{1,18})", re.ASCII)
_WHOLE: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def read_register(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    """Yield each issue under the register's columns, with its range of serial numbers taken apart.

    Raises:
        UnknownHeader: a column of a register is lacking.
        MalformedDocument: it is no table.
    """
    table = open_csv(document, file, source=source)
    if lacking := [name for name in COLUMNS if name not in table.names]:
        raise UnknownHeader(
            f"{file} is no register of projects: it has no column {', '.join(lacking)}",
            remedy="hand over the registry's export with its heading",
        )
    for row in table.rows:
        yield _issue(row) if isinstance(row, SourceRow) else row


def _issue(row: SourceRow) -> SourceRow | RefusedRow:
    begin, end = (_SERIAL.fullmatch(row.fields[name]) for name in (_FROM, _TO))
    if begin is None or end is None:
        return _refused(row, Rejection.MALFORMED_ROW, detail="expected serial numbers that end in digits")
    if begin[1] != end[1] or len(begin[2]) != len(end[2]):
        return _refused(row, Rejection.MALFORMED_ROW, detail="expected two serial numbers of one series")
    if not _WHOLE.fullmatch(row.fields[_TONNES]):
        return _refused(row, Rejection.NOT_A_DECIMAL, detail=f"{_TONNES}: expected a whole number of tonnes")
    if int(end[2]) - int(begin[2]) + 1 != int(row.fields[_TONNES]):
        expected = "expected as many serial numbers as tonnes, one each"
        return _refused(row, Rejection.IMPLAUSIBLE, detail=expected)
    found = {SERIES: begin[1], FIRST: f"{begin[2]:0>18}", LAST: f"{end[2]:0>18}"}
    return SourceRow(row.place, {**row.fields, **found})


def _refused(row: SourceRow, code: Rejection, *, detail: str) -> RefusedRow:
    return RefusedRow(row.place, code, detail, row.fields)
