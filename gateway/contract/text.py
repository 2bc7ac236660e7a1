"""Text documents larger than memory: encoding found on the head, rows of bounded length."""

import codecs
import io
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, Final, NamedTuple

from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import Place, RefusedRow, SourceFormat

__all__ = [
    "ROW_BYTES_MAX",
    "WHOLE_ROW",
    "Line",
    "TextSource",
    "broken_row",
    "open_text",
    "read_lines",
    "read_within",
    "some_lines",
]

ROW_BYTES_MAX: Final = 64 * 1024  # an act of any platform seen stays below 2 KiB
WHOLE_ROW: Final = ""  # as in JSON Pointer, where the empty text points to the whole
_HEAD_BYTES: Final = 1 << 20
_KEPT_BYTES: Final = 1024  # of a row that is too long
_BUFFER_BYTES: Final = 1 << 18


class TextSource(NamedTuple):
    """A document from its first row on, without a byte order mark, and the encoding it is read in."""

    stream: "io.BufferedReader[Any]"
    encoding: str


class Line(NamedTuple):
    """One line of a document, without its end, and where it stands."""

    place: Place
    text: str


def open_text(document: BinaryIO, file: str, *, encodings: Iterable[str]) -> TextSource:
    """Find the encoding of a document on its first MiB.

    It is the first of the encodings that decodes the whole head; if none does, the first that
    decodes the first line, so that one damaged row does not cost the file.

    Raises:
        MalformedDocument: no encoding decodes even the first line.
    """
    stream = io.BufferedReader(_Rejoined(head := _read_head(document), document), _BUFFER_BYTES)
    tried = tuple(encodings)
    first = head[: head.find(b"\n") + 1] or head
    if first.count(0) > len(first) // 4:  # UTF-16 without its mark, or no text at all, decodes as UTF-8 too
        raise MalformedDocument(
            f"{file}: the first line is not text in {' or '.join(tried)}: it is full of zero bytes",
            remedy="export the file again in UTF-8",
        )
    for sample in (head, first):
        for encoding in tried:
            if _decodes(sample, encoding):
                if encoding == "utf-8" and head.startswith(codecs.BOM_UTF8):
                    stream.read(len(codecs.BOM_UTF8))
                return TextSource(stream, encoding)
    raise MalformedDocument(
        f"{file}: the first line is not text in {' or '.join(tried)}",
        remedy="name the file's encoding in the mapping's source.format, or export the file again",
    )


def read_lines(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[Line | RefusedRow]:
    """Yield the lines of a text document; blank lines are not rows.

    A line that does not decode, or of more than 64 KiB, is refused; those after it keep their numbers.

    Raises:
        MalformedDocument: no encoding of the source decodes even the first line.
    """
    yield from some_lines(open_text(document, file, encodings=source.encodings), file)


def read_within(document: BinaryIO, file: str, *, limit: int, remedy: str) -> bytes:
    """Return the whole of a document that has to be looked at twice, such as for its control totals.

    Raises:
        MalformedDocument: it has more than ``limit`` bytes; no more than that is read.
    """
    parts, size = [], 0
    while size <= limit and (part := document.read(min(_BUFFER_BYTES, limit + 1 - size))):
        parts.append(part)
        size += len(part)
    if size > limit:
        raise MalformedDocument(f"{file} has more than {limit} bytes", remedy=remedy)
    return b"".join(parts)


def some_lines(
    text: TextSource, file: str, *, after: int = 0, count: int | None = None
) -> Iterator[Line | RefusedRow]:
    """Yield lines as :func:`read_lines` does, of a document that is open already.

    Args:
        text: the document, at the beginning of a line.
        file: its name in places.
        after: the number of the last row before.
        count: how many lines to read, if there are as many; all without it.
    """
    stream, encoding = text
    number = after
    for raw in islice(iter(partial(stream.readline, ROW_BYTES_MAX + 1), b""), count):
        if len(raw) <= ROW_BYTES_MAX and raw.isspace():
            continue
        number += 1
        place = Place(file, number)
        if len(raw) > ROW_BYTES_MAX:
            size = len(raw) if raw.endswith(b"\n") else len(raw) + _skip_line(stream)
            detail = f"expected a row of at most {ROW_BYTES_MAX} bytes, found {size}"
            yield broken_row(place, detail, raw=raw, encoding=encoding)
            continue
        try:
            yield Line(place, raw.decode(encoding).rstrip("\r\n"))
        except UnicodeDecodeError as error:
            detail = f"expected text in {encoding}, byte {error.start + 1} of the row is not"
            yield broken_row(place, detail, raw=raw, encoding=encoding)


def broken_row(place: Place, detail: str, *, raw: bytes, encoding: str = "utf-8") -> RefusedRow:
    """Return the refusal of a row that cannot be taken apart; what is too long is kept in part."""
    kept = raw if len(raw) <= ROW_BYTES_MAX else raw[:_KEPT_BYTES]
    text = kept.decode(encoding, "backslashreplace").rstrip("\r\n")
    return RefusedRow(place, Rejection.MALFORMED_ROW, detail, {WHOLE_ROW: text})


def _skip_line(stream: BinaryIO) -> int:
    """Read to the end of a line in little memory and return how many bytes that was."""
    skipped = 0
    while piece := stream.readline(ROW_BYTES_MAX):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _read_head(document: BinaryIO) -> bytes:
    parts, missing = [], _HEAD_BYTES
    while missing and (part := document.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _decodes(sample: bytes, encoding: str) -> bool:
    # A full head was cut out of the document and may end in the middle of a character.
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        decoder.decode(sample, final=len(sample) < _HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return True


class _Rejoined(io.RawIOBase):
    """The head that was looked at, then the rest of the document."""

    def __init__(self, head: bytes, document: BinaryIO) -> None:
        self._head = memoryview(head)
        self._document = document

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stub's Buffer has no len
        part = self._head[: len(buffer)] or memoryview(self._document.read(len(buffer)))
        self._head = self._head[len(part) :]
        buffer[: len(part)] = part
        return len(part)
