"""How large the pages of a Parquet document are, told before any of them is expanded.

A page is expanded whole, and a value of a dictionary is written out once for each row that names it, so
a file of some kilobytes could ask for gigabytes. Each page states its size in a header (Thrift's compact
protocol) that Arrow reads only together with the page; here the headers are read alone.
"""

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from gateway.contract.thrift import Damaged, Value, number_of, read_struct
from gateway.errors import MalformedDocument

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["PAGE_BYTES_MAX", "batch_rows"]

PAGE_BYTES_MAX: Final = 128 * 1024 * 1024  # writers make pages of 1 MiB, some one of 100 MB for a column
_BATCH_BYTES: Final = 128 * 1024 * 1024
_BATCH_ROWS_MAX: Final = 4096  # more at once is not quicker
_ROWS_FREE: Final = 4 * 1024 * 1024
_ROWS_PER_BYTE: Final = 6  # the ratio of a compressed text file at rows of 64 bytes

_DICTIONARY_PAGE: Final = 2
_KIND, _EXPANDED, _STORED = 1, 2, 3  # fields of a page header
_OF_KIND: Final = {0: 5, _DICTIONARY_PAGE: 7, 3: 8}  # kind of page: the field with its number of values
_VALUES: Final = 1

_FOOTER_END: Final = 8  # its length, then the mark PAR1
_FOOTER_BYTES_MAX: Final = 4 * 1024 * 1024  # one of 34 row groups and 20 columns has 100 KB
_HEADER_BYTES_MAX: Final = 64 * 1024  # of a page: some tens of bytes and two values, which writers cut off
_ROW_GROUPS: Final = 4  # field of the footer; field 1 of a row group has its columns
_CHUNK: Final = 3  # field of a column with what is known of its chunk
_CHUNK_VALUES, _CHUNK_STORED, _CHUNK_DATA, _CHUNK_DICTIONARY = 5, 7, 9, 11


class _Chunk(NamedTuple):
    """A column of one row group: how many values it has, where its pages begin, how many bytes they take."""

    values: int
    start: int
    stored: int


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
        groups = _row_groups(document, size)
        if sum(chunk.stored for chunks in groups for chunk in chunks) > size:
            raise Damaged  # chunks that share bytes: reading them all could take for ever
        columns = [_pages(document, chunks) for chunks in zip(*groups, strict=True)]
    except (Damaged, ValueError, OSError, OverflowError) as error:
        raise MalformedDocument(
            f"{file} is not a readable Parquet file: its footer or a page header is damaged",
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


def _row_groups(document: BinaryIO, size: int) -> list[list[_Chunk]]:
    """Read from the footer where the chunks of each row group are, column by column."""
    document.seek(size - _FOOTER_END)
    length = int.from_bytes(document.read(4), "little")
    if not 0 < length <= min(size - _FOOTER_END, _FOOTER_BYTES_MAX):
        raise Damaged
    document.seek(size - _FOOTER_END - length)
    footer = read_struct(io.BytesIO(document.read(length)))
    return [[_chunk(column) for column in _listed(group, 1)] for group in _listed(footer, _ROW_GROUPS)]


def _chunk(column: Value) -> _Chunk:
    known = column.get(_CHUNK) if isinstance(column, dict) else None
    values, stored, start = (number_of(known, field) for field in (_CHUNK_VALUES, _CHUNK_STORED, _CHUNK_DATA))
    dictionary = known.get(_CHUNK_DICTIONARY) if isinstance(known, dict) else None
    if isinstance(dictionary, int) and 0 < dictionary < start:
        start = dictionary
    return _Chunk(values, start, stored)


def _listed(struct: Value, field: int) -> list[Value]:
    listed = struct.get(field) if isinstance(struct, dict) else None
    if not isinstance(listed, list):
        raise Damaged
    return listed


def _pages(document: BinaryIO, chunks: Iterable[_Chunk]) -> _Pages:
    largest = dictionary = density = 0
    for chunk in chunks:
        if not chunk.values:
            continue
        for kind, expanded, values in _headers(document, chunk.start, end=chunk.start + chunk.stored):
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
        window = io.BytesIO(document.read(min(end - at, _HEADER_BYTES_MAX)))
        header = read_struct(window)
        kind, expanded, stored = (number_of(header, field) for field in (_KIND, _EXPANDED, _STORED))
        inner = header.get(_OF_KIND.get(kind, 0))
        yield kind, expanded, number_of(inner, _VALUES) if inner else 0
        at = document.seek(at + window.tell() + stored)
