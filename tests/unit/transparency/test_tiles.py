"""Tiles: the sizes of the specification, growth in any steps, and no altered byte unnoticed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import InvariantBroken
from gateway.transparency import (
    Checkpoint,
    Edge,
    EntryTooLarge,
    LogFileAltered,
    TileName,
    TreeReader,
    grow,
    join_bundle,
    leaf_hash,
    read_tile_name,
    root_of,
    split_bundle,
    tile_width,
    verify_consistency,
    verify_inclusion,
)
from tests.unit.transparency import naive


def entries(size: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(size)]


def grown(size: int) -> tuple[dict[str, bytes], Checkpoint]:
    growth = grow(Edge(0), entries(size))
    return growth.files, Checkpoint("log.example", size, growth.edge.root)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TileName(0, 0), "tile/0/000"),
        (TileName(0, 255, 7), "tile/0/255.p/7"),
        (TileName(1, 1_234_067), "tile/1/x001/x234/067"),
        (TileName(None, 1_000), "tile/entries/x001/000"),
        (TileName(None, 5, 255), "tile/entries/005.p/255"),
        (TileName(63, 999, 1), "tile/63/999.p/1"),
    ],
)
def test_paths_are_those_of_the_specification(name: TileName, path: str) -> None:
    assert name.path == path
    assert read_tile_name(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p",
        "tile/0/000/1",
        "tile/entry/000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "/tile/0/000",
    ],
)
def test_other_paths_name_no_tile(path: str) -> None:
    assert read_tile_name(path) is None


def test_a_log_of_seventy_thousand_has_the_tiles_that_the_specification_counts() -> None:
    files, _ = grown(70_000)
    hashes = [name for name in map(read_tile_name, files) if name is not None and name.level is not None]

    assert sum(name.level == 0 and name.width == 256 for name in hashes) == 273
    assert [name.path for name in hashes if name.width < 256] == [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert sum(name.level == 1 and name.width == 256 for name in hashes) == 1


def test_a_log_of_256_has_one_full_tile_and_one_above_it() -> None:
    files, _ = grown(256)

    assert sorted(files) == ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]
    assert len(files["tile/0/000"]) == 8_192


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=6))
def test_growth_in_any_steps_leads_to_the_same_tiles(steps: list[int]) -> None:
    edge = Edge(0)
    files: dict[str, bytes] = {}
    for step in steps:
        growth = grow(edge, entries(edge.size + step)[edge.size :])
        edge = growth.edge
        for path, data in growth.files.items():
            assert files.setdefault(path, data) == data
    at_once, checkpoint = grown(edge.size)

    assert at_once.items() <= files.items()
    assert edge.root == checkpoint.root_hash == root_of(map(leaf_hash, entries(edge.size)))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 513])
def test_every_proof_from_tiles_is_that_of_the_rfc(size: int) -> None:
    files, checkpoint = grown(size)
    tree = TreeReader(files.__getitem__, checkpoint)
    for index in {0, 1, size // 2, size - 1} & set(range(size)):
        assert tree.inclusion(index, size=size) == naive.path(index, entries(size))
        assert tree.consistency(index, size=size) == naive.proof(index, entries(size))
        assert tree.root(index) == naive.mth(entries(index))
        assert tree.bundle(index // 256)[index % 256] == entries(size)[index]


def test_proofs_in_a_large_log_verify() -> None:
    files, checkpoint = grown(66_000)
    tree = TreeReader(files.__getitem__, checkpoint)
    for index in (0, 255, 256, 65_535, 65_536, 65_999):
        for size in (66_000, index + 1):
            proof = tree.inclusion(index, size=size)
            verify_inclusion(
                leaf_hash(entries(66_000)[index]), proof, index=index, size=size, root=tree.root(size)
            )
        verify_consistency(
            tree.consistency(index, size=66_000),
            old_size=index,
            old_root=tree.root(index),
            size=66_000,
            root=checkpoint.root_hash,
        )


@pytest.mark.parametrize("size", [3, 257, 600])
def test_every_altered_byte_is_noticed_when_it_is_read(size: int) -> None:
    files, checkpoint = grown(size)
    for path, data in files.items():
        for at in {*range(0, len(data), 97), len(data) - 1}:
            altered = {**files, path: data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]}
            with pytest.raises(LogFileAltered) as refused:
                read_all(altered, checkpoint)
            assert refused.value.path in {path, "checkpoint"}


@pytest.mark.parametrize("size", [3, 257, 600])
def test_every_missing_cut_or_longer_file_is_noticed(size: int) -> None:
    files, checkpoint = grown(size)
    for path, data in files.items():
        for content in (None, b"", data[:-1], data[:-32], data + data[-32:], data + bytes(32)):
            altered = {name: body for name, body in files.items() if name != path}
            if content is not None:
                altered[path] = content
            with pytest.raises(LogFileAltered):
                read_all(altered, checkpoint)


def read_all(files: dict[str, bytes], checkpoint: Checkpoint) -> None:
    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    tree = TreeReader(read, checkpoint)
    for number in range(-(-checkpoint.tree_size // 256)):
        tree.bundle(number)


def test_a_reader_of_an_older_checkpoint_uses_the_full_tile_where_the_partial_one_is_gone() -> None:
    older = grow(Edge(0), entries(200))
    checkpoint = Checkpoint("log.example", 200, older.edge.root)
    newer = grow(older.edge, entries(300)[200:]).files

    read_all(newer, checkpoint)


def test_what_the_log_does_not_have_cannot_be_asked() -> None:
    files, checkpoint = grown(5)
    tree = TreeReader(files.__getitem__, checkpoint)

    with pytest.raises(InvariantBroken):
        tree.inclusion(5, size=6)
    with pytest.raises(InvariantBroken):
        tree.consistency(2, size=6)


@pytest.mark.parametrize(("length", "is_allowed"), [(0, True), (65_535, True), (65_536, False)])
def test_an_entry_is_bounded_by_its_length_prefix(length: int, is_allowed: bool) -> None:
    if is_allowed:
        files = grow(Edge(0), [bytes(length)]).files
        assert split_bundle(files["tile/entries/000.p/1"], "") == [bytes(length)]
    else:
        with pytest.raises(EntryTooLarge) as refused:
            grow(Edge(0), [bytes(length)])
        assert refused.value.code == "entry-too-large"


def test_a_bundle_has_each_entry_after_its_length_in_two_bytes() -> None:
    assert join_bundle([b"ab", b"", b"c" * 258]) == b"\0\2ab\0\0\1\2" + b"c" * 258


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 700])
def test_the_edge_that_is_read_back_is_the_one_that_was_left(size: int) -> None:
    growth = grow(Edge(0), entries(size))
    checkpoint = Checkpoint("log.example", size, growth.edge.root)

    assert TreeReader(growth.files.__getitem__, checkpoint).edge == growth.edge
    assert grow(growth.edge, []).edge == growth.edge


@pytest.mark.parametrize("size", [-1, 4])
def test_a_tree_of_a_size_that_never_was_is_not_read(size: int) -> None:
    files, checkpoint = grown(3)

    with pytest.raises(InvariantBroken, match="was asked of a log of 3"):
        TreeReader(files.__getitem__, checkpoint).root(size)


@pytest.mark.parametrize(
    ("size", "level", "index", "width"),
    [
        (0, 0, 0, 0),
        (5, 0, 0, 5),
        (5, 0, 3, 0),
        (5, 1, 0, 0),
        (256, 0, 0, 256),
        (600, 0, 2, 88),
        (600, 1, 0, 2),
    ],
)
def test_a_tile_is_as_wide_as_the_log_fills_it(size: int, level: int, index: int, width: int) -> None:
    assert tile_width(size, level=level, index=index) == width
