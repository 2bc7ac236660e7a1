"""Rows of a Parquet document, each value as the exact text of what the file holds."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from gateway.contract.parquet_pages import batch_rows
from gateway.contract.text import ROW_BYTES_MAX, broken_row
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import Place, RefusedRow, SourceRow

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_parquet"]

_DIGITS: Final = {"s": 0, "ms": 3, "us": 6, "ns": 9}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_BUFFER_BYTES: Final = 1 << 20  # of a column, so that a row group is not read whole

_NO_TEXT: Final = (UnicodeDecodeError, OverflowError, ValueError)  # what Arrow does not check when it reads

_ToText = Callable[[Any], str]


def read_parquet(document: BinaryIO, file: str) -> Iterator[SourceRow | RefusedRow]:
    """Yield the rows of a Parquet document by column name; null is absent.

    Integers, decimals, texts, booleans, dates and timestamps become their exact text; a timestamp
    with a zone is given in UTC with ``Z``, one without as ``YYYY-MM-DD HH:MM:SS``.

    Args:
        document: must be seekable, that is not compressed as a whole.
        file: the name to put into each row's place.

    Raises:
        MalformedDocument: it is not Parquet, or a column has another type, floating point above all.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not document.seekable():
        raise MalformedDocument(
            f"{file}: a Parquet file compressed as a whole cannot be read",
            remedy="hand over the .parquet file itself; its columns are compressed inside",
        )
    try:
        with pq.ParquetFile(
            document, pre_buffer=False, buffer_size=_BUFFER_BYTES, page_checksum_verification=True
        ) as table:
            rows_at_once = batch_rows(document, table.metadata, file=file)
            columns = _columns(table.schema_arrow, file)
            number = 0
            for batch in table.iter_batches(batch_size=rows_at_once):
                for fields, fault in _batch_rows(batch, columns):
                    number += 1
                    yield _row(Place(file, number), fields, fault=fault)
    except (pa.ArrowException, OSError, UnicodeDecodeError, RuntimeError) as error:
        # UnicodeDecodeError is of a column's name; RuntimeError is what Arrow makes of its own C++ errors
        raise MalformedDocument(
            f"{file} is not a readable Parquet file: {error}", remedy="export or fetch the file again"
        ) from error


def _columns(schema: "pa.Schema", file: str) -> list[tuple[str, _ToText]]:
    columns: dict[str, _ToText] = {}
    for column in schema:
        if column.name in columns:
            raise MalformedDocument(f"{file}: two columns are named {column.name!r}")
        columns[column.name] = _to_text(column, file)
    return list(columns.items())


def _to_text(column: "pa.Field[Any]", file: str) -> _ToText:
    """Return how a column's values become text."""
    import pyarrow.types as kinds

    kind = column.type.value_type if kinds.is_dictionary(column.type) else column.type
    if kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_null(kind):
        return str
    if kinds.is_integer(kind):
        return str
    if kinds.is_decimal(kind):
        return _decimal_text
    if kinds.is_boolean(kind):
        return lambda value: "true" if value else "false"
    if kinds.is_date32(kind):
        return lambda value: str(value.isoformat())
    if kinds.is_timestamp(kind):
        return lambda value: _timestamp_text(value.value, kind.unit, zoned=kind.tz is not None)
    raise MalformedDocument(
        f"{file}: column {column.name!r} has the type {column.type}; "
        "expected integer, decimal, text, boolean, date or timestamp",
        remedy="export the column as decimal or text: binary floating point does not hold decimal figures",
    )


def _batch_rows(
    batch: "pa.RecordBatch", columns: list[tuple[str, _ToText]]
) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the fields of each row, and what is wrong with them ("" if nothing)."""
    faults: dict[int, str] = {}
    texts = [_column_texts(batch.column(i), column, faults=faults) for i, column in enumerate(columns)]
    names = [name for name, _ in columns]
    for number, row in enumerate(zip(*texts, strict=True)):
        fields = {name: text for name, text in zip(names, row, strict=True) if text is not None}
        yield fields, faults.get(number, "")


def _column_texts(
    values: "pa.Array[Any]", column: tuple[str, _ToText], *, faults: dict[int, str]
) -> list[str | None]:
    """Return a column's texts; a value that has none becomes the fault of its row."""
    import pyarrow.types as kinds

    name, to_text = column
    # A timestamp of nanoseconds does not fit datetime: its scalar holds the integer.
    by_scalar = kinds.is_timestamp(values.type)
    try:
        found = values if by_scalar else values.to_pylist()
        return [None if value is None or not _is_valid(value) else to_text(value) for value in found]
    except _NO_TEXT:
        texts: list[str | None] = []
        for row, scalar in enumerate(values):
            try:
                texts.append(to_text(scalar if by_scalar else scalar.as_py()) if scalar.is_valid else None)
            except _NO_TEXT as error:
                wrong = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else "lies beyond year 9999"
                faults.setdefault(
                    row, f"expected a value of column {name!r} that has a text, found one that {wrong}"
                )
                texts.append(None)
        return texts


def _is_valid(value: object) -> bool:
    return bool(getattr(value, "is_valid", True))


def _decimal_text(value: Decimal) -> str:
    return format(value, "f")


def _timestamp_text(ticks: int, unit: str, *, zoned: bool) -> str:
    digits = _DIGITS[unit]
    seconds, fraction = divmod(ticks, 10**digits)  # down, so that the fraction counts forward before 1970 too
    moment = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(sep="T" if zoned else " ")
    decimals = f".{fraction:0{digits}d}".rstrip("0") if fraction else ""
    return f"{moment}{decimals}{'Z' if zoned else ''}"


def _row(place: Place, fields: dict[str, str], *, fault: str) -> SourceRow | RefusedRow:
    if fault:
        return RefusedRow(place, Rejection.MALFORMED_ROW, fault, fields)
    size = sum(map(len, fields.values()))
    if size <= ROW_BYTES_MAX:
        return SourceRow(place, fields)
    return broken_row(
        place,
        f"expected a row of at most {ROW_BYTES_MAX} characters, found {size}",
        raw="\n".join(text[: ROW_BYTES_MAX + 1] for text in fields.values()).encode(),
    )
