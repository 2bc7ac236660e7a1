"""Damaged variants of a document: the same for the same seed, on every machine and Python."""

import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import Final, NamedTuple

from gateway.conformance.sample import Sample
from gateway.contract import ROW_BYTES_MAX

__all__ = ["CANARY", "Damaged", "damaged", "marked", "strange"]

CANARY: Final = "Zq7Kanari3nvogel"  # no platform's word, so whoever repeats it has it from the document

_FOREIGN: Final = (
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",  # half of a surrogate pair
    b"\\ud800",
    b"\xef\xbb\xbf",
    b'"',
    b"'",
    b"\n",
    b"\r",
    b"\t",
    b",",
    b"|",
    b"{",
    b"[" * 2000,
    b"}",
    b"null",
    b"NaN",
    b"-1e999",
    "１２．５".encode(),
    "\u202e".encode(),
    b"9" * 400,
    b"x" * (ROW_BYTES_MAX + 1),
    b"x" * (5 * ROW_BYTES_MAX),
)
_MARKED_MAX: Final = 60


class Damaged(NamedTuple):
    """A damaged document and what was done to it, in words."""

    how: str
    sample: Sample


class _Choices:
    """Choices that follow from a seed alone."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._numbers = count()

    def below(self, end: int) -> int:
        """Return a number from 0 up to but without ``end``; 0 where there is none."""
        digest = hashlib.sha256(self._seed + b"/%d" % next(self._numbers)).digest()
        return int.from_bytes(digest[:8], "big") % max(end, 1)


def damaged(sample: Sample, *, seed: int, variants: int) -> Iterator[Damaged]:
    """Yield so many damaged variants of a document."""
    for number in range(variants):
        choices = _Choices(f"{seed}/{number}")
        how, damage = _DAMAGES[number % len(_DAMAGES)]
        document = damage(sample.document, choices)
        yield Damaged(f"{sample.file}, {how} (variant {number})", sample._replace(document=document))


def strange(sample: Sample, *, seed: int) -> Iterator[Damaged]:
    """Yield documents that have nothing of a platform: none at all, zeros, noise, other formats."""
    noise = _noise(_Choices(f"{seed}/noise"), 3000)
    text = sample.document.decode("utf-8", "replace")
    documents = {
        "nothing": b"",
        "a line end": b"\n",
        "zeros": bytes(100),
        "noise": noise,
        "noise that is text": noise.hex().encode(),
        "a workbook": b"PK\x03\x04" + noise[:100],
        "the document in UTF-16": text.encode("utf-16", "replace"),
        "a JSON list": b"[]",
        "a JSON object": b"{}",
        "JSON without end": b'{"data":' * 3000,
        "a table of two columns": b"a,b\n1,2\n",
        "Parquet's first and last letters": b"PAR1" + noise[:40] + b"PAR1",
    }
    for how, document in documents.items():
        yield Damaged(f"{sample.file}: {how}", sample._replace(document=document))


def marked(sample: Sample) -> Iterator[Damaged]:
    """Yield the document with one of its words after the other replaced by :data:`CANARY`."""
    words = list(_words(sample.document))
    for begin, end in words[:: len(words) // _MARKED_MAX + 1]:
        document = sample.document[:begin] + CANARY.encode() + sample.document[end:]
        how = f"{sample.file}, another word at byte {begin + 1}"
        yield Damaged(how, sample._replace(document=document))


def _words(document: bytes) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each run of at least three ASCII letters and digits."""
    begin: int | None = None
    for place in range(len(document) + 1):
        inside = place < len(document) and document[place : place + 1].isalnum()
        if inside and begin is None:
            begin = place
        elif not inside and begin is not None:
            if place - begin >= 3:
                yield begin, place
            begin = None


def _noise(choices: _Choices, size: int) -> bytes:
    return bytes(choices.below(256) for _ in range(size))


def _cut(document: bytes, choices: _Choices) -> bytes:
    return document[: choices.below(len(document))]


def _headless(document: bytes, choices: _Choices) -> bytes:
    return document[choices.below(len(document)) :]


def _flip(document: bytes, choices: _Choices) -> bytes:
    place = choices.below(len(document))
    return (
        document[:place]
        + bytes([byte ^ (1 << choices.below(8)) for byte in document[place : place + 1]])
        + (document[place + 1 :])
    )


def _hole(document: bytes, choices: _Choices) -> bytes:
    begin = choices.below(len(document))
    return document[:begin] + document[begin + 1 + choices.below(30) :]


def _insert(document: bytes, choices: _Choices) -> bytes:
    place = choices.below(len(document))
    return document[:place] + _FOREIGN[choices.below(len(_FOREIGN))] + document[place:]


def _without_line(document: bytes, choices: _Choices) -> bytes:
    lines = document.splitlines(keepends=True)
    gone = choices.below(len(lines))
    return b"".join(lines[:gone] + lines[gone + 1 :])


def _line_twice(document: bytes, choices: _Choices) -> bytes:
    lines = document.splitlines(keepends=True)
    twice = choices.below(len(lines))
    return b"".join(lines[: twice + 1] + lines[twice:])


def _lines_swapped(document: bytes, choices: _Choices) -> bytes:
    lines = document.splitlines(keepends=True)
    one, other = choices.below(len(lines)), choices.below(len(lines))
    if lines:
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _spliced(document: bytes, choices: _Choices) -> bytes:
    begin, length, to = choices.below(len(document)), choices.below(50), choices.below(len(document))
    return document[:to] + document[begin : begin + length] + document[to:]


def _other_ends(document: bytes, choices: _Choices) -> bytes:
    return document.replace(b"\n", (b"\r\n", b"\r", b"\n\n", b"")[choices.below(4)])


def _digits(document: bytes, choices: _Choices) -> bytes:
    places = [place for place, byte in enumerate(document) if 48 <= byte <= 57]
    if not places:
        return document
    place = places[choices.below(len(places))]
    return document[:place] + b"%d" % choices.below(10 ** choices.below(25)) + document[place + 1 :]


_DAMAGES: Final[tuple[tuple[str, Callable[[bytes, _Choices], bytes]], ...]] = (
    ("cut off", _cut),
    ("one bit flipped", _flip),
    ("bytes put in", _insert),
    ("some bytes lost", _hole),
    ("a line lost", _without_line),
    ("a digit changed", _digits),
    ("a line twice", _line_twice),
    ("two lines exchanged", _lines_swapped),
    ("a piece put elsewhere", _spliced),
    ("the beginning lost", _headless),
    ("other line ends", _other_ends),
    ("bytes put in", _insert),
)
