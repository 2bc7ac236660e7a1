"""Answers of a paged API, one a line: ``{"code": 0, "data": {"total", "cursor", "next", "list"}}``.

``cursor`` is what the page was asked for with, absent for the first; ``next`` is what to ask for next,
absent on the last; ``total`` counts the acts of the query. While pages are fetched new acts may push
others onto the next page, so an act may come twice. The format is *assumed*: such services usually
answer so.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from gateway.contract import JsonValue, NotStrictJson, entry_row, open_text, read_within, strict_json
from gateway.errors import MalformedDocument
from gateway.model.source import Place, RefusedRow, SourceFormat, SourceRow

__all__ = ["read_pages"]

_BYTES_MAX: Final = 32 * 1024 * 1024  # 100,000 acts of 300 bytes: more than a day of a large city's scheme
_PAGE_BYTES_MAX: Final = 1024 * 1024  # 3,000 acts; services answer with 20 to 1,000 at a time
_ACTS_MAX: Final = 200_000  # their ids are held to count the different ones
_ID: Final = "/id"
_DUMP_DAYS: Final = "dump each day into a file of its own"
_FETCH_AGAIN: Final = "fetch all pages again, from the first one on, and save each answer as one line"


class _Page(NamedTuple):
    """One answer: what it was asked for with, what to ask for next, how many acts there are, and its own."""

    cursor: str
    next: str
    total: str
    entries: list[JsonValue]


def read_pages(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    """Yield the entries of all pages, numbered through, once no page and no act is known to be missing.

    Raises:
        MalformedDocument: an answer is no page or reports a failure, a page is missing, out of order or there
            twice, or the acts are fewer or more than the total.
    """
    data = read_within(document, file, limit=_BYTES_MAX, remedy=_DUMP_DAYS)
    expected, total, count, nameless = "", "", 0, 0
    known: set[str] = set()
    for number, page in enumerate(_pages(data, file, source=source), start=1):
        _require_next(page, expected, total=total, first=number == 1, where=f"{file}: page {number}")
        expected, total = page.next, page.total
        ids = [row.fields.get(_ID) for row in _rows(page, file, after=count)]
        known.update(filter(None, ids))
        nameless += sum(not name for name in ids)
        count += len(ids)
        if count > _ACTS_MAX:
            raise MalformedDocument(f"{file} has more than {_ACTS_MAX} acts", remedy=_DUMP_DAYS)
    if expected:
        raise MalformedDocument(f"{file}: the last page says that there is another", remedy=_FETCH_AGAIN)
    if str(len(known) + nameless) != total:
        words = (
            f"{file}: {len(known) + nameless} different acts on all pages, another number than their total"
        )
        raise MalformedDocument(words, remedy=_FETCH_AGAIN)
    return _numbered(data, file, source=source)


def _numbered(data: bytes, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    count = 0
    for page in _pages(data, file, source=source):
        yield from _rows(page, file, after=count)
        count += len(page.entries)


def _rows(page: _Page, file: str, *, after: int) -> Iterator[SourceRow | RefusedRow]:
    for number, entry in enumerate(page.entries, start=after + 1):
        yield entry_row(entry, Place(file, number))


def _pages(data: bytes, file: str, *, source: SourceFormat) -> Iterator[_Page]:
    stream, encoding = open_text(io.BytesIO(data), file, encodings=source.encodings)
    number = 0
    for line in stream:
        if not line.isspace():
            number += 1
            yield _page(line, f"{file}: page {number}", encoding=encoding)
    if not number:
        raise MalformedDocument(f"{file} has no page", remedy=_FETCH_AGAIN)


def _page(line: bytes, where: str, *, encoding: str) -> _Page:
    if len(line) > _PAGE_BYTES_MAX:
        raise MalformedDocument(
            f"{where} has more than {_PAGE_BYTES_MAX} bytes", remedy="ask for fewer acts at a time"
        )
    try:
        answer = strict_json(line.decode(encoding))
    except (NotStrictJson, UnicodeDecodeError) as error:
        raise MalformedDocument(f"{where} cannot be read: {error}", remedy=_FETCH_AGAIN) from error
    code, data = (answer.get("code"), answer.get("data")) if isinstance(answer, dict) else (None, None)
    if code != "0" or not isinstance(data, dict):
        raise MalformedDocument(f"{where}: expected code 0 and an object under data", remedy=_FETCH_AGAIN)
    entries, marks = data.get("list"), [data.get(name) for name in ("cursor", "next", "total")]
    texts = [mark or "" for mark in marks if mark is None or isinstance(mark, str)]
    if not isinstance(entries, list) or len(texts) < len(marks):
        expected = "expected under data a list, total, and cursor and next as texts"
        raise MalformedDocument(f"{where}: {expected}", remedy=_FETCH_AGAIN)
    cursor, following, total = texts
    return _Page(cursor, following, total, entries)


def _require_next(page: _Page, expected: str, *, total: str, first: bool, where: str) -> None:
    if first and page.cursor:
        raise MalformedDocument(f"{where} is not the first one: it has a cursor", remedy=_FETCH_AGAIN)
    if not first and (page.cursor != expected or not expected):
        raise MalformedDocument(
            f"{where} does not follow the page before it: one is missing, out of order or there twice",
            remedy=_FETCH_AGAIN,
        )
    if not first and page.total != total:
        raise MalformedDocument(f"{where} states another total than the page before it", remedy=_FETCH_AGAIN)
