"""Decompression that stays within limits and tells a file that was cut short from one that ended."""

import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

import zstandard

from gateway.errors import MalformedDocument

__all__ = ["ExpansionLimits", "expanded"]

_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_WINDOW_MAX: Final = 1 << 27  # what `zstd --long` writes; a larger one is memory given away
_GZIP_PIECE_BYTES: Final = 4096  # 1032 times that, deflate's best, comes out at once: 4 MiB
_ZSTD_PIECE_BYTES: Final = 256  # four bytes may say "128 KiB of the same": 8 MiB comes out at once
_READ_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionLimits:
    """How far a compressed file may expand.

    The ratio is looked at from ``ratio_from_bytes`` on: below that nothing is lost by reading on.
    Rows of a city compress 5 to 40 times; deflate cannot exceed 1032.
    """

    ratio: int = 400
    ratio_from_bytes: int = 256 * 1024 * 1024
    total_bytes: int = 256 * 1024 * 1024 * 1024


class _Decompressor(Protocol):
    """What zlib's and zstandard's objects have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def expanded(
    raw: io.BufferedReader, name: str, *, size: int, limits: ExpansionLimits | None = None
) -> BinaryIO:
    """Return the document inside a file, by its first bytes; what is not compressed is returned as it is.

    Args:
        raw: the open file, at its start.
        name: what errors call the file.
        size: the file's length in bytes, against which the ratio is taken.
        limits: how far it may expand.
    """
    magic = raw.peek(4)
    if magic.startswith(_GZIP_MAGIC):
        parts = _expand(raw, _new_gzip, piece_bytes=_GZIP_PIECE_BYTES, name=name, kind="gzip")
    elif magic.startswith(_ZSTD_MAGIC):
        parts = _expand(raw, _new_zstd, piece_bytes=_ZSTD_PIECE_BYTES, name=name, kind="Zstandard")
    else:
        return raw
    within = _within(parts, name, size=size, limits=limits or ExpansionLimits())
    return io.BufferedReader(_Parts(within), _READ_BYTES)


def _new_gzip() -> _Decompressor:
    return zlib.decompressobj(wbits=31)


def _new_zstd() -> _Decompressor:
    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_MAX).decompressobj()


def _expand(
    raw: io.BufferedReader,
    new: Callable[[], _Decompressor],
    *,
    piece_bytes: int,
    name: str,
    kind: str,
) -> Iterator[bytes]:
    """Yield what the members (frames) of a compressed file contain, one after the other."""
    member, begun = new(), False
    try:
        while piece := raw.read(piece_bytes):
            while piece:
                begun = True
                yield member.decompress(piece)
                if not member.eof:
                    break
                piece, member, begun = member.unused_data, new(), False
    except (zlib.error, zstandard.ZstdError) as error:
        raise MalformedDocument(
            f"{name} is damaged: {kind} says {error}", remedy="fetch or export the file again"
        ) from error
    if begun:
        raise MalformedDocument(
            f"{name} is cut short: its {kind} data has no end", remedy="fetch or export the file again"
        )


def _within(parts: Iterator[bytes], name: str, *, size: int, limits: ExpansionLimits) -> Iterator[bytes]:
    """Pass the parts on until they exceed what the file may expand to."""
    by_ratio = max(limits.ratio_from_bytes, limits.ratio * size)
    allowed = min(by_ratio, limits.total_bytes)
    total = 0
    for part in parts:
        total += len(part)
        if total > allowed:
            raise MalformedDocument(
                f"{name} expands from {size} to more than {allowed} bytes",
                remedy="split the file, or hand it over uncompressed if it really is that large",
            )
        yield part


class _Parts(io.RawIOBase):
    """A read-only stream over an iterator of parts."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stub's Buffer has no len
        while not self._rest:
            try:
                self._rest = memoryview(next(self._parts))
            except StopIteration:
                return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
