"""Rows and lines as they were written: what is wrong with one concerns that one alone."""

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec
from fastapi import Request

from gateway.errors import MalformedDocument, UsageError

__all__ = ["NDJSON", "in_one_line", "is_ndjson", "lines_of", "read_acts", "read_items", "read_sample"]

NDJSON: Final = {
    "type": "string",
    "pattern": r"^([ \t\r]*\n)*[ \t\r]*\{[^\n]*(\n[ \t\r]*(\{[^\n]*)?)*$",
    "description": "One row a line, each an object in JSON.",
}
T = TypeVar("T")
_REMEDY: Final = "see openapi/gateway.yaml"
_BLANK: Final = b" \t\r"
_LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")
_HEAD: Final = re.compile(rb'\s*\{\s*(?:"mapping"\s*:\s*"[^"]*"\s*,\s*)?"(?:acts|items)"\s*:\s*\[\s*')
_BETWEEN: Final = re.compile(rb"\s*,\s*")
_TAIL: Final = re.compile(rb'\s*\]\s*(?:,\s*"mapping"\s*:\s*"[^"]*"\s*)?\}\s*')


class ActsDocument(msgspec.Struct, forbid_unknown_fields=True):
    """Rows as the platform writes them; the mapping says what their members mean."""

    mapping: str
    acts: list[msgspec.Raw]


class SampleDocument(msgspec.Struct, forbid_unknown_fields=True):
    """Rows to be tried; the address says by which mapping."""

    acts: list[msgspec.Raw]


class ItemsDocument(msgspec.Struct, forbid_unknown_fields=True):
    """Requests that stand together, an outcome for each."""

    items: list[msgspec.Raw]


_acts = msgspec.json.Decoder(ActsDocument).decode
_sample = msgspec.json.Decoder(SampleDocument).decode
_items = msgspec.json.Decoder(ItemsDocument).decode


def is_ndjson(request: Request) -> bool:
    """Tell whether a request carries rows as NDJSON or as JSON.

    Raises:
        UsageError: it carries something else.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/x-ndjson"):
        raise UsageError(
            f"expected application/json or application/x-ndjson, got {kind or 'no content type'}",
            field="Content-Type",
        )
    return kind == "application/x-ndjson"


def lines_of(content: bytes) -> list[bytes]:
    """Return the rows of NDJSON: its lines, save empty ones."""
    return [line for line in content.split(b"\n") if line.strip(_BLANK)]


def read_acts(content: bytes) -> tuple[str, list[bytes]]:
    """Return the mapping that acts in JSON name, and the acts, each in one line.

    Raises:
        MalformedDocument: it has not the form, or says something twice.
    """
    document = _decoded(_acts, content, members="`mapping` and `acts`")
    return document.mapping, [in_one_line(act) for act in _once(content, document.acts, mapping=1)]


def read_sample(content: bytes) -> list[bytes]:
    """Return acts to be tried, each in one line.

    Raises:
        MalformedDocument: it has not the form, or says something twice.
    """
    document = _decoded(_sample, content, members="`acts`")
    return [in_one_line(act) for act in _once(content, document.acts)]


def read_items(content: bytes, *, most: int) -> list[bytes]:
    """Return the items of a document, each an object as far as it goes.

    Raises:
        MalformedDocument: it has not the form, says something twice, or has too many or none.
    """
    document = _decoded(_items, content, members="`items`")
    items = _once(content, document.items)
    if not 1 <= len(items) <= most or not all(item.startswith(b"{") for item in items):
        raise MalformedDocument(f"expected 1 to {most} objects", field="/items", remedy=_REMEDY)
    return items


def in_one_line(row: bytes) -> bytes:
    """Return a row in JSON as one line of NDJSON: between its members line ends are blanks."""
    return row.translate(_LINE_ENDS)


def _decoded(decode: Callable[[bytes], T], content: bytes, *, members: str) -> T:
    try:
        return decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedDocument(f"not a document with {members}: {error}", remedy=_REMEDY) from error


def _once(content: bytes, rows: Sequence[msgspec.Raw], *, mapping: int = 0) -> list[bytes]:
    """Refuse a document that has a member twice: two readers could understand it in two ways."""
    items = [bytes(row) for row in rows]
    at = head.end() if (head := _HEAD.match(content)) else -1
    for number, item in enumerate(items):
        if number and at >= 0:
            at = between.end() if (between := _BETWEEN.match(content, at)) else -1
        if at < 0 or not content.startswith(item, at):
            break
        at += len(item)
    tail = _TAIL.fullmatch(content, at) if at >= 0 else None
    named = -1
    if head is not None and tail is not None:
        named = content.count(b'"mapping"', 0, head.end()) + tail[0].count(b'"mapping"')
    if named != mapping:
        raise MalformedDocument("expected each member once, its name written without escapes", remedy=_REMEDY)
    return items
