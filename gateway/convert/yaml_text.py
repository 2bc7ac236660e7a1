"""Read the YAML of a mapping document strictly: every scalar a text, nothing silently dropped.

PyYAML takes duplicate keys, aliases, tags and several documents without a word. This reader walks its
events, so that each of them is refused at its line and column before anything is built.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Protocol

import yaml

from gateway.convert.document import Document, Finding, MappingRefused, Position, Value, child, text_fault

__all__ = ["DEPTH_MAX", "DOCUMENT_BYTES_MAX", "read_yaml"]

DOCUMENT_BYTES_MAX = 256 * 1024  # a scheme with a table for each of 500 stations stays below 100 KiB
DEPTH_MAX = 16  # the format itself is 8 deep, a test's nested row some more

_SUSPECT = re.compile("[^\n\r\t -~\u00a1-\u0600\u2e80-\ud7ff\uff00-\uffef]")


def read_yaml(text: bytes, *, name: str = "") -> Document:
    """Return the document's value with every node's position.

    Raises:
        MappingRefused: not UTF-8, too large, too deep, a key twice, an alias, an anchor, a tag, a
            directive, a key that is no text, a second document, an empty value, a text that is not
            NFC or holds control or bidirectional characters.
    """
    try:
        decoded = _decoded(text)
        _check_characters(decoded)
        return _Reader(yaml.parse(decoded, Loader=yaml.BaseLoader)).document()
    except _YamlError as fault:
        raise MappingRefused([fault.finding], name) from fault
    except yaml.MarkedYAMLError as error:
        message = f"expected YAML, got {error.problem or error.context}"
        raise MappingRefused([_finding(error.problem_mark or error.context_mark, message)], name) from error
    except (ValueError, OverflowError) as error:  # PyYAML on an escape beyond Unicode, or on a long number
        raise MappingRefused([_finding(None, "expected YAML, got an impossible escape")], name) from error


class _YamlError(Exception):
    """The first thing that stops the reader."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class _Mark(Protocol):
    line: int
    column: int


def _finding(mark: _Mark | None, message: str, *, pointer: str = "") -> Finding:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Finding(line, column, pointer, "yaml", message)


def _decoded(text: bytes) -> str:
    if len(text) > DOCUMENT_BYTES_MAX:
        raise _YamlError(_finding(None, f"expected at most {DOCUMENT_BYTES_MAX} bytes, got {len(text)}"))
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        message = f"expected UTF-8, got byte 0x{text[error.start]:02x}"
        raise _YamlError(Finding(before.count(b"\n") + 1, column, "", "yaml", message)) from error


def _check_characters(text: str) -> None:
    """Refuse what a reader of the file cannot see, comments included."""
    for match in _SUSPECT.finditer(text):
        fault = text_fault(match.group())
        if fault:
            start = match.start()
            line = text.count("\n", 0, start) + 1
            column = start - (text.rfind("\n", 0, start) + 1) + 1
            raise _YamlError(Finding(line, column, "", "yaml", f"expected visible characters, got {fault}"))


class _Reader:
    """Builds the value from the parser's events and keeps every node's position."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._positions: dict[str, Position] = {}

    def document(self) -> Document:
        """Read exactly one document."""
        next(self._events)  # the start of the stream
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise self._fault(start, "expected a document, got an empty text")
        if start.version or start.tags:
            raise self._fault(start, "expected no directive, got %YAML or %TAG: leave it out")
        value = self._value(next(self._events), "", depth=0)
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._fault(after, "expected one document, got a second one")
        return Document(value, self._positions)

    def _value(self, event: yaml.Event, pointer: str, *, depth: int) -> Value:
        self._refuse_extras(event, pointer)
        place = _finding(event.start_mark, "")
        self._positions[pointer] = Position(place.line, place.column)
        if isinstance(event, yaml.ScalarEvent):
            return self._text(event, pointer)
        if depth >= DEPTH_MAX:
            raise self._fault(event, f"expected at most {DEPTH_MAX} levels, got more", pointer=pointer)
        if isinstance(event, yaml.SequenceStartEvent):
            return list(self._elements(pointer, depth + 1))
        return dict(self._members(pointer, depth + 1))

    def _elements(self, pointer: str, depth: int) -> Iterator[Value]:
        index = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._value(event, child(pointer, index), depth=depth)
            index += 1

    def _members(self, pointer: str, depth: int) -> Iterator[tuple[str, Value]]:
        seen: set[str] = set()
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            self._refuse_extras(event, pointer)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._fault(event, "expected a text as key, got a list or a mapping", pointer=pointer)
            key = self._text(event, pointer)
            if key in seen:
                raise self._fault(event, f"expected each key once, got {key!r} again", pointer=pointer)
            seen.add(key)
            yield key, self._value(next(self._events), child(pointer, key), depth=depth)

    def _text(self, event: yaml.ScalarEvent, pointer: str) -> str:
        text: str = event.value
        if not text and event.style is None:
            raise self._fault(
                event, 'expected a value, got none: leave the key out, or write ""', pointer=pointer
            )
        fault = next(filter(None, map(text_fault, text)), "")
        if fault:
            raise self._fault(event, f"expected a text on one line, got {fault}", pointer=pointer)
        if not unicodedata.is_normalized("NFC", text):
            raise self._fault(event, "expected a text in Unicode form NFC, got another form", pointer=pointer)
        return text

    def _refuse_extras(self, event: yaml.Event, pointer: str) -> None:
        if isinstance(event, yaml.AliasEvent):
            raise self._fault(
                event, f"expected a value, got the alias *{event.anchor}: write it out", pointer=pointer
            )
        if getattr(event, "anchor", None) is not None:
            raise self._fault(event, "expected a value without an anchor: write it out", pointer=pointer)
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise self._fault(
                event, f"expected a value without a tag, got {tag}: leave it out", pointer=pointer
            )

    @staticmethod
    def _fault(event: yaml.Event, message: str, *, pointer: str = "") -> _YamlError:
        return _YamlError(_finding(event.start_mark, message, pointer=pointer))
