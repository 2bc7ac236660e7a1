"""Sorted runs: what was written is found, what was not is not, and merging changes nothing of either."""

import stat
from bisect import bisect_left
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import create_engine, text

from gateway.errors import IntegrityBroken
from gateway.store.files import keyed as keyed_files
from gateway.store.files import sorted_runs
from gateway.store.files.keyed import KeyedFiles
from gateway.store.files.sorted_runs import Run, entries_of, merged, write_run
from gateway.store.journal.decisions import SqlJournal
from gateway.store.sql.database import Database
from tests.fakes.revisions import at_revision

WIDTH = 8


def key(number: int) -> bytes:
    """Make a key that lies anywhere."""
    return sha256(number.to_bytes(8, "big")).digest()[:16]


def value(number: int) -> bytes:
    return number.to_bytes(WIDTH, "little")


def make_run(path: Path, pairs: dict[bytes, bytes]) -> Run:
    """Write pairs of key and value as a run."""
    entries = entries_of(b"".join(pairs), b"".join(pairs.values()), width=WIDTH)
    written = write_run(path, iter((entries,)), width=WIDTH)
    assert written.rows == len(pairs)
    return Run(path, written.rows, width=WIDTH)


def found_in(run: Run, keys: list[bytes]) -> dict[bytes, bytes]:
    wanted = entries_of(b"".join(keys), bytes(WIDTH * len(keys)), width=WIDTH)
    asked, entries = run.find(wanted)
    names = [keys_of(wanted[one]) for one in asked]
    assert [keys_of(entry) for entry in entries] == names
    return dict(zip(names, entries["value"].tolist(), strict=True))


def keys_of(entry: sorted_runs.Entries) -> bytes:
    return int(entry["high"]).to_bytes(8, "big") + int(entry["low"]).to_bytes(8, "big")


@pytest.mark.parametrize("piece_bytes", [100, 1 << 26], ids=["in pieces", "at once"])
@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 1000, 20_000])
def test_every_key_of_a_run_is_found_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, piece_bytes: int
) -> None:
    monkeypatch.setattr(sorted_runs, "PIECE_BYTES", piece_bytes)
    pairs = {key(number): value(number) for number in range(count)}
    others = [key(number) for number in range(count, 2 * count + 100)]

    run = make_run(tmp_path / "a.run", pairs)

    assert found_in(run, [*others, *pairs]) == pairs


def test_keys_at_the_ends_and_with_equal_halves_are_told_apart(tmp_path: Path) -> None:
    halves = [bytes(8), b"\xff" * 8, b"\x80" + bytes(7), bytes(7) + b"\x01"]
    keys = [high + low for high in halves for low in halves]
    pairs = {name: value(number) for number, name in enumerate(keys[::2])}

    run = make_run(tmp_path / "a.run", pairs)

    assert found_in(run, keys) == pairs


def wanted_of(*halves: tuple[int, int]) -> sorted_runs.Entries:
    keys = b"".join(high.to_bytes(8, "big") + low.to_bytes(8, "big") for high, low in halves)
    return sorted_runs.keys_of(keys, width=WIDTH)


@pytest.mark.parametrize("count", range(1, 18))
def test_a_key_has_its_place_before_all_that_are_not_before_it(tmp_path: Path, count: int) -> None:
    keys = [(7, 2 * number) for number in range(count)]
    run = make_run(tmp_path / "a.run", {keys_of(one): value(0) for one in wanted_of(*keys)})
    asked = [(6, 99), *((7, low) for low in range(2 * count)), (8, 0)]

    found = sorted_runs.place_in(run.entries, wanted_of(*asked))

    assert found.tolist() == [bisect_left(keys, one) for one in asked]


@pytest.mark.parametrize(
    ("halves", "order"),
    [
        ([(7, 2), (7, 1)], [1, 0]),
        ([(7, 3), (2, 9), (7, 1), (7, 2), (2, 4), (7, 1)], [4, 1, 2, 5, 3, 0]),
    ],
)
def test_keys_of_one_upper_half_are_sorted_by_the_lower(
    halves: list[tuple[int, int]], order: list[int]
) -> None:
    keys = b"".join(high.to_bytes(8, "big") + low.to_bytes(8, "big") for high, low in halves)

    found = entries_of(keys, b"".join(map(value, range(len(halves)))), width=WIDTH)

    assert [(int(one["high"]), int(one["low"])) for one in found] == sorted(halves)
    assert [one["value"].item() for one in found] == [value(number) for number in order]


