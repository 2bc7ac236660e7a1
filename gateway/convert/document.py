"""A mapping document as read: nested texts, the place of every node, and its canonical bytes."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gateway.errors import InvalidMapping

__all__ = [
    "Document", "Finding", "MappingRefused", "Position", "Value", "canonical_bytes", "child",
    "from_canonical", "leaves", "sha256_hex", "text_fault", "utf16_order", "value_at",
]  # fmt: skip

Value = str | list["Value"] | dict[str, "Value"]
"""A document's value: every scalar is a text."""

FINDINGS_SHOWN_MAX = 20  # a reader mends the first ones and checks again
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_SEPARATORS = frozenset("\u2028\u2029")
_BYTE_ORDER_MARK = "\ufeff"


class Position(NamedTuple):
    """A place in a text: line and column, both from 1."""

    line: int
    column: int


_NOWHERE = Position(1, 1)


class Finding(NamedTuple):
    """One thing that is wrong with a mapping document, and where."""

    line: int
    column: int
    pointer: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document's value with the position of every node by JSON Pointer."""

    value: Value
    positions: dict[str, Position]

    def position(self, pointer: str) -> Position:
        """Return the place of a node, or of the nearest node around it that is in the text."""
        while pointer and pointer not in self.positions:
            pointer = pointer.rpartition("/")[0]
        return self.positions.get(pointer, _NOWHERE)

    def finding(self, pointer: str, code: str, *, message: str) -> Finding:
        """Make a finding about one node."""
        line, column = self.position(pointer)
        return Finding(line, column, pointer, code, message)


class MappingRefused(InvalidMapping):
    """A mapping document was refused; ``findings`` holds every reason in the order of the text."""

    remedy = "mend the document at the named lines and check it again"

    def __init__(self, findings: Iterable[Finding], name: str = "") -> None:
        self.findings = tuple(sorted(set(findings)))  # one expression may serve many behaviours
        label = name or "mapping"
        shown = [
            f"{label}:{f.line}:{f.column} {f.code}: {f.message}" for f in self.findings[:FINDINGS_SHOWN_MAX]
        ]
        hidden = len(self.findings) - len(shown)
        if hidden:
            shown.append(f"{label}: and {hidden} more findings")
        super().__init__("\n".join(shown), field=self.findings[0].pointer if self.findings else "")


def child(pointer: str, key: str | int) -> str:
    """Return the JSON Pointer of a member or an element (RFC 6901)."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def value_at(value: Value, pointer: str) -> Value | None:
    """Return what a JSON Pointer points at, or None where there is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def leaves(value: Value, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Yield every scalar with its JSON Pointer."""
    if isinstance(value, str):
        yield pointer, value
    else:
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in members:
            yield from leaves(item, child(pointer, key))


def canonical_bytes(value: Value) -> bytes:
    """Return the canonical JSON (RFC 8785) of a value whose scalars are texts.

    Keys may be Chinese or beyond the basic plane, so they are sorted by UTF-16 code units.
    """
    return _canonical(value).encode("utf-8")


def _canonical(value: Value) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    keys = sorted(value, key=utf16_order)
    return f"{{{','.join(f'{_canonical(key)}:{_canonical(value[key])}' for key in keys)}}}"


def utf16_order(key: str) -> bytes:
    """Return what orders keys by UTF-16 code units, as RFC 8785 asks."""
    return key.encode("utf-16-be")


def from_canonical(canonical: bytes) -> Document:
    """Read a document back from its canonical bytes, which have no lines: every place is 1:1.

    Raises:
        MappingRefused: the bytes are not the canonical form of a document.
    """
    try:
        value = json.loads(canonical.decode("utf-8"))
        restored = canonical_bytes(value) if _is_document(value) else None
    except (UnicodeError, ValueError, RecursionError):
        restored = None
    if restored != canonical:
        message = "expected canonical JSON (RFC 8785) whose scalars are all texts, got other bytes"
        raise MappingRefused([Finding(1, 1, "", "canonical", message)])
    return Document(value, {"": _NOWHERE})


def _is_document(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_document, value.values()))
    return all(map(_is_document, value)) if isinstance(value, list) else isinstance(value, str)


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 digest in lower hex."""
    return hashlib.sha256(content).hexdigest()


def text_fault(character: str) -> str:
    """Say why a character may not stand in a document, or return an empty text."""
    point = ord(character)
    if point < 0x20 or 0x7F <= point < 0xA0:
        return f"control character U+{point:04X}"
    if character in _BIDIRECTIONAL:
        return f"bidirectional control character U+{point:04X}"
    if character in _LINE_SEPARATORS:
        return f"line separator U+{point:04X}"
    if character == _BYTE_ORDER_MARK:
        return "byte order mark U+FEFF"
    if 0xD800 <= point < 0xE000 or point & 0xFFFE == 0xFFFE:
        return f"code point U+{point:04X}, which is no character"
    return ""
