"""Tiles and entry bundles (C2SP tlog-tiles): their names, their growth, and reading them with proof.

A tile holds up to 256 hashes of one level side by side; the tiles of a level are the leaves of the
level eight above. Nothing here touches a file: growth returns contents by path, and reading takes a
function from path to contents. Whatever is read is checked against a checkpoint's root before use.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import IntegrityBroken, InvariantBroken, Refused
from gateway.transparency.checkpoint import Checkpoint
from gateway.transparency.merkle import (
    HASH_BYTES,
    consistency_proof,
    fold_level,
    inclusion_proof,
    leaf_hash,
    subtree_root,
)
from gateway.transparency.tile_names import TILE_WIDTH, TileName

__all__ = [
    "ENTRY_BYTES_MAX",
    "Edge",
    "EntryTooLarge",
    "Growth",
    "LogFileAltered",
    "Reader",
    "TreeReader",
    "edge_names",
    "grow",
    "join_bundle",
    "split_bundle",
    "tile_width",
]

ENTRY_BYTES_MAX: Final = 65_535  # the length prefix has two bytes
_LENGTH_BYTES: Final = 2
_LEVEL_BITS: Final = 8
_CACHED_TILES_MAX: Final = 512  # 4 MiB, the tiles of some 130,000 consecutive entries

Reader = Callable[[str], bytes]


class EntryTooLarge(Refused):
    """An entry does not fit into an entry bundle; nothing was written."""

    code = "entry-too-large"
    remedy = "split the document; the log's format has two bytes for the length of an entry"


class LogFileAltered(IntegrityBroken):
    """A file of the log is missing or does not hold what the signed checkpoint commits to."""

    code = "log-file-altered"
    remedy = "stop writing; compare this file with a copy of the log, whose full tiles never change"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a log: all that is needed to let it grow."""

    size: int
    tiles: tuple[bytes, ...] = ()
    bundle: bytes = b""

    @property
    def root(self) -> bytes:
        """The root over all entries up to the edge."""
        return subtree_root(self._node, 0, end=self.size)

    def _node(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, _LEVEL_BITS)
        start = (index << height) % TILE_WIDTH
        return _perfect_root(self.tiles[tile_level], start, height=height)


@dataclass(frozen=True, slots=True)
class Growth:
    """What an append changes: new files by path, and the edge after it."""

    edge: Edge
    files: dict[str, bytes]