@pytest.mark.parametrize("slice_entries", [3, 9, 1000], ids=["larger than a slice", "a slice", "smaller"])
def test_all_keys_of_an_upper_half_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slice_entries: int
) -> None:
    monkeypatch.setattr(sorted_runs, "SLICE_ENTRIES", slice_entries)
    keys = [(0, 5), (1, 0), (1, 7), (1, 9), (4, 2), (6, 1), (6, 2), (2**63, 3), (2**64 - 2, 8)]
    run = make_run(tmp_path / "a.run", {keys_of(one): value(0) for one in wanted_of(*keys)})

    for highs in ([], [0], [1], [1, 6], [0, 1, 4, 6, 2**63, 2**64 - 2], [2, 3], [0, 5, 6, 7, 2**64 - 2]):
        places, which = run.places_under(np.array(highs, np.uint64))

        expected = [
            (place, of) for of, high in enumerate(highs) for place, one in enumerate(keys) if one[0] == high
        ]
        assert list(zip(places.tolist(), which.tolist(), strict=True)) == expected


def test_a_key_beyond_the_last_is_not_found_though_the_filter_lets_it_through(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a.run", {keys_of(wanted_of((5, 9))[0]): value(1)})

    asked, entries = run.find(wanted_of((6, 9), (4, 9), (5, 9)))

    assert (asked.tolist(), entries["value"].tolist()) == ([2], [value(1)])


@pytest.mark.parametrize("slice_words", [1, 4, 32, 1 << 17])
def test_a_run_is_written_as_it_always_was_and_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slice_words: int
) -> None:
    monkeypatch.setattr(sorted_runs, "SLICE_WORDS", slice_words)
    run = make_run(tmp_path / "a.run", {key(number): value(number) for number in range(100)})

    run.require_digest("644acc98e3fa3269156d2e9ce2f4c6723858b228bbcdce6c698fab0abf010952")
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("count", "words"), [(1, 2), (3, 2), (4, 2), (7, 2), (8, 4), (15, 4), (16, 8), (100, 32)]
)
def test_a_filter_has_a_word_for_every_few_keys(tmp_path: Path, count: int, words: int) -> None:
    run = make_run(tmp_path / "a.run", {key(number): value(number) for number in range(count)})

    assert run.path.stat().st_size == count * (16 + WIDTH) + 8 * words


def test_a_filter_turns_nearly_all_absent_keys_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "a.run", {key(number): value(0) for number in range(10_000)})
    asked: list[int] = []
    place_in = sorted_runs.place_in

    def counted(entries: sorted_runs.Entries, wanted: sorted_runs.Entries) -> NDArray[np.int64]:
        asked.append(len(wanted))
        return place_in(entries, wanted)

    monkeypatch.setattr(sorted_runs, "place_in", counted)
    found_in(run, [key(number) for number in range(10_000, 20_000)])

    assert asked[0] < 300


def test_merging_keeps_the_first_value_of_each_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_runs, "SLICE_ENTRIES", 100)
    chance = Random(5)
    maps = [{key(chance.randrange(900)): value(1000 * number + n) for n in range(400)} for number in range(4)]
    runs = [make_run(tmp_path / f"{number}.run", pairs) for number, pairs in enumerate(maps)]
    expected: dict[bytes, bytes] = {}
    for pairs in reversed(maps):
        expected.update(pairs)

    slices = list(merged(runs, width=WIDTH))
    written = write_run(tmp_path / "m.run", iter(slices), width=WIDTH)

    assert len(slices) > 5
    assert max(map(len, slices)) < 200
    one = Run(tmp_path / "m.run", written.rows, width=WIDTH)
    one.require_digest(written.digest)
    assert [keys_of(entry) for entry in one.entries] == sorted(expected)
    assert found_in(one, [key(number) for number in range(2000)]) == expected


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeyedFiles]:
    database = Database(tmp_path / "a.db")
    yield KeyedFiles(database, "some", width=WIDTH)
    database.close()


def note(files: KeyedFiles, pairs: dict[bytes, bytes]) -> None:
    """Write pairs as one decision does."""
    staged = files.stage(b"".join(pairs), b"".join(pairs.values()))
    with files._database.write() as connection:
        files.adopt(connection, staged)
    files.tidy()


def listed(folder: Path) -> int:
    return len(list((folder / "index").iterdir()))


def test_many_decisions_make_few_files_and_the_latest_value_stands(kept: KeyedFiles, tmp_path: Path) -> None:
    chance = Random(7)
    expected: dict[bytes, bytes] = {}
    for number in range(200):
        pairs = {key(chance.randrange(500)): value(100 * number + n) for n in range(10)}
        expected.update(pairs)
        note(kept, pairs)

    assert kept.find(b"".join(key(number) for number in range(600))) == expected
    assert dict(kept.items()) == expected
    assert kept.count() == len(expected)
    assert listed(tmp_path) <= 3 * keyed_files.FANOUT
    kept.require_whole()


