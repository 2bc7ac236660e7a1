"""Sorted runs: immutable files of keys with values, found without reading what is not asked for.

Keys are keyed hashes and so spread evenly. A B-tree that takes them one part after the other rewrites
nearly all of its pages each time; a run is written once, in order, and merged with its like now and then
(a log-structured merge tree). A small filter in front tells nearly always when a key is not in a run.

A file holds its entries in the order of their keys, each the key's two halves as little-endian
integers and the value; then the filter, 64-bit words of which each key sets four bits in one.
"""

import hashlib
import mmap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.errors import IntegrityBroken
from gateway.store.files.durable import durable_file

__all__ = [
    "KEY_BYTES",
    "Entries",
    "Run",
    "WrittenRun",
    "chosen",
    "entries_of",
    "find_in",
    "in_order",
    "joined",
    "keys_of",
    "merged",
    "newest",
    "place_in",
    "without_repetitions",
    "write_run",
]

KEY_BYTES: Final = 16
KEYS_PER_WORD: Final = 4  # 16 bits a key: about one absent key in a hundred is looked for in vain
SLICE_ENTRIES: Final = 1 << 19  # entries of all runs together that a merge holds at once
SLICE_WORDS: Final = 1 << 17  # words of a filter that are held at once while it is written
PIECE_BYTES: Final = 1 << 26  # of a mapped file, within which keys are looked for before its pages are let go

Entries = NDArray[np.void]
"""Entries with the members ``high``, ``low`` (the key's halves) and ``value``."""

_Words = NDArray[np.uint64]
_Places = NDArray[np.int64]


class WrittenRun(NamedTuple):
    """A run that was written: its digest and its number of entries."""

    digest: str
    rows: int


def entries_of(keys: bytes, values: bytes, *, width: int) -> Entries:
    """Return entries in the order of their keys; of equal keys the first comes first.

    Args:
        keys: the keys, 16 bytes each.
        values: their values, ``width`` bytes each.
        width: the bytes of a value.
    """
    entries = keys_of(keys, width=width)
    entries["value"] = np.frombuffer(values, f"V{width}")
    return in_order(entries)


def keys_of(keys: bytes, *, width: int) -> Entries:
    """Return entries of some keys as they come, with no values: what is looked for."""
    halves = np.frombuffer(keys, ">u8").reshape(-1, 2)
    entries = np.zeros(len(halves), _layout(width))
    entries["high"], entries["low"] = halves[:, 0], halves[:, 1]
    return entries


