"""The sort stage: bring the rows of a submission into an adapter's declared order and assemble them."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from gateway.bulk.sorting import ExternalSort
from gateway.contract import Assembly
from gateway.errors import InvariantBroken
from gateway.model.source import Outcome, Place, RefusedRow, SourceRow

__all__ = ["sort_rows"]

# Keys compare as bytes: an absent field sorts before any text, the end of a text before any more of
# it, and a zero inside a text is told from its end by the byte behind it.
_ABSENT: Final = b"\x01"
_TEXT: Final = b"\x02"
_END: Final = b"\x00"
_ZERO: Final = b"\x00\xff"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(SourceRow).decode


def sort_rows(
    rows: Iterable[SourceRow | RefusedRow], assembly: Assembly, *, folder: Path, memory: int
) -> Iterator[Outcome]:
    """Yield what an assembly makes of a submission's rows, after the rows that the adapter refused.

    Rows that agree in all fields of the order stand in the order of their places, so that the
    outcome does not depend on the order in which they came.

    Args:
        rows: all rows of a submission.
        assembly: the adapter's declared stage.
        folder: where temporary files are made; they are gone when the iteration ends in any way.
        memory: about how many bytes of rows may be held at once.

    Raises:
        InvariantBroken: the assembly accounts for more or fewer rows than it was given.
    """
    with ExternalSort(folder, memory) as sort:
        for row in rows:
            if isinstance(row, RefusedRow):
                yield row
            else:
                sort.add(_key(row, assembly), _encode(row))
        ordered = map(_decode, sort.drain())
        for _, group in groupby(ordered, key=lambda row: _group(row, assembly)):
            yield from _assembled(group, assembly)


def _assembled(group: Iterator[SourceRow], assembly: Assembly) -> Iterator[Outcome]:
    rows = _Counted(group)
    accounted = 0
    for outcome in assembly.assemble(rows):
        accounted += 1 + len(outcome.also)
        yield outcome
    for _ in rows:  # what the assembly has left unread
        pass
    if accounted != rows.count:
        raise InvariantBroken(
            f"the adapter's assembly accounts for {accounted} of the {rows.count} rows of a group that "
            f"ends at {rows.last}",
            remedy="report this to the author of the adapter; nothing further was written",
        )


class _Counted:
    """The rows of a group, counted as they are read."""

    def __init__(self, rows: Iterator[SourceRow]) -> None:
        self._rows = rows
        self.count = 0
        self.last: Place | None = None

    def __iter__(self) -> Iterator[SourceRow]:
        return self

    def __next__(self) -> SourceRow:
        row = next(self._rows)
        self.count += 1 + len(row.also)
        self.last = row.place
        return row


def _group(row: SourceRow, assembly: Assembly) -> tuple[str | None, ...]:
    return tuple(row.fields.get(name) for name in assembly.group_by)


def _key(row: SourceRow, assembly: Assembly) -> bytes:
    fields = row.fields
    parts = [_part(fields.get(name)) for name in (*assembly.group_by, *assembly.order_by)]
    return b"".join((*parts, _part(row.place.file), row.place.row.to_bytes(8, "big")))


def _part(text: str | None) -> bytes:
    if text is None:
        return _ABSENT
    return _TEXT + text.encode("utf-8").replace(_END, _ZERO) + _END