def test_compacting_leaves_one_file_and_nothing_of_replaced_values(kept: KeyedFiles, tmp_path: Path) -> None:
    note(kept, {key(1): b"replaced"})
    note(kept, {key(1): b"stands..", key(2): b"two....."})

    kept.compact()

    assert dict(kept.items()) == {key(1): b"stands..", key(2): b"two....."}
    [file] = (tmp_path / "index").iterdir()
    assert b"replaced" not in file.read_bytes()


def test_a_staged_run_that_was_never_adopted_is_swept_away(kept: KeyedFiles, tmp_path: Path) -> None:
    note(kept, {key(1): value(1)})
    kept.stage(key(2), value(2))
    (tmp_path / "index" / "some-0.run.half").write_bytes(b"half")

    kept.sweep()

    assert listed(tmp_path) == 1
    assert kept.find(key(1) + key(2)) == {key(1): value(1)}


def test_nothing_is_staged_of_nothing_and_nothing_is_found_of_it(kept: KeyedFiles) -> None:
    assert kept.stage(b"", b"") is None
    assert kept.find(b"") == {}
    assert (kept.count(), list(kept.items())) == (0, [])


def test_a_run_that_another_process_has_merged_away_is_looked_up_anew(kept: KeyedFiles) -> None:
    reader = KeyedFiles(kept._database, "some", width=WIDTH)
    for number in range(2 * keyed_files.FANOUT):
        note(kept, {key(number): value(number)})
        assert reader.find(key(number)) == {key(number): value(number)}


def test_a_missing_cut_or_changed_run_is_named(kept: KeyedFiles, tmp_path: Path) -> None:
    note(kept, {key(1): value(1)})
    [path] = (tmp_path / "index").iterdir()
    data = path.read_bytes()
    for changed in (data[:-1], b"", data + b"x"):
        path.write_bytes(changed)
        with pytest.raises(IntegrityBroken, match=path.name):
            KeyedFiles(kept._database, "some", width=WIDTH).find(key(1))

    path.write_bytes(data[:-1] + b"\x7f")
    with pytest.raises(IntegrityBroken, match=path.name):
        kept.require_whole()

    path.unlink()
    with pytest.raises(IntegrityBroken, match=path.name):
        KeyedFiles(kept._database, "some", width=WIDTH).find(key(1))


def test_a_home_of_the_first_tables_keeps_its_events_and_caps(tmp_path: Path) -> None:
    with at_revision(create_engine(f"sqlite:///{tmp_path}/a.db"), "0001") as connection:
        for statement in (
            "INSERT INTO events VALUES (:one, :content, 3, 70000)",
            "INSERT INTO cap_usage VALUES (:two, 5000000000)",
        ):
            connection.execute(text(statement), {"one": key(1), "two": key(2), "content": b"content."})

    database = Database(tmp_path / "a.db")
    journal = SqlJournal(database)

    assert journal.known_events([key(1), key(2)]) == {key(1): (b"content.", 3, 70000)}
    assert dict(journal.all_cap_usage()) == {key(2): 5_000_000_000}
    journal.require_index()
    database.close()


def test_many_equal_halves_are_put_in_order_and_equal_keys_keep_theirs() -> None:
    chance = Random(5)
    keys = [bytes(7) + bytes([chance.randrange(40)]) + chance.randbytes(1) * 8 for _ in range(3000)]
    values = [value(number) for number in range(len(keys))]

    entries = entries_of(b"".join(keys), b"".join(values), width=WIDTH)

    expected = sorted(zip(keys, values, strict=True), key=lambda pair: pair[0])
    assert [(keys_of(entry), entry["value"].tobytes()) for entry in entries] == expected


@pytest.mark.parametrize("bits", [64, 20], ids=["any halves", "halves that differ in their last bits alone"])
def test_keys_that_share_a_half_stand_in_order_and_equal_ones_as_they_came(bits: int) -> None:
    chance = Random(bits)
    keys = [
        chance.randrange(9).to_bytes(8, "big") + chance.randrange(1 << bits).to_bytes(8, "big")
        for _ in range(500)
    ]
    keys += keys[:100]
    made = entries_of(b"".join(keys), b"".join(map(value, range(len(keys)))), width=WIDTH)
    kept = sorted_runs.without_repetitions(made)

    assert [int.from_bytes(one, "little") for one in made["value"].tolist()] == sorted(
        range(len(keys)), key=keys.__getitem__
    )
    assert list(map(keys_of, kept)) == sorted(set(keys))
    assert {int.from_bytes(one, "little") for one in kept["value"].tolist()} == {
        keys.index(name) for name in set(keys)
    }
