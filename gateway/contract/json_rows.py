"""Strict JSON whose numbers stay the text they were, and rows of one JSON object per line."""

import functools
import json
from collections.abc import Iterator
from typing import BinaryIO, Final, NoReturn

import msgspec

from gateway.contract.text import WHOLE_ROW, Line, read_lines
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import RefusedRow, SourceFormat, SourceRow

__all__ = ["JSON_DEPTH_MAX", "JsonValue", "NotStrictJson", "flat_fields", "read_ndjson", "strict_json"]

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
    for line in read_lines(document, file, source=source):
        text = line.text if isinstance(line, Line) else line.fields[WHOLE_ROW]
        if line.place.row == 1 and not text.lstrip().startswith("{"):
            raise MalformedDocument(
                f"{file}: row 1 does not begin with an opening brace; expected one JSON object per line",
                remedy="write each act as one object on a line of its own, without an array around them",
            )
        yield _row(line) if isinstance(line, Line) else line


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


def _row(line: Line) -> SourceRow | RefusedRow:
    fields = _flat_texts(line.text)
    if fields is not None:
        return SourceRow(line.place, fields)
    try:
        value = strict_json(line.text)
        if not isinstance(value, dict):
            raise NotStrictJson("expected a JSON object")
        return SourceRow(line.place, flat_fields(value))
    except NotStrictJson as error:
        return RefusedRow(line.place, Rejection.MALFORMED_ROW, str(error), {WHOLE_ROW: line.text})


def _flat_texts(text: str) -> dict[str, str] | None:
    """Read the usual row, one object of texts without escapes, the quick way; None: read it the strict way.

    The quick reader would take the last of two equal keys. Without escapes each key and each text has
    two quotation marks and no other, so their number tells whether a key was dropped.
    """
    if "\\" in text:
        return None
    try:
        value = _decode_texts(text)
    except msgspec.DecodeError:
        return None
    if text.count('"') != 4 * len(value):
        return None
    return {_token(key): inner for key, inner in value.items()}


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


_decode_texts = msgspec.json.Decoder(dict[str, str]).decode
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_no_number
)
