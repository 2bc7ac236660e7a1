"""Strict JSON whose numbers stay the text they were, and rows of one JSON object per line."""

import functools
import json
from collections.abc import Iterator
from itertools import chain, repeat
from typing import BinaryIO, Final, NoReturn

import msgspec

from gateway.contract.text import ROW_BYTES_MAX, WHOLE_ROW, Line, open_text, some_lines
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import Place, RefusedRow, SourceFormat, SourceRow

__all__ = [
    "JSON_DEPTH_MAX",
    "JsonValue",
    "NotStrictJson",
    "entry_row",
    "flat_fields",
    "read_ndjson",
    "strict_json",
]

JSON_DEPTH_MAX: Final = 8  # the deepest platform document seen has 4 levels

JsonValue = str | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


class NotStrictJson(MalformedDocument):
    """A text is not JSON, or is JSON that two readers may understand in two ways."""


def read_ndjson(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    """Yield the objects of a document with one JSON object per line; blank lines are not rows.

    Keys are JSON Pointers, arrays count from 0, null is absent, a number keeps its literal text.

    Raises:
        MalformedDocument: the document is not text, or its first row does not begin an object.
    """
    text = open_text(document, file, encodings=source.encodings)
    number = 0
    while head := text.stream.peek():
        block = head[: head.rfind(b"\n") + 1]
        fields = _usual_rows(block, text.encoding)
        if fields is not None:
            text.stream.read(len(block))
            places = map(Place, repeat(file), range(number + 1, number + 1 + len(fields)))
            yield from map(SourceRow, places, fields)
            number += len(fields)
            continue
        for line in some_lines(text, file, after=number, count=max(block.count(b"\n"), 1)):
            number = line.place.row
            yield _checked_row(line)


def strict_json(text: str) -> JsonValue:
    """Read one JSON text; numbers come out as their literal text.

    Raises:
        NotStrictJson: it is not JSON, or has a repeated key, NaN or Infinity, or half of a surrogate pair.
    """
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotStrictJson(f"not JSON at character {error.pos + 1}: {error.msg}") from error
    except RecursionError as error:
        raise NotStrictJson(f"nested deeper than {JSON_DEPTH_MAX} levels") from error
    if "\\u" in text:  # the only way to write half of a surrogate pair
        _require_unicode(value)
    return value


def flat_fields(value: JsonValue) -> dict[str, str]:
    """Return the texts inside a value by JSON Pointer (RFC 6901); null and empty containers are absent.

    Raises:
        NotStrictJson: there are more than :data:`JSON_DEPTH_MAX` levels.
    """
    fields: dict[str, str] = {}
    _flatten(value, "", fields=fields, depth=0)
    return fields


def entry_row(entry: JsonValue, place: Place) -> SourceRow | RefusedRow:
    """Return one entry of a list in a JSON document as a row, under JSON Pointers from the entry on.

    It is refused if it is no object, has too many levels, or more text than a row may have.
    """
    try:
        fields = flat_fields(entry)
    except NotStrictJson as error:
        return RefusedRow(place, Rejection.MALFORMED_ROW, str(error), {})
    if sum(map(len, chain(fields, fields.values()))) > ROW_BYTES_MAX:
        detail = f"expected an entry of at most {ROW_BYTES_MAX} characters"
        return RefusedRow(place, Rejection.MALFORMED_ROW, detail, {})
    if not isinstance(entry, dict):
        return RefusedRow(place, Rejection.MALFORMED_ROW, "expected a JSON object", fields)
    return SourceRow(place, fields)


def _checked_row(line: Line | RefusedRow) -> SourceRow | RefusedRow:
    text = line.text if isinstance(line, Line) else line.fields[WHOLE_ROW]
    if line.place.row == 1 and not text.lstrip().startswith("{"):
        raise MalformedDocument(
            f"{line.place.file}: row 1 does not begin with a brace; expected one JSON object per line",
            remedy="write each act as one object on a line of its own, without an array around them",
        )
    return _row(line) if isinstance(line, Line) else line


def _row(line: Line) -> SourceRow | RefusedRow:
    try:
        value = strict_json(line.text)
        if not isinstance(value, dict):
            raise NotStrictJson("expected a JSON object")
        return SourceRow(line.place, flat_fields(value))
    except NotStrictJson as error:
        return RefusedRow(line.place, Rejection.MALFORMED_ROW, str(error), {WHOLE_ROW: line.text})


def _usual_rows(block: bytes, encoding: str) -> list[dict[str, str]] | None:
    """Read lines of the usual kind at once: each one object of texts without escapes; None for any other.

    Nothing is taken here that the strict way would refuse or read otherwise. A text cannot run over
    the end of a line, where it would hold a control character; so a line that begins with a brace
    begins an object, each line has at least one, and as many objects as lines are one in each. The
    decoder would take the last of two equal keys; each key and each text has two quotation marks
    and no other, so their number tells whether a key was dropped.
    """
    try:
        text = block if encoding == "utf-8" else block.decode(encoding).encode()
        text = text.replace(b"\r\n", b"\n")
        count = text.count(b"\n")
        begun = text.startswith(b"{") and text.endswith(b"}\n") and text.count(b"}\n{") == count - 1
        if not begun or b"\\" in text or max(map(len, block.split(b"\n"))) >= ROW_BYTES_MAX:
            return None
        rows = _decode_rows(b"[" + text[:-1].replace(b"}\n{", b"}\n,{") + b"]")
    except (UnicodeError, msgspec.DecodeError):
        return None
    if len(rows) != count or text.count(b'"') != 4 * sum(map(len, rows)):
        return None
    tokens = {key: _token(key) for key in set(chain.from_iterable(rows))}
    return [{tokens[key]: inner for key, inner in row.items()} for row in rows]


def _flatten(value: JsonValue, pointer: str, *, fields: dict[str, str], depth: int) -> None:
    if isinstance(value, str):
        fields[pointer] = value
    elif isinstance(value, bool):
        fields[pointer] = "true" if value else "false"
    elif value is not None:
        if depth == JSON_DEPTH_MAX:
            raise NotStrictJson(f"nested deeper than {JSON_DEPTH_MAX} levels")
        items = value.items() if isinstance(value, dict) else ((str(i), v) for i, v in enumerate(value))
        for key, inner in items:
            if type(inner) is str:  # nearly all of them: spare the call
                fields[pointer + _token(key)] = inner
            else:
                _flatten(inner, pointer + _token(key), fields=fields, depth=depth + 1)


@functools.lru_cache(maxsize=4096)
def _token(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotStrictJson("a key occurs twice in one object")
    return value


def _no_number(_literal: str) -> NoReturn:
    raise NotStrictJson("NaN and Infinity are not JSON numbers")


def _require_unicode(value: JsonValue) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotStrictJson("half of a surrogate pair is not a character") from error


_decode_rows = msgspec.json.Decoder(list[dict[str, str]]).decode
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_no_number
)
