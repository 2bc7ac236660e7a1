"""How large the pages of a Parquet document are, told before any of them is expanded.

A page is expanded whole, and a value of a dictionary is written out once for each row that names it, so
a file of some kilobytes could ask for gigabytes. Each page states its size in a header (Thrift's compact
protocol) that Arrow reads only together with the page; here the headers are read alone.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from gateway.errors import MalformedDocument

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["PAGE_BYTES_MAX", "batch_rows"]

PAGE_BYTES_MAX: Final = 128 * 1024 * 1024  # writers make pages of 1 MiB, some one of 100 MB for a column
_BATCH_BYTES: Final = 128 * 1024 * 1024
_BATCH_ROWS_MAX: Final = 4096  # more at once is not quicker
_ROWS_FREE: Final = 4 * 1024 * 1024
_ROWS_PER_BYTE: Final = 6  # the ratio of a compressed text file at rows of 64 bytes
_DEPTH_MAX: Final = 4  # a page header has 3 levels
_VARINT_BYTES_MAX: Final = 10

_DICTIONARY_PAGE: Final = 2
_KIND, _EXPANDED, _STORED = 1, 2, 3  # fields of a page header
_OF_KIND: Final = {0: 5, _DICTIONARY_PAGE: 7, 3: 8}  # kind of page: the field with its number of values
_VALUES: Final = 1

_Struct = dict[int, "int | _Struct"]


class _Pages(NamedTuple):
    """The pages of one column in all row groups."""

    largest: int
    dictionary: int
    bytes_per_value: int


def batch_rows(document: BinaryIO, metadata: "pq.FileMetaData", *, file: str) -> int:
    """Return how many rows may be read at once so that memory stays flat.

    Raises:
        MalformedDocument: a page header is damaged, the pages that must be in memory together are
            too large, or there are more rows than a file of that size may have.
    """
    size = document.seek(0, 2)
    if metadata.num_rows > max(_ROWS_FREE, _ROWS_PER_BYTE * size):
        raise MalformedDocument(
            f"{file} has {metadata.num_rows} rows in {size} bytes: more than a file of that size may have",
            remedy="split the file, or export it as CSV or NDJSON",
        )
    try:
        if sum(chunk.total_compressed_size for chunk in _chunks(metadata)) > size:
            raise _Damaged  # chunks that share bytes: reading them all could take for ever
        columns = [_pages(document, metadata, column=column) for column in range(metadata.num_columns)]
    except (_Damaged, ValueError, OSError) as error:
        raise MalformedDocument(
            f"{file} is not a readable Parquet file: a page header is damaged",
            remedy="export or fetch the file again",
        ) from error
    together = sum(column.largest for column in columns)
    if together > PAGE_BYTES_MAX:
        raise MalformedDocument(
            f"{file} has pages that take {together} bytes together, at most {PAGE_BYTES_MAX} are read",
            remedy="export the file with smaller pages (most writers make them of 1 MiB), or as NDJSON",
        )
    row = sum(column.dictionary + column.bytes_per_value for column in columns)
    return max(1, min(_BATCH_ROWS_MAX, _BATCH_BYTES // max(1, row)))


class _Damaged(Exception):
    """Bytes are no page header."""


def _chunks(metadata: "pq.FileMetaData") -> Iterator["pq.ColumnChunkMetaData"]:
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        yield from map(group.column, range(metadata.num_columns))


def _pages(document: BinaryIO, metadata: "pq.FileMetaData", *, column: int) -> _Pages:
    largest = dictionary = density = 0
    for group in range(metadata.num_row_groups):
        chunk = metadata.row_group(group).column(column)
        if not chunk.num_values:
            continue
        start, dictionary_at = chunk.data_page_offset, chunk.dictionary_page_offset
        if dictionary_at is not None and 0 < dictionary_at < start:
            start = dictionary_at
        for kind, expanded, values in _headers(document, start, end=start + chunk.total_compressed_size):
            largest = max(largest, expanded)
            if kind == _DICTIONARY_PAGE:
                dictionary = max(dictionary, expanded)
            else:
                density = max(density, -(-expanded // max(1, values)))
    return _Pages(largest, dictionary, density)


def _headers(document: BinaryIO, start: int, *, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield kind, expanded size and number of values of each page between two places of a document."""
    at = document.seek(start)
    while at < end:
        header = _struct(document)
        kind, expanded, stored = (_number(header, field) for field in (_KIND, _EXPANDED, _STORED))
        inner = header.get(_OF_KIND.get(kind, 0), {})
        yield kind, expanded, _number(inner, _VALUES) if isinstance(inner, dict) and inner else 0
        at = document.seek(stored, 1)


def _number(struct: _Struct, field: int) -> int:
    value = struct.get(field)
    if not isinstance(value, int) or value < 0:
        raise _Damaged
    return value


def _struct(document: BinaryIO, depth: int = 0) -> _Struct:
    """Read one struct of Thrift's compact protocol: its numbers and structs; texts are passed over."""
    if depth == _DEPTH_MAX:
        raise _Damaged
    found: _Struct = {}
    field = 0
    while head := _byte(document):
        field = field + (head >> 4) if head >> 4 else _signed(_varint(document))
        match head & 0x0F:
            case 1 | 2:  # true and false stand in the head itself
                pass
            case 3:
                _byte(document)
            case 4 | 5 | 6:
                found[field] = _signed(_varint(document))
            case 8:
                document.seek(_varint(document), 1)
            case 12:
                found[field] = _struct(document, depth + 1)
            case _:
                raise _Damaged
    return found


def _byte(document: BinaryIO) -> int:
    read = document.read(1)
    if not read:
        raise _Damaged
    return read[0]


def _varint(document: BinaryIO) -> int:
    value = 0
    for place in range(_VARINT_BYTES_MAX):
        octet = _byte(document)
        value |= (octet & 0x7F) << (7 * place)
        if octet < 0x80:
            return value
    raise _Damaged


def _signed(zigzag: int) -> int:
    return (zigzag >> 1) ^ -(zigzag & 1)
