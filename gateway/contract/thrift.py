"""Thrift's compact protocol, as far as sizes and places in a Parquet document need it.

Arrow reads the same structs, but a few wrong bits in the statistics of a column end the whole process
there (``ColumnChunkMetaData`` of pyarrow 26), which no caller can catch.
"""

from typing import BinaryIO, Final

__all__ = ["Damaged", "Struct", "Value", "number_of", "read_struct"]

_DEPTH_MAX: Final = 12  # the footer of a Parquet file has 7 levels
_VARINT_BYTES_MAX: Final = 10
_TEXT_BYTES_MAX: Final = 4 * 1024 * 1024

Value = int | None | list["Value"] | dict[int, "Value"]
"""A number, a list or a struct; None for what is passed over: texts and floating point."""

Struct = dict[int, Value]


class Damaged(Exception):
    """Bytes are no struct of the compact protocol, or lack what must be there."""


def read_struct(document: BinaryIO, depth: int = 0) -> Struct:
    """Read one struct from where the document stands: its numbers, lists and structs by field.

    Time and memory are bounded by the size of the document, so give no more of it than a struct may have.

    Raises:
        Damaged: it is none, or nested deeper than any that is meant.
    """
    found: Struct = {}
    field = 0
    while head := _byte(document):
        field = field + (head >> 4) if head >> 4 else _signed(_varint(document))
        kind = head & 0x0F
        found[field] = int(kind == 1) if kind in (1, 2) else _value(document, kind, depth=depth)
    return found


def number_of(struct: Value, field: int) -> int:
    """Return a number that must be there and not negative."""
    value = struct.get(field) if isinstance(struct, dict) else None
    if not isinstance(value, int) or value < 0:
        raise Damaged
    return value


def _value(document: BinaryIO, kind: int, *, depth: int) -> Value:
    if depth == _DEPTH_MAX:
        raise Damaged
    match kind:
        case 1 | 2 | 3:  # in a list a truth value has a byte of its own
            return _byte(document)
        case 4 | 5 | 6:
            return _signed(_varint(document))
        case 7:
            _take(document, 8)
            return None
        case 8:
            _take(document, _varint(document))
            return None
        case 9 | 10:
            head = _byte(document)
            count = head >> 4 if head >> 4 < 15 else _varint(document)
            return [_value(document, head & 0x0F, depth=depth + 1) for _ in range(count)]
        case 12:
            return read_struct(document, depth + 1)
        case _:
            raise Damaged


def _byte(document: BinaryIO) -> int:
    return _take(document, 1)[0]


def _take(document: BinaryIO, size: int) -> bytes:
    # Nothing is passed over unread: a list of what is not there would have no end.
    taken = document.read(min(size, _TEXT_BYTES_MAX))
    if len(taken) < size:
        raise Damaged
    return taken


def _varint(document: BinaryIO) -> int:
    value = 0
    for place in range(_VARINT_BYTES_MAX):
        octet = _byte(document)
        value |= (octet & 0x7F) << (7 * place)
        if octet < 0x80:
            return value
    raise Damaged


def _signed(zigzag: int) -> int:
    return (zigzag >> 1) ^ -(zigzag & 1)