def join_bundle(entries: Iterable[bytes]) -> bytes:
    """Write entries one after the other, each after its length."""
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def split_bundle(data: bytes, path: str) -> list[bytes]:
    """Read the entries of a bundle."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data):
            raise LogFileAltered(
                path, f"entry {len(entries)} of the bundle is cut off after {len(data)} bytes"
            )
        entries.append(data[start:at])
    return entries


def grow(edge: Edge, entries: Sequence[bytes]) -> Growth:
    """Append entries and return each new tile and bundle: the full ones, and the last partial ones."""
    for number, entry in enumerate(entries):
        if len(entry) > ENTRY_BYTES_MAX:
            raise EntryTooLarge(
                f"entry {number}: {len(entry)} bytes, at most {ENTRY_BYTES_MAX} fit into a bundle"
            )
    files = _grow_bundles(edge, entries)
    tiles: list[bytes] = []
    hashes = b"".join(leaf_hash(entry) for entry in entries)
    level = 0
    while hashes or level < len(edge.tiles):
        old = edge.tiles[level] if level < len(edge.tiles) else b""
        first = edge.size >> (_LEVEL_BITS * (level + 1))
        new_files, rest, hashes = _grow_level(old, hashes, level=level, first=first)
        files |= new_files
        tiles.append(rest)
        level += 1
    size = edge.size + len(entries)
    last = TileName(None, size // TILE_WIDTH, size % TILE_WIDTH) if size % TILE_WIDTH else None
    bundle = b"" if last is None else files.get(last.path, edge.bundle)
    return Growth(Edge(size, tuple(tiles), bundle), files)


class TreeReader:
    """The tree of one checkpoint, read tile by tile; each tile is proven against the root before use."""

    def __init__(self, read: Reader, checkpoint: Checkpoint) -> None:
        """Read and check the right edge.

        Raises:
            LogFileAltered: the tiles of the right edge do not lead to the checkpoint's root.
        """
        self._read = read
        self._checkpoint = checkpoint
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._edge_tiles = tuple(self._read_edge())
        root = Edge(checkpoint.tree_size, self._edge_tiles).root
        if root != checkpoint.root_hash:
            paths = ", ".join(name.path for name in edge_names(checkpoint.tree_size))
            raise LogFileAltered(
                "checkpoint",
                f"expected root {checkpoint.root_hash.hex()} of {checkpoint.tree_size} entries,"
                f" but the tiles of the right edge ({paths}) lead to {root.hex()}",
            )

    @property
    def edge(self) -> Edge:
        """The right edge with its checked entries, ready to grow."""
        size = self._checkpoint.tree_size
        partial = size % TILE_WIDTH
        bundle = join_bundle(self.bundle(size // TILE_WIDTH)) if partial else b""
        return Edge(size, self._edge_tiles, bundle)

    def inclusion(self, index: int, *, size: int) -> list[bytes]:
        """Build the inclusion proof of an entry in the tree at that size."""
        return inclusion_proof(self._node, index, size=self._require_size(size))

    def consistency(self, old_size: int, *, size: int) -> list[bytes]:
        """Build the consistency proof between two sizes."""
        return consistency_proof(self._node, old_size, size=self._require_size(size))

    def root(self, size: int) -> bytes:
        """Return the root of the tree at that size."""
        return subtree_root(self._node, 0, end=self._require_size(size))

    def bundle(self, number: int) -> list[bytes]:
        """Return the entries of one bundle, each checked against its leaf hash."""
        width = tile_width(self._checkpoint.tree_size, level=0, index=number)
        name = TileName(None, number, width)
        data = self._read_or_full(name)
        entries = split_bundle(data, name.path)
        if b"".join(map(leaf_hash, entries)) != self.tile(0, number):
            raise LogFileAltered(name.path, "the entries are not those that the signed checkpoint commits to")
        return entries

    def tile(self, level: int, index: int) -> bytes:
        """Return the hashes of one tile, proven against the root."""
        width = tile_width(self._checkpoint.tree_size, level=level, index=index)
        if width < TILE_WIDTH:
            return self._edge_tiles[level]
        known = self._tiles.get((level, index))
        if known is not None:
            return known
        name = TileName(level, index, width)
        data = self._read_or_full(name)
        parent = self.tile(level + 1, index // TILE_WIDTH)
        expected = _hash_at(parent, index % TILE_WIDTH)
        found = _perfect_root(data, 0, height=_LEVEL_BITS)
        if found != expected:
            raise LogFileAltered(
                name.path, f"expected the hash {expected.hex()} over the tile, found {found.hex()}"
            )
        if len(self._tiles) >= _CACHED_TILES_MAX:
            self._tiles.clear()
        self._tiles[level, index] = data
        return data

    def _node(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, _LEVEL_BITS)
        tile, start = divmod(index << height, TILE_WIDTH)
        return _perfect_root(self.tile(tile_level, tile), start, height=height)

    def _read_edge(self) -> Iterator[bytes]:
        for name in edge_names(self._checkpoint.tree_size):
            yield b"" if name.width == 0 else self._read_or_full(name)

    def _read_or_full(self, name: TileName) -> bytes:
        """Read a file; where a full one has replaced the partial one, read the beginning of that."""
        data = self._read_if_there(name)
        if data is not None:
            return data if name.level is None else _require_width(data, name)
        full = self._read_if_there(name.full)
        if full is None:
            raise LogFileAltered(name.path, "the file is missing")
        if name.level is None:
            return join_bundle(split_bundle(full, name.full.path)[: name.width])
        return full[: name.width * HASH_BYTES]

    def _read_if_there(self, name: TileName) -> bytes | None:
        try:
            return self._read(name.path)
        except FileNotFoundError:
            return None

    def _require_size(self, size: int) -> int:
        if not 0 <= size <= self._checkpoint.tree_size:
            raise InvariantBroken(
                f"a tree of {size} entries was asked of a log of {self._checkpoint.tree_size}"
            )
        return size


def tile_width(size: int, *, level: int, index: int) -> int:
    """Return how many hashes a tile has in a log of that size."""
    return max(0, min(TILE_WIDTH, (size >> (_LEVEL_BITS * level)) - index * TILE_WIDTH))


def edge_names(size: int) -> Iterator[TileName]:
    """Name the last tile of each level, the lowest first; one of width 0 does not exist as a file."""
    level = 0
    while size >> (_LEVEL_BITS * level):
        index, width = divmod(size >> (_LEVEL_BITS * level), TILE_WIDTH)
        yield TileName(level, index, width)
        level += 1


def _grow_bundles(edge: Edge, entries: Sequence[bytes]) -> dict[str, bytes]:
    files = {}
    number, filled = divmod(edge.size, TILE_WIDTH)
    at, data = 0, edge.bundle
    while at < len(entries):
        taken = entries[at : at + TILE_WIDTH - filled]
        data += join_bundle(taken)
        files[TileName(None, number, filled + len(taken)).path] = data
        at += len(taken)
        number, filled, data = number + 1, 0, b""
    return files


def _grow_level(old: bytes, new: bytes, *, level: int, first: int) -> tuple[dict[str, bytes], bytes, bytes]:
    """Return the level's new files, its last partial tile and the hashes of its full tiles."""
    files = {}
    hashes = old + new
    full_bytes = TILE_WIDTH * HASH_BYTES
    above = []
    for number in range(len(hashes) // full_bytes):
        tile = hashes[number * full_bytes : (number + 1) * full_bytes]
        files[TileName(level, first + number, TILE_WIDTH).path] = tile
        above.append(_perfect_root(tile, 0, height=_LEVEL_BITS))
    rest = hashes[len(above) * full_bytes :]
    if rest and new:
        files[TileName(level, first + len(above), len(rest) // HASH_BYTES).path] = rest
    return files, rest, b"".join(above)


def _perfect_root(tile: bytes, start: int, *, height: int) -> bytes:
    """Return the root over 2**height hashes of a tile."""
    hashes = tile[start * HASH_BYTES : (start + (1 << height)) * HASH_BYTES]
    for _ in range(height):
        hashes = fold_level(hashes)
    return hashes


def _hash_at(tile: bytes, index: int) -> bytes:
    return tile[index * HASH_BYTES : (index + 1) * HASH_BYTES]


def _require_width(data: bytes, name: TileName) -> bytes:
    if len(data) != name.width * HASH_BYTES:
        raise LogFileAltered(name.path, f"expected {name.width * HASH_BYTES} bytes, found {len(data)}")
    return data
