"""The log on disk: what is published, what is proven, and which copies of a home may write."""

import shutil
from pathlib import Path

import pytest

from gateway.errors import IntegrityBroken, InvariantBroken, UsageError
from gateway.store.log.checkpoints import Stored, SwapLost
from gateway.store.log.tiles import HomeOlderThanCheckpoint, LogFolder, LogForked, NoSuchEntry
from gateway.transparency import (
    EntryTooLarge,
    LogFileAltered,
    leaf_hash,
    read_checkpoint,
    read_note,
    read_policy,
    read_proof,
    root_of,
    verify_consistency,
    verify_inclusion,
    verify_proof,
)
from tests.unit.store_log.logs import ORIGIN, SIGNER, copy_home, entries, files_of, log_in, store_in

POLICY = read_policy(f"log {SIGNER.key}\nquorum none\n".encode())


def test_a_new_log_is_empty_and_sound(tmp_path: Path) -> None:
    log = log_in(tmp_path)

    log.recover()
    log.check()

    assert log.size == 0
    assert log.checkpoint == b""
    assert list(log.entries(0)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("steps", [[1], [256], [1, 1, 1], [255, 1], [200, 100, 300], [257, 255, 513]])
def test_appended_entries_come_back_in_order_with_proofs(tmp_path: Path, steps: list[int]) -> None:
    log = log_in(tmp_path)
    for step in steps:
        before = log.size
        appended = log.append(entries(before + step, before))
        assert appended.first_index == before
        assert appended.checkpoint_note == log.checkpoint
    size = sum(steps)
    reader = log_in(tmp_path)

    assert list(reader.entries(0)) == entries(size)
    assert list(reader.entries(size - 1)) == entries(size)[-1:]
    assert read_checkpoint(read_note(log.checkpoint).text).root_hash == root_of(map(leaf_hash, entries(size)))
    for index in {0, size // 2, size - 1}:
        assert reader.entry(index) == entries(size)[index]
        proof = read_proof(reader.proof_text(index))
        assert verify_proof(proof, entries(size)[index], policy=POLICY).tree_size == size
    reader.check()


def test_proofs_at_earlier_sizes_verify(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(300))
    roots = {size: root_of(map(leaf_hash, entries(size))) for size in (0, 1, 256, 257, 300)}

    for size in (1, 256, 257, 300):
        verify_inclusion(leaf_hash(b"entry 0"), log.inclusion(0, size), index=0, size=size, root=roots[size])
        for old in (old for old in roots if old <= size):
            proof = log.consistency(old, size)
            verify_consistency(proof, old_size=old, old_root=roots[old], size=size, root=roots[size])
    assert log.inclusion(7) == log.inclusion(7, 300)
    assert log.consistency(7) == log.consistency(7, 300)


def test_the_folder_holds_the_files_of_the_specification_and_nothing_else(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(250))
    log.append(entries(257, 250))
    found = [path.relative_to(tmp_path / "home" / "log").as_posix() for path in files_of(tmp_path)]

    assert found == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/1",
    ]
    assert list((tmp_path / "home" / "staging").iterdir()) == []


def test_partial_tiles_of_earlier_checkpoints_stay_until_the_full_one_has_come(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    partial = tmp_path / "home" / "log" / "tile" / "0" / "000.p"
    log.append(entries(3))
    log.append(entries(5, 3))
    assert sorted(path.name for path in partial.iterdir()) == ["3", "5"]
    log.check()

    log.append(entries(256, 5))

    assert not partial.exists()


def test_full_tiles_never_change(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(600))
    full = {
        path: (path.read_bytes(), path.stat().st_ino) for path in files_of(tmp_path) if ".p" not in str(path)
    }
    del full[tmp_path / "home" / "log" / "checkpoint"]

    log.append(entries(1_000, 600))

    assert {path: (path.read_bytes(), path.stat().st_ino) for path in full} == full


def test_nothing_to_append_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        log_in(tmp_path).append([])


def test_an_entry_that_is_too_large_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(EntryTooLarge):
        log_in(tmp_path).append([b"small", bytes(65_536)])

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("index", [-1, 3, 10**9])
def test_an_entry_that_the_log_does_not_have_is_refused(tmp_path: Path, index: int) -> None:
    log = log_in(tmp_path)
    log.append(entries(3))

    for ask in (log.entry, log.inclusion, log.proof_text):
        with pytest.raises(NoSuchEntry, match="3 entries") as refused:
            ask(index)
        assert refused.value.code == "no-such-entry"


def test_a_signer_that_signs_another_text_is_noticed_before_the_swap(tmp_path: Path) -> None:
    wrong = log_in(tmp_path)
    wrong.append(entries(1))
    note = wrong.checkpoint
    log = LogFolder(
        tmp_path / "home" / "log",
        origin=ORIGIN,
        staging=tmp_path / "home" / "staging",
        store=store_in(tmp_path),
        sign_checkpoint=lambda _: note,
    )

    with pytest.raises(InvariantBroken):
        log.append([b"more"])

    wrong.check()
    assert wrong.size == 1


def test_an_older_home_put_back_may_not_write_nor_pass_the_check(tmp_path: Path) -> None:
    log_in(tmp_path).append(entries(3))
    copy_home(tmp_path, "backup")
    log_in(tmp_path).append(entries(5, 3))
    shutil.rmtree(tmp_path / "home")
    (tmp_path / "backup").rename(tmp_path / "home")
    before = {path: path.read_bytes() for path in files_of(tmp_path)}
    old = log_in(tmp_path)

    for attempt in (old.recover, old.check, lambda: old.append([b"x"])):
        with pytest.raises(HomeOlderThanCheckpoint, match="5 entries") as refused:
            attempt()

    assert isinstance(refused.value, IntegrityBroken)
    assert refused.value.code == "home-older-than-checkpoint"
    assert {path: path.read_bytes() for path in files_of(tmp_path)} == before


def test_an_emptied_log_is_older_than_its_checkpoint(tmp_path: Path) -> None:
    log_in(tmp_path).append(entries(3))
    shutil.rmtree(tmp_path / "home")

    with pytest.raises(HomeOlderThanCheckpoint):
        log_in(tmp_path).append([b"x"])


def test_a_log_ahead_of_or_beside_the_checkpoint_store_may_not_write(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    log_in(first).append(entries(3))
    log_in(second).append([b"another", b"log"])
    shutil.rmtree(second / "home")
    shutil.copytree(first / "home", second / "home")
    with pytest.raises(LogForked, match="3") as ahead:
        log_in(second).append([b"x"])

    log_in(second, home="fresh")
    store_in(second).swap(ORIGIN, expected=store_in(second).latest(ORIGIN), new=_third(tmp_path))
    with pytest.raises(LogForked):
        log_in(second).append([b"x"])

    assert ahead.value.code == "log-forked"
    shutil.rmtree(second / "state")
    with pytest.raises(LogForked):
        log_in(second).recover()


def _third(root: Path) -> Stored:
    log_in(root / "third").append([b"x", b"y", b"z"])
    stored = store_in(root / "third").latest(ORIGIN)
    assert stored is not None
    return stored


def test_a_copy_of_the_home_loses_the_swap_before_it_touches_a_tile(tmp_path: Path) -> None:
    log_in(tmp_path).append(entries(3))
    copy_home(tmp_path, "copy")
    before = {path: path.read_bytes() for path in files_of(tmp_path, "copy")}

    def other_is_faster(step: str) -> None:
        if step == "staged":
            log_in(tmp_path).append([b"from the first home"])

    with pytest.raises(SwapLost):
        log_in(tmp_path, home="copy", after_step=other_is_faster).append([b"from the copy"])

    assert {path: path.read_bytes() for path in files_of(tmp_path, "copy")} == before
    with pytest.raises(HomeOlderThanCheckpoint):
        log_in(tmp_path, home="copy").recover()
    log_in(tmp_path).check()


def test_a_tile_that_is_there_with_other_bytes_is_not_overwritten(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(3))
    foreign = tmp_path / "home" / "log" / "tile" / "0" / "000.p" / "4"
    foreign.write_bytes(b"something else")

    with pytest.raises(LogFileAltered, match=r"tile/0/000\.p/4"):
        log.append([b"x"])

    assert foreign.read_bytes() == b"something else"
    foreign.unlink()
    log.recover()
    log.check()
    assert log.size == 4


@pytest.mark.parametrize("size", [1, 3, 258])
def test_every_altered_byte_is_found_by_the_check_and_its_file_named(tmp_path: Path, size: int) -> None:
    log = log_in(tmp_path)
    log.append(entries(size - 1 or 1))
    if size > 1:
        log.append(entries(size, size - 1))
    for path in list(files_of(tmp_path)):
        name = path.relative_to(tmp_path / "home" / "log").as_posix()
        data = path.read_bytes()
        step = 1 if len(data) < 400 else 173
        for at in {*range(0, len(data), step), len(data) - 1}:
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            with pytest.raises(IntegrityBroken) as found:
                log_in(tmp_path).check()
            assert name in str(found.value) or name == "checkpoint"
        for content in (b"", data[:-1], data + b"\0"):
            path.write_bytes(content)
            with pytest.raises(IntegrityBroken) as found:
                log_in(tmp_path).check()
            assert name in str(found.value) or name == "checkpoint"
        path.unlink()
        is_older = ".p/" in name and int(name.rsplit("/", 1)[1]) == (size - 1) % 256 and size > 1
        if not is_older:
            with pytest.raises(IntegrityBroken):
                log_in(tmp_path).check()
        path.write_bytes(data)
    log_in(tmp_path).check()


@pytest.mark.parametrize(
    "name",
    ["index.html", "tile/0/001", "tile/0/000.p/9", "tile/1/000.p/1", "tile/5/000", "tile/0/000.p/3.half"],
)
def test_a_stray_file_is_found_by_the_check(tmp_path: Path, name: str) -> None:
    log = log_in(tmp_path)
    log.append(entries(5))
    log.append(entries(8, 5))
    stray = tmp_path / "home" / "log" / name
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes((tmp_path / "home" / "log" / "tile/0/000.p/8").read_bytes())

    with pytest.raises(LogFileAltered, match=name.replace(".", r"\.")):
        log.check()


def test_a_bundle_and_its_tile_altered_together_are_found(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(300))
    folder = tmp_path / "home" / "log" / "tile"
    bundle, tile = (folder / "entries" / "000"), (folder / "0" / "000")
    bundle.write_bytes(bundle.read_bytes().replace(b"entry 0", b"entry X"))
    tile.write_bytes(leaf_hash(b"entry X") + tile.read_bytes()[32:])

    with pytest.raises(LogFileAltered, match="tile/0/000"):
        log_in(tmp_path).check()
    with pytest.raises(LogFileAltered):
        log_in(tmp_path).entry(0)


def test_reading_refuses_an_altered_entry(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(3))
    bundle = tmp_path / "home" / "log" / "tile" / "entries" / "000.p" / "3"
    bundle.write_bytes(bundle.read_bytes().replace(b"entry 1", b"entry 2"))

    with pytest.raises(LogFileAltered):
        log.entry(0)
    with pytest.raises(LogFileAltered):
        log.append([b"x"])


def test_a_checkpoint_of_another_log_is_refused(tmp_path: Path) -> None:
    log_in(tmp_path).append(entries(3))
    path = tmp_path / "home" / "log" / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"log.example", b"gol.example"))

    with pytest.raises(LogFileAltered, match=r"gol\.example"):
        log_in(tmp_path).size  # noqa: B018 - reading is the act under test


def test_pins_made_before_the_first_entry_and_after_it_stay(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.pin(ORIGIN, expected=None, policy_digest="p1", keys_digest="k1")
    log = log_in(tmp_path)
    log.append(entries(2))
    store.pin(ORIGIN, expected=store.latest(ORIGIN), policy_digest="p2", keys_digest="k2")
    log.append(entries(4, 2))

    latest = store.latest(ORIGIN)

    assert latest is not None
    assert (latest.size, latest.policy_digest, latest.keys_digest) == (4, "p2", "k2")
    assert latest.note == log.checkpoint
