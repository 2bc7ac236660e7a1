"""Strict JSON whose numbers stay the text they were, and rows of one JSON object per line."""

import functools
import json
from collections.abc import Iterator
from itertools import chain
from operator import attrgetter
from typing import Any, BinaryIO, Final, NoReturn

import msgspec

from gateway.contract.text import ROW_BYTES_MAX, WHOLE_ROW, Line, open_text, some_lines
from gateway.errors import MalformedDocument
from gateway.model.codes import Rejection
from gateway.model.source import Place, RefusedRow, SourceBlock, SourceFormat, SourceRow

__all__ = [
    "JSON_DEPTH_MAX",
    "JsonValue",
    "NotStrictJson",
    "entry_row",
    "flat_fields",
    "read_ndjson",
    "read_ndjson_blocks",
    "strict_json",
]

JSON_DEPTH_MAX: Final = 8  # the deepest platform document seen has 4 levels
KEYS_MAX: Final = 64  # of rows that are read at once; an act of any platform seen has fewer than 30
SHAPES_MAX: Final = 64  # lists of keys of one document that a type is made for; it may stay in memory

JsonValue = str | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


class NotStrictJson(MalformedDocument):
    """A text is not JSON, or is JSON that two readers may understand in two ways."""


def read_ndjson(document: BinaryIO, file: str, *, source: SourceFormat) -> Iterator[SourceRow | RefusedRow]:
    """Yield the objects of a document with one JSON object per line; blank lines are not rows.

    Keys are JSON Pointers, arrays count from 0, null is absent, a number keeps its literal text.

    Raises:
        MalformedDocument: the document is not text, or its first row does not begin an object.
    """
    for item in read_ndjson_blocks(document, file, source=source):
        if isinstance(item, SourceBlock):
            yield from item
        else:
            yield item


def read_ndjson_blocks(
    document: BinaryIO, file: str, *, source: SourceFormat
) -> Iterator[SourceBlock | SourceRow | RefusedRow]:
    """Yield the rows that :func:`read_ndjson` yields; those that can be read at once column by column."""
    text = open_text(document, file, encodings=source.encodings)
    decoders = _Decoders()
    number = 0
    while head := text.stream.peek():
        lines = head[: head.rfind(b"\n") + 1]
        columns = _usual_columns(lines, text.encoding, decoders=decoders)
        count = lines.count(b"\n")
        if columns is not None:
            text.stream.read(len(lines))
            yield SourceBlock(Place(file, number + 1), count, len(lines), columns)
            number += count
            continue
        for line in some_lines(text, file, after=number, count=max(count, 1)):
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


def _usual_columns(
    block: bytes, encoding: str, *, decoders: "_Decoders"
) -> dict[str, list[str | None]] | None:
    """Read lines of the usual kind at once: each one object of texts without escapes; None for any other.

    Nothing is taken here that the strict way would refuse or read otherwise. A text cannot run over
    the end of a line, where it would hold a control character; so a line that begins with a brace
    begins an object, each line has at least one, and as many objects as lines are one in each. The
    decoder would take the last of two equal keys; each key and each text has two quotation marks
    and no other, so their number tells whether a key was dropped.
    """
    try:
        text = block if encoding == "utf-8" else block.decode(encoding).encode()
        count = text.count(b"\n")
        begun = text.startswith(b"{") and text.count(b"\n{") == count - 1
        if not begun or b"\\" in text or max(map(len, block.split(b"\n"))) >= ROW_BYTES_MAX:
            return None
        keys, rows = _usual_objects(text, decoders)
    except (UnicodeError, msgspec.DecodeError):
        return None
    columns: dict[str, list[str | None]] = {}
    found = 0
    for number, key in enumerate(keys):
        column = list(map(attrgetter(f"f{number}"), rows))
        absent = column.count(None)
        found += len(column) - absent
        columns[_token(key)] = column
    return columns if len(rows) == count and text.count(b'"') == 4 * found else None


def _usual_objects(lines: bytes, decoders: "_Decoders") -> tuple[tuple[str, ...], list[Any]]:
    """Read objects of texts by a type made for their keys, which are those of the first line or of all.

    Their members are ``f0``, ``f1`` … in the order of the keys, None where an object has no such key.

    Raises:
        msgspec.DecodeError: some line is not an object of texts, or there are too many keys.
    """
    keys = tuple(_decode_row(lines[: lines.index(b"\n")]))
    try:
        return keys, decoders[keys].decode_lines(lines)
    except msgspec.ValidationError:
        rows = _decode_rows(b"[" + lines[:-1].replace(b"\n{", b",{") + b"]")
        keys = tuple(dict.fromkeys(chain.from_iterable(rows)))
        return keys, decoders[keys].decode_lines(lines)


class _Decoders(dict[tuple[str, ...], "msgspec.json.Decoder[Any]"]):
    """Decoders of objects that have no other keys than these."""

    def __missing__(self, keys: tuple[str, ...]) -> "msgspec.json.Decoder[Any]":
        if len(keys) > KEYS_MAX or len(self) == SHAPES_MAX:
            raise msgspec.DecodeError("these rows are not of the usual kind")
        members = [(f"f{number}", str, None) for number in range(len(keys))]
        names = {f"f{number}": key for number, key in enumerate(keys)}
        row = msgspec.defstruct("Row", members, rename=names, forbid_unknown_fields=True, gc=False)
        made = self[keys] = msgspec.json.Decoder(row)
        return made


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


_decode_row = msgspec.json.Decoder(dict[str, str]).decode
_decode_rows = msgspec.json.Decoder(list[dict[str, str]]).decode
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=_no_number
)
