"""A document to try an adapter on, and one reading of it: what came out, whatever it was."""

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, NamedTuple

from gateway.contract import PlatformAdapter
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = ["SAMPLE_BYTES_MAX", "Reading", "Sample", "opened_in_pieces", "read_sample"]

SAMPLE_BYTES_MAX: Final = 64 * 1024  # each is read some hundred times, and every row is kept

_ROWS_PER_BYTE: Final = 6  # in Parquet files, where equal values take next to nothing


class Sample(NamedTuple):
    """A whole document of a platform, the name it has as a file, and the mapping's ``source.format``."""

    file: str
    document: bytes
    source: SourceFormat = SourceFormat()


class Reading(NamedTuple):
    """What an adapter made of a document.

    ``of`` says in words which document it was. ``refused`` is the refusal of the whole document,
    ``fault`` what came out that should not: an error that is not ours, or rows without end.
    """

    of: str
    sample: Sample
    rows: tuple[SourceRow | RefusedRow, ...]
    refused: MalformedDocument | None = None
    fault: str = ""

    def accepted(self) -> list[SourceRow]:
        """Return the rows that may become acts."""
        return [row for row in self.rows if isinstance(row, SourceRow)]


def read_sample(
    adapter: PlatformAdapter,
    sample: Sample,
    *,
    of: str = "",
    opened: Callable[[Sample], BinaryIO] = lambda sample: io.BytesIO(sample.document),
) -> Reading:
    """Read a document as the gateway does and keep all that comes out, errors too."""
    rows: list[SourceRow | RefusedRow] = []
    refused: MalformedDocument | None = None
    fault = ""
    try:
        for row in _limited(adapter, sample, opened=opened):
            rows.append(row)
    except MalformedDocument as error:
        refused = error
    except Exception as error:  # noqa: BLE001 - what may come out of an adapter is the question
        fault = f"expected rows or MalformedDocument, got {type(error).__name__}: {error}"
    return Reading(of or sample.file, sample, tuple(rows), refused, fault)


def opened_in_pieces(size: int) -> Callable[[Sample], BinaryIO]:
    """Return how to open a document that gives at most so many bytes at a time."""

    def opened(sample: Sample) -> BinaryIO:
        pieces = _Pieces(sample.document, size)
        # Arrow takes a short answer for the end of a file.
        return io.BufferedReader(pieces, size) if sample.source.kind == "parquet" else pieces

    return opened


def _limited(
    adapter: PlatformAdapter, sample: Sample, *, opened: Callable[[Sample], BinaryIO]
) -> Iterator[SourceRow | RefusedRow]:
    most = len(sample.document) * (_ROWS_PER_BYTE if sample.source.kind == "parquet" else 1)
    for number, row in enumerate(adapter.rows(opened(sample), sample.file, source=sample.source), start=1):
        if number > most:
            raise OverflowError(f"more than {most} rows of {len(sample.document)} bytes")
        yield row


class _Pieces(io.BytesIO):
    """A document that comes as from a socket: fewer bytes than were asked for are not its end."""

    def __init__(self, document: bytes, size: int) -> None:
        super().__init__(document)
        self._size = size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._size if size is None or size < 0 else min(size, self._size))

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stub's Buffer has no len
        return super().readinto(buffer[: self._size])
