"""The full check of a log folder: every byte is recomputed from the entries, up to the signed root."""

from collections.abc import Iterable, Iterator

from gateway.transparency import (
    HASH_BYTES,
    TILE_WIDTH,
    Checkpoint,
    Edge,
    LogFileAltered,
    Reader,
    TileName,
    TreeReader,
    edge_names,
    grow,
    join_bundle,
    read_tile_name,
    split_bundle,
    tile_width,
)

__all__ = ["check_files"]


def check_files(read: Reader, checkpoint: Checkpoint, *, paths: Iterable[str]) -> None:
    """Check that the folder holds the log of the checkpoint and nothing else.

    1. no stray file  2. all tiles again from all entries  3. the root  4. older partial tiles

    Args:
        read: returns a file's bytes; raises FileNotFoundError.
        checkpoint: what the log has signed.
        paths: every file below the log's folder, relative to it.

    Raises:
        LogFileAltered: names the file.
    """
    older = list(_older_partials(paths, checkpoint.tree_size))
    altered, root = _recompute(read, checkpoint.tree_size)
    if root != checkpoint.root_hash:
        _name_the_altered(read, checkpoint)
    if altered is not None:
        raise altered
    tree = TreeReader(read, checkpoint)
    for name in older:
        if _read(read, name.path) != _beginning(tree, name):
            raise LogFileAltered(
                name.path, "the partial file is not the beginning of the one that follows it"
            )


def _older_partials(paths: Iterable[str], size: int) -> Iterator[TileName]:
    """Yield the partial files of earlier checkpoints, and refuse what cannot belong to the log."""
    current = {name.path for name in _required_partials(size)}
    for path in sorted(paths):
        if path == "checkpoint":
            continue
        name = read_tile_name(path)
        if name is None or name.width > tile_width(size, level=name.level or 0, index=name.index):
            raise LogFileAltered(path, f"a log of {size} entries has no such file")
        if name.width < TILE_WIDTH and path not in current:
            yield name


def _required_partials(size: int) -> Iterator[TileName]:
    yield from (name for name in edge_names(size) if name.width)
    if size % TILE_WIDTH:
        yield TileName(None, size // TILE_WIDTH, size % TILE_WIDTH)


def _recompute(read: Reader, size: int) -> tuple[LogFileAltered | None, bytes]:
    """Grow the log again from its entries; return the first file that differs, and the root."""
    edge = Edge(0)
    altered = None
    partials = {name.path for name in _required_partials(size)}
    while edge.size < size:
        growth = grow(edge, _entries(read, edge.size, size=size))
        for path, data in growth.files.items():
            name = read_tile_name(path)
            is_required = path in partials or (name is not None and name.width == TILE_WIDTH)
            if is_required and altered is None and _read(read, path) != data:
                altered = LogFileAltered(path, "the file does not hold what its entries lead to")
        edge = growth.edge
    return altered, edge.root


def _entries(read: Reader, start: int, *, size: int) -> list[bytes]:
    index = start // TILE_WIDTH
    name = TileName(None, index, tile_width(size, level=0, index=index))
    entries = split_bundle(_read(read, name.path), name.path)
    if len(entries) != name.width:
        raise LogFileAltered(name.path, f"expected {name.width} entries, found {len(entries)}")
    return entries


def _name_the_altered(read: Reader, checkpoint: Checkpoint) -> None:
    """Walk down from the root, to which the entries do not lead, and raise at the file that breaks off."""
    tree = TreeReader(read, checkpoint)
    for index in range(-(-checkpoint.tree_size // TILE_WIDTH)):
        tree.bundle(index)
    raise LogFileAltered("checkpoint", f"the entries do not lead to root {checkpoint.root_hash.hex()}")


def _beginning(tree: TreeReader, name: TileName) -> bytes:
    if name.level is None:
        return join_bundle(tree.bundle(name.index)[: name.width])
    return tree.tile(name.level, name.index)[: name.width * HASH_BYTES]


def _read(read: Reader, path: str) -> bytes:
    try:
        return read(path)
    except FileNotFoundError as error:
        raise LogFileAltered(path, "the file is missing") from error
