"""Where outcomes come from: the rows of a part, packed until somebody asks where one stood and what it said.

Of most acts of a file nobody ever asks, so nothing is made for each of them unless that is wished for.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Final, NamedTuple

import msgspec

from gateway.model.columns import RowTable, picked
from gateway.model.source import Place, RefusedRow, RepeatedRow, SourceBlock, SourceRow

__all__ = ["Origin", "Origins", "PartRows", "Piece", "Stated", "origin_of", "stated_again"]

Piece = SourceBlock | list[SourceRow]
"""Rows that follow one another: a block as it was read, or rows of any fields."""

_json = msgspec.json.Encoder().encode
_encode = msgspec.msgpack.Encoder().encode
_decode_block: Final = msgspec.msgpack.Decoder(SourceBlock).decode
_decode_rows: Final = msgspec.msgpack.Decoder(list[SourceRow]).decode


class Origin(NamedTuple):
    """Where an outcome comes from: its place, further rows that went into it, its fields as JSON."""

    place: Place
    also: tuple[Place, ...]
    fields: bytes


class Stated(NamedTuple):
    """Which rows of its document have stated the acts of a part, to tell each row what became of it.

    ``events`` are the keyed names of the acts' events, packed; ``rows`` numbers of rows, ``acts`` the act of
    each. ``again`` are pairs of a row and the one that it repeats.
    """

    events: bytes
    rows: list[int]
    acts: list[int]
    again: list[tuple[int, int]]


def stated_again(repeated: Sequence[RepeatedRow]) -> list[tuple[int, int]]:
    """Return the rows that state again what others have stated, each with the number of that one."""
    return [(place.row, row.first.row) for row in repeated for place in (row.place, *row.also)]


def origin_of(row: SourceRow | RefusedRow) -> Origin:
    """Return the origin of one row."""
    return Origin(row.place, row.also, _json(row.fields))


class PartRows:
    """The rows of a part, by their number in it."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._ends = list(accumulate(map(len, pieces)))

    def table(self) -> RowTable:
        """Return the fields of all rows."""
        return RowTable(
            [
                piece if isinstance(piece, SourceBlock) else [row.fields for row in piece]
                for piece in self._pieces
            ]
        )

    def origin(self, number: int) -> Origin:
        """Return where one row comes from."""
        at, inside = _at(self._ends, number)
        return origin_of(self._pieces[at][inside])

    def stated(self, acts: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return the numbers in their document of the rows that became acts, and the act of each."""
        numbers = list(chain.from_iterable(map(_numbers, self._pieces)))
        rows = picked(numbers, acts)
        lists = [piece for piece in self._pieces if not isinstance(piece, SourceBlock)]
        also = {row.place.row: row.also for row in chain.from_iterable(lists) if row.also}
        merged = [
            (other.row, act) for act, row in enumerate(rows if also else ()) for other in also.get(row, ())
        ]
        return [*rows, *(row for row, _ in merged)], [*range(len(rows)), *(act for _, act in merged)]

    def packed(self, acts: Sequence[int]) -> "Origins":
        """Pack the rows, of which those with these numbers became acts."""
        blocks = [isinstance(piece, SourceBlock) for piece in self._pieces]
        return Origins(self._ends, blocks, list(map(_encode, self._pieces)), acts)


class Origins(NamedTuple):
    """The origins of acts, packed.

    ``ends`` has for each piece the number of rows up to its end, ``blocks`` tells which pieces are blocks,
    ``packed`` is what they hold; ``acts`` gives the row of each act.
    """

    ends: list[int]
    blocks: list[bool]
    packed: list[bytes]
    acts: Sequence[int]

    def at(self, places: Sequence[int]) -> list[Origin]:
        """Return the origins of some acts."""
        unpacked: dict[int, Piece] = {}
        found = []
        for row in picked(self.acts, places):
            at, inside = _at(self.ends, row)
            if at not in unpacked:
                decode = _decode_block if self.blocks[at] else _decode_rows
                unpacked[at] = decode(self.packed[at])
            found.append(origin_of(unpacked[at][inside]))
        return found


def _numbers(piece: Piece) -> Sequence[int]:
    """Return the numbers of rows in their document."""
    if isinstance(piece, SourceBlock):
        return range(piece.first.row, piece.first.row + len(piece))
    return [row.place.row for row in piece]


def _at(ends: list[int], row: int) -> tuple[int, int]:
    """Return in which piece a row stands, and where inside."""
    piece = bisect_right(ends, row)
    return piece, row - ends[piece - 1] if piece else row
