"""Generated weeks of three platforms: any order and cut ends with what the naive checker says."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from gateway.app.base.home import open_home
from tests.fakes.claims import (
    DAWN,
    PLATFORMS,
    counting,
    linked_home,
    seen,
    submit,
    write_mapping,
    write_rides,
)
from tests.fakes.homes import audited, bytes_below, convert, require_accounted
from tests.fakes.naive_claims import Ride, naive_holding

STORIES = int(os.environ.get("TANQIAO_CLAIM_STORIES", "2"))
PERSONS = ("an", "bo", "che")


def story(random: Random, count: int) -> list[tuple[str, dict[str, str], Ride, str]]:
    """Make rides of some minutes: platform, row, what the checker is told, and whose it is."""
    made = []
    for number in range(count):
        platform, person = random.randrange(3), random.choice(PERSONS)
        start, minutes = random.randrange(0, 120), random.randrange(0, 20)
        event = f"e-{number}"
        row = seen(event, person, start, start + minutes)
        ride = Ride(event, "public", 1, 60 * start, 60 * (start + minutes), "abc"[platform])
        made.append((PLATFORMS[platform], row, ride, person))
    return made


@pytest.mark.parametrize("seed", range(STORIES))
@pytest.mark.parametrize("part_rows", [1, 3, 100])
def test_any_order_and_cut_ends_with_the_same_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, part_rows: int
) -> None:
    random = Random(seed)
    home = linked_home(tmp_path, monkeypatch, PERSONS)
    rides = story(random, 24)
    pending = list(rides)
    random.shuffle(pending)
    while pending:
        platform = pending[0][0]
        mine = [one for one in pending if one[0] == platform][: random.randint(1, 12)]
        pending = [one for one in pending if one not in mine]
        require_accounted(submit(home, platform, [one[1] for one in mine], part_rows=part_rows).counts)

    assert counting(home) == expected(home, rides)
    assert audited(home).differences == []


def expected(home: Path, rides: Sequence[tuple[str, dict[str, str], Ride, str]]) -> set[tuple[str, str]]:
    """Ask the naive checker, person by person; keyed names of events decide between acts of the same time."""
    with open_home(home) as opened:
        index = opened.index()
        names = {ride.name: index.event(platform, ride.name).hex() for platform, _, ride, _ in rides}
    found = set()
    for person in PERSONS:
        theirs = {names[ride.name]: (platform, ride) for platform, _, ride, who in rides if who == person}
        held = naive_holding([ride._replace(name=name) for name, (_, ride) in theirs.items()], tolerance=60)
        found |= {(theirs[name][0], theirs[name][1].name) for name in held}
    return found


def test_parts_that_are_not_written_yet_are_compared_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes finish parts while the next are judged."""
    home = linked_home(tmp_path, monkeypatch, PERSONS)
    rides = [(PLATFORMS[0], row, ride, who) for _, row, ride, who in story(Random(5), 60)]
    submit(home, PLATFORMS[0], [row for _, row, _, _ in rides], part_rows=5, worker=True)

    assert counting(home) == expected(home, rides)
    assert audited(home).differences == []


def test_a_dry_run_says_what_a_run_would_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = linked_home(tmp_path, monkeypatch, PERSONS)
    now = datetime.now(UTC)
    minutes = (now - DAWN).total_seconds() // 60 - 600  # the command has no clock to be given
    rows = [
        seen(f"e-{number}", "an", minutes + 7 * number, minutes + 7 * number + 10) for number in range(20)
    ]
    file = write_rides(tmp_path / "rides.ndjson", rows)
    mapping = write_mapping(tmp_path, PLATFORMS[0])
    before = bytes_below(home / "index", home / "records")
    would = convert(home, file, mapping=mapping, dry_run=True)

    assert bytes_below(home / "index", home / "records") == before
    assert convert(home, file, mapping=mapping) == would
    assert would.rejected == {"already-claimed": 10}
