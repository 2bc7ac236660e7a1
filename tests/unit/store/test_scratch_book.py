"""The book of a backtest says what a dictionary says, however much of it stands in files."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from gateway.store.journal.scratch_book import ScratchBook


def named(number: int) -> bytes:
    return Random(number).randbytes(16)


@pytest.mark.parametrize("held_max", [1 << 20, 40, 1], ids=["in memory", "some in files", "all in files"])
def test_what_is_used_is_what_was_written_last(tmp_path: Path, held_max: int) -> None:
    chance, book, expected = Random(3), ScratchBook(tmp_path / "book", held_max=held_max), dict[int, int]()
    for _ in range(60):
        numbers = chance.sample(range(300), chance.randrange(1, 30))
        found = book.used(b"".join(map(named, numbers))).tolist()
        assert found == [expected.get(number, 0) for number in numbers]
        after = {number: chance.randrange(1 << 40) for number in chance.sample(numbers, len(numbers) // 2)}
        book.replace(b"".join(map(named, after)), np.array(list(after.values()), np.int64))
        expected |= after

    assert bool(list((tmp_path / "book").iterdir())) is (held_max < 100)


def test_names_that_share_their_first_half_are_told_apart(tmp_path: Path) -> None:
    names = [bytes(8) + bytes([place] * 8) for place in (5, 1, 9, 3)]
    book = ScratchBook(tmp_path / "book")
    book.replace(b"".join(names[:3]), np.array([50, 10, 90], np.int64))

    assert book.used(b"".join(names)).tolist() == [50, 10, 90, 0]
    assert book.used(bytes(8) + b"\xff" * 8).tolist() == [0]


def test_files_are_merged_and_those_before_are_gone(tmp_path: Path) -> None:
    book = ScratchBook(tmp_path / "book", held_max=1)
    for number in range(0, 64, 2):
        book.replace(named(number) + named(number + 1), np.array([number, 7], np.int64))

    assert len(list((tmp_path / "book").iterdir())) <= 6
