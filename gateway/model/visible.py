"""Texts of others, made safe to look at: on a terminal, in a log, in a table that a spreadsheet opens.

What a platform, a mapping or a receipt says may hold characters that steer a terminal, turn the reading
order around or show nothing. Where it is shown, each of them is written as a JSON escape instead, so that
JSON stays the same JSON and everything else shows what it holds.
"""

import re
from typing import Final

__all__ = ["safe_line", "visible"]

# C0 without the line feed, DEL and C1; the soft hyphen; bidirectional marks, embeddings, overrides and
# isolates; what has no width; line separators; halves of surrogate pairs; the mark of byte order; tags.
_UNSEEN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# A spreadsheet takes a cell that begins so for a formula, and a cell may begin behind each of these
# separators. A sign before plain digits, or alone, is a number or a missing value.
_FORMULA: Final = re.compile(r'(?<=[",;|])(?:[=@＝＠]|[+\-＋－](?![0-9.]*"))')


def visible(text: str) -> str:
    """Return the text with each character that acts or hides written as a JSON escape; line feeds stay."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_escape, text)


def safe_line(line: str) -> str:
    """Return a line of JSON that says the same and that neither a terminal nor a spreadsheet acts on."""
    return _FORMULA.sub(_escape, visible(line))


def _escape(found: re.Match[str]) -> str:
    point = ord(found[0])
    if point < 0x10000:
        return f"\\u{point:04x}"
    point -= 0x10000  # JSON writes what lies beyond the basic plane as a pair
    return f"\\u{0xD800 + (point >> 10):04x}\\u{0xDC00 + (point & 0x3FF):04x}"
