"""Search folders for what should be gone, in every spelling and inside everything that is compressed."""

import base64
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import zstandard

__all__ = ["found_in", "spellings", "spellings_of_bytes"]

_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"
_ESCAPES = ("unicode_escape", "raw_unicode_escape")


def spellings(text: str) -> set[bytes]:
    """Return a text in every encoding and escape in which a program might keep it."""
    plain = {text.encode(name) for name in ("utf-8", "gb18030", "utf-16-le", "utf-16-be", "utf-32-le")}
    escaped = {text.encode(name) for name in _ESCAPES} | {quote(text).encode(), quote(text).lower().encode()}
    return plain | escaped | {one for data in plain for one in spellings_of_bytes(data)}


def spellings_of_bytes(data: bytes) -> set[bytes]:
    """Return bytes as they are, in hexadecimal, and in base64 at each of its three alignments."""
    spelled = {data, data.hex().encode(), data.hex().upper().encode()}
    for before in range(3):
        code = base64.b64encode(bytes(before) + data)
        inner = code[4 if before else 0 : (before + len(data)) // 3 * 4]  # what the neighbours cannot change
        spelled |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return spelled


def found_in(wanted: Iterable[bytes], *folders: Path) -> list[tuple[str, bytes]]:
    """Return where a needle stands: in a file's name, its bytes, or a compressed piece at any place in it.

    Parquet keeps each page as one Zstandard frame, and SQLite keeps free pages and its log as they are, so
    this looks into every page of both.
    """
    needles = sorted(set(wanted))
    assert all(len(needle) >= 6 for needle in needles), "a shorter one is found by chance"
    return [
        (str(path), needle)
        for folder in folders
        for path in sorted(folder.rglob("*"))
        for data in (str(path.relative_to(folder)).encode(), *_contents(path))
        for needle in needles
        if needle in data
    ]


def _contents(path: Path) -> Iterator[bytes]:
    if path.is_file():
        data = path.read_bytes()
        yield data
        for place in _places(_ZSTD, data):
            try:
                yield zstandard.ZstdDecompressor().decompressobj().decompress(data[place:])
            except zstandard.ZstdError:
                continue
        for place in _places(_GZIP, data):
            try:
                yield zlib.decompressobj(31).decompress(data[place:])
            except zlib.error:
                continue


def _places(magic: bytes, data: bytes) -> Iterator[int]:
    place = data.find(magic)
    while place >= 0:
        yield place
        place = data.find(magic, place + 1)
