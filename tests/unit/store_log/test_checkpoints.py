"""The checkpoint store: one winner for each step, whoever asks, and nothing lost."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import InvariantBroken, LocalFileError, Refused
from gateway.store.log.checkpoints import CheckpointFile, Stored, SwapLost
from gateway.transparency import EMPTY_ROOT, leaf_hash


def at(size: int, content: bytes = b"") -> Stored:
    return Stored(f"note {size}".encode(), size, leaf_hash(content) if size else EMPTY_ROOT)


@pytest.fixture
def store(tmp_path: Path) -> CheckpointFile:
    return CheckpointFile(tmp_path / "new" / "checkpoints.db")


def test_nothing_is_known_of_a_new_log_and_asking_makes_no_file(
    store: CheckpointFile, tmp_path: Path
) -> None:
    assert store.latest("a") is None
    assert list(tmp_path.iterdir()) == []


def test_a_swap_from_what_is_expected_is_kept(store: CheckpointFile, tmp_path: Path) -> None:
    store.swap("a", expected=None, new=at(1))
    store.swap("a", expected=at(1), new=at(5))

    assert store.latest("a") == at(5)
    assert CheckpointFile(tmp_path / "new" / "checkpoints.db").latest("a") == at(5)
    assert store.latest("b") is None


@pytest.mark.parametrize(
    "expected", [None, at(1), at(2, b"other"), at(3)], ids=["none", "older", "beside", "newer"]
)
def test_a_swap_from_anything_else_is_lost_and_changes_nothing(
    store: CheckpointFile, expected: Stored | None
) -> None:
    store.swap("a", expected=None, new=at(2))

    with pytest.raises(SwapLost, match="2 entries") as lost:
        store.swap("a", expected=expected, new=at(9))

    assert isinstance(lost.value, Refused)
    assert lost.value.code == "swap-lost"
    assert store.latest("a") == at(2)


def test_a_first_swap_that_expects_something_is_lost_and_leaves_no_row(store: CheckpointFile) -> None:
    with pytest.raises(SwapLost):
        store.swap("a", expected=at(1), new=at(2))

    assert store.latest("a") is None


@pytest.mark.parametrize("new", [at(1), at(2, b"other")], ids=["smaller", "beside"])
def test_a_swap_that_would_fork_the_log_is_never_done(store: CheckpointFile, new: Stored) -> None:
    store.swap("a", expected=None, new=at(2))

    with pytest.raises(InvariantBroken):
        store.swap("a", expected=at(2), new=new)


def test_the_same_checkpoint_may_get_more_signatures(store: CheckpointFile) -> None:
    store.swap("a", expected=None, new=at(2))
    store.swap("a", expected=at(2), new=replace(at(2), note=b"cosigned"))

    assert store.latest("a") == replace(at(2), note=b"cosigned")


def test_pins_and_checkpoints_do_not_disturb_each_other(store: CheckpointFile) -> None:
    store.pin("a", expected=None, policy_digest="p1", keys_digest="k1")
    store.swap("a", expected=None, new=at(1))
    store.pin("a", expected=store.latest("a"), policy_digest="p2", keys_digest="k2")
    store.swap("a", expected=at(1), new=at(2))

    assert store.latest("a") == replace(at(2), policy_digest="p2", keys_digest="k2")


def test_a_pin_from_anything_else_is_lost_and_changes_nothing(store: CheckpointFile) -> None:
    store.pin("a", expected=None, policy_digest="p1", keys_digest="k1")

    with pytest.raises(SwapLost, match="p1"):
        store.pin("a", expected=None, policy_digest="p2", keys_digest="k2")

    latest = store.latest("a")
    assert latest is not None
    assert latest.policy_digest == "p1"


def test_of_many_writers_at_once_exactly_one_wins_each_step(store: CheckpointFile) -> None:
    def attempt(number: int) -> bool:
        try:
            store.swap("a", expected=None, new=at(1, str(number).encode()))
        except SwapLost:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(attempt, range(16)))

    assert won.count(True) == 1
    assert store.latest("a") == at(1, str(won.index(True)).encode())


def test_the_pragmas_keep_all_in_one_file_at_rest(store: CheckpointFile, tmp_path: Path) -> None:
    store.swap("a", expected=None, new=at(1))

    assert [path.name for path in (tmp_path / "new").iterdir()] == ["checkpoints.db"]


def test_a_file_that_is_no_store_is_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    path.write_bytes(b"this is not a database, and it is long enough to be looked at as one" * 20)

    with pytest.raises(LocalFileError, match=r"checkpoints\.db"):
        CheckpointFile(path).latest("a")
    with pytest.raises(LocalFileError):
        CheckpointFile(path).swap("a", expected=None, new=at(1))


def test_a_store_in_a_folder_that_cannot_be_made_is_refused_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be")

    with pytest.raises(LocalFileError, match="state"):
        CheckpointFile(tmp_path / "state" / "checkpoints.db").swap("a", expected=None, new=at(1))


def test_a_store_whose_maker_was_killed_before_its_table_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.db"
    sqlite3.connect(path).close()
    path.touch()

    assert CheckpointFile(path).latest("a") is None
    CheckpointFile(path).swap("a", expected=None, new=at(1))