class Run:
    """A run that can be looked into; its file is mapped, not read."""

    def __init__(self, path: Path, rows: int, *, width: int) -> None:
        layout = _layout(width)
        expected = rows * layout.itemsize + 8 * _word_count(rows)
        if path.stat().st_size != expected:
            raise IntegrityBroken(f"index/{path.name} is not the file that was written", field=path.name)
        self.path = path
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.entries: Entries = np.frombuffer(self._map, layout, count=rows)
        self._filter: _Words = np.frombuffer(self._map, np.uint64, offset=rows * layout.itemsize)

    def find(self, wanted: Entries) -> tuple[_Places, Entries]:
        """Return the places in ``wanted`` of the keys that are here, and their entries.

        Keys in their order are found faster, and in a long file with few of its pages in memory at a time.
        """
        pieces = len(self._map) // PIECE_BYTES + 1
        cuts = [len(wanted) * number // pieces for number in range(pieces + 1)]
        found = [self._find(wanted[begin:end], begin) for begin, end in pairwise(cuts)]
        asked, entries = zip(*found, strict=True)
        return np.concatenate(asked), joined(entries)

    def _find(self, wanted: Entries, begin: int) -> tuple[_Places, Entries]:
        words = self._filter[_word_of(wanted["high"], len(self._filter))]
        bits = _bits_of(wanted["low"])
        asked = np.flatnonzero((words & bits) == bits)
        places = place_in(self.entries, chosen(wanted, asked))
        inside = places < len(self.entries)
        asked = asked[inside]
        here = chosen(self.entries, places[inside])
        self.release()
        same = (here["high"] == wanted["high"][asked]) & (here["low"] == wanted["low"][asked])
        return asked[same] + begin, chosen(here, same)

    def places_under(self, highs: _Words) -> tuple[_Places, _Places]:
        """Return the places of all keys with one of these upper halves (in order), and of which one."""
        if len(self.entries) <= SLICE_ENTRIES:
            mine = np.ascontiguousarray(self.entries["high"])
            first, end = np.searchsorted(mine, highs, "left"), np.searchsorted(mine, highs, "right")
        else:
            wanted = np.zeros(len(highs), self.entries.dtype)
            wanted["high"] = highs
            first = place_in(self.entries, wanted)
            wanted["high"] += np.uint64(1)  # the last half of all wraps around: its keys are not found,
            end = np.maximum(place_in(self.entries, wanted), first)  # which is one in 2^64
        counts = end - first
        behind = np.cumsum(counts)
        places = np.repeat(first - behind + counts, counts) + np.arange(behind[-1] if len(behind) else 0)
        return places, np.repeat(np.arange(len(highs)), counts)

    def release(self) -> None:
        """Give back the memory of what was read of the file; it is read again when it is needed."""
        self._map.madvise(mmap.MADV_DONTNEED)

    def require_digest(self, digest: str) -> None:
        """Check the whole file against the digest that was kept."""
        with self.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise IntegrityBroken(f"index/{self.path.name} is not the file that was written", field=digest)


def find_in(entries: Entries, wanted: Entries) -> tuple[_Places, Entries]:
    """Return the places in ``wanted`` of the keys among entries in memory, and their entries."""
    highs = np.ascontiguousarray(entries["high"])
    places = np.searchsorted(highs, wanted["high"])
    asked = np.flatnonzero(places < len(highs))
    asked = asked[highs[places[asked]] == wanted["high"][asked]]
    places = places[asked]
    lows = wanted["low"][asked]
    other = np.flatnonzero(entries["low"][places] != lows)
    while len(other):  # another key with the same half: two halves in 2^64
        places[other] += 1
        other = other[places[other] < len(highs)]
        at = places[other]
        again = highs[at] == wanted["high"][asked[other]]
        other = other[again & (entries["low"][at] != lows[other])]
    inside = places < len(highs)
    asked, places = asked[inside], places[inside]
    same = (highs[places] == wanted["high"][asked]) & (entries["low"][places] == wanted["low"][asked])
    return asked[same], chosen(entries, places[same])


def newest(found: Sequence[Entries]) -> Entries:
    """Put entries of runs, the newest first, into the order of keys; of equal keys the first's counts."""
    return _by_key(joined(found))


def merged(runs: Sequence[Run], *, width: int) -> Iterator[Entries]:
    """Yield the entries of all runs in order, some at a time; of equal keys the first run's counts."""
    if not runs:
        return
    total = sum(len(run.entries) for run in runs)
    cuts = _cuts(total // SLICE_ENTRIES + 1, _layout(width))
    ends = [[*place_in(run.entries, cuts).tolist(), len(run.entries)] for run in runs]
    begins = [0] * len(runs)
    for number in range(len(cuts) + 1):
        some = joined(
            [run.entries[begin : end[number]] for run, begin, end in zip(runs, begins, ends, strict=True)]
        )
        begins = [end[number] for end in ends]
        for run in runs:
            run.release()
        if len(some):
            yield _by_key(some)


def write_run(path: Path, slices: Iterator[Entries], *, width: int) -> WrittenRun:
    """Write entries, given in the order of their keys, durably; ``width`` is the bytes of a value."""
    digest, rows = hashlib.sha256(), 0
    with durable_file(path, mode=0o600) as file:
        for some in slices:
            data = some.tobytes()
            file.write(data)
            digest.update(data)
            rows += len(some)
        file.flush()
        for words in _filter_of(file, rows, layout=_layout(width)):
            file.write(words.tobytes())
            digest.update(words.tobytes())
    return WrittenRun(digest.hexdigest(), rows)


def _filter_of(file: BinaryIO, rows: int, *, layout: "np.dtype[np.void]") -> Iterator[_Words]:
    """Yield the filter of the entries in a file, some words at a time; those of one word stand together."""
    words = _word_count(rows)
    if not rows:
        yield np.zeros(words, np.uint64)
        return
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    entries: Entries = np.frombuffer(mapped, layout, count=rows)
    slices = max(words // SLICE_WORDS, 1)
    begin = 0
    for number, end in enumerate([*place_in(entries, _cuts(slices, layout)).tolist(), rows]):
        some = np.zeros(words // slices, np.uint64)
        _note(some, entries[begin:end], words=words, first=number * len(some))
        yield some
        begin = end
        mapped.madvise(mmap.MADV_DONTNEED)


def place_in(entries: Entries, wanted: Entries) -> _Places:
    """Return for each key the place of the first entry that is not before it; nothing is copied."""
    highs, lows = entries["high"], entries["low"]
    first = np.zeros(len(wanted), np.int64)
    last = np.full(len(wanted), len(entries), np.int64)
    for _ in range(len(entries).bit_length()):
        middle = (first + last) >> 1
        inside = middle < last
        at = np.where(inside, middle, 0)
        high, low = highs[at], lows[at]
        before = (high < wanted["high"]) | ((high == wanted["high"]) & (low < wanted["low"]))
        first = np.where(inside & before, middle + 1, first)
        last = np.where(inside & ~before, middle, last)
    return first


def _layout(width: int) -> "np.dtype[np.void]":
    members: list[Any] = [("high", "<u8"), ("low", "<u8"), ("value", f"V{width}")]
    return np.dtype(members)


def _cuts(slices: int, layout: "np.dtype[np.void]") -> Entries:
    """Return the keys that cut the whole range of keys into equal slices."""
    cuts = np.zeros(slices - 1, layout)
    cuts["high"] = [(number << 64) // slices for number in range(1, slices)]
    return cuts


def chosen(entries: Entries, places: _Places | NDArray[np.bool_]) -> Entries:
    """Return the entries at some places: as plain bytes, since numpy copies members one by one."""
    plain = entries.view(f"V{entries.dtype.itemsize}")[places]
    return plain.view(entries.dtype)


def joined(found: Sequence[Entries]) -> Entries:
    """Return entries one behind the other, copied as plain bytes."""
    plain = np.concatenate([some.view(f"V{some.dtype.itemsize}") for some in found])
    return plain.view(found[0].dtype)


def without_repetitions(entries: Entries) -> Entries:
    """Return entries in the order of their keys; of equal keys the first alone."""
    first = _first_of_equals(entries)
    return entries if first.all() else chosen(entries, first)


def _by_key(entries: Entries) -> Entries:
    return without_repetitions(in_order(entries))


def in_order(entries: Entries) -> Entries:
    """Return entries in the order of their keys; of equal keys the first stays the first.

    Halves are hashes, so that equal ones often belong to equal keys: one half is sorted by, and the other
    only where that was not enough.
    """
    return chosen(entries, _order(entries["high"], entries["low"]))


def _order(highs: _Words, lows: _Words) -> _Places:
    order = np.argsort(highs, kind="stable")
    high, low = highs[order], lows[order]
    same = high[1:] == high[:-1]
    if not np.any(same & (low[1:] < low[:-1])):
        return order
    number: _Words = np.zeros(len(high), np.uint64)
    np.cumsum(~same, out=number[1:])
    finer = np.argsort(number << np.uint64(40) | low >> np.uint64(24), kind="stable")
    low = low[finer]
    if len(high) >> 24 or np.any(same & (low[1:] < low[:-1])):  # 40 bits were not enough
        return np.lexsort((lows, highs))
    return order[finer]


def _first_of_equals(entries: Entries) -> NDArray[np.bool_]:
    first = np.ones(len(entries), np.bool_)
    high, low = entries["high"], entries["low"]
    first[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    return first


def _word_count(rows: int) -> int:
    """Return the words of a filter: the power of two from a quarter of the rows on."""
    return 1 << max(rows // KEYS_PER_WORD, 1).bit_length()


def _word_of(high: _Words, words: int) -> _Words:
    return high >> np.uint64(65 - words.bit_length())


def _bits_of(low: _Words) -> _Words:
    one, six = np.uint64(1), np.uint64(63)
    bits = one << (low & six)
    for shift in (6, 12, 18):
        bits |= one << ((low >> np.uint64(shift)) & six)
    return bits


def _note(some: _Words, entries: Entries, *, words: int, first: int) -> None:
    """Set the bits of keys, which stand in order, in a part of a filter that has ``words`` in all."""
    if len(entries):
        places = _word_of(entries["high"], words) - np.uint64(first)
        begins = np.flatnonzero(np.diff(places, prepend=places[:1] ^ np.uint64(1)))
        some[places[begins]] = np.bitwise_or.reduceat(_bits_of(entries["low"]), begins)
