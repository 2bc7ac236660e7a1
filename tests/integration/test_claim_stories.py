"""Generated weeks of three platforms: any order and cut ends with what the naive checker says."""

import os
from pathlib import Path
from random import Random

import pytest

from gateway.app.home import open_home
from tests.fakes.claims import PLATFORMS, counting, linked_home, seen, submit
from tests.fakes.homes import audited, require_accounted
from tests.fakes.naive_claims import Ride, naive_holding

STORIES = int(os.environ.get("TANQIAO_CLAIM_STORIES", "3"))
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
    names = _names(home, rides)
    pending = list(rides)
    random.shuffle(pending)
    while pending:
        platform = pending[0][0]
        mine = [one for one in pending if one[0] == platform][: random.randint(1, 12)]
        pending = [one for one in pending if one not in mine]
        require_accounted(submit(home, platform, [one[1] for one in mine], part_rows=part_rows).counts)

    expected = set()
    for person in PERSONS:
        theirs = {names[ride.name]: (platform, ride) for platform, _, ride, who in rides if who == person}
        held = naive_holding([ride._replace(name=name) for name, (_, ride) in theirs.items()], tolerance=60)
        expected |= {(theirs[name][0], theirs[name][1].name) for name in held}
    assert counting(home) == expected
    assert audited(home).differences == []


def _names(home: Path, rides: list[tuple[str, dict[str, str], Ride, str]]) -> dict[str, str]:
    """Return the keyed names of events: they decide between acts of the same time."""
    with open_home(home) as opened:
        index = opened.index()
        return {ride.name: index.event(platform, ride.name).hex() for platform, _, ride, _ in rides}


def test_parts_that_are_not_written_yet_are_compared_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = [linked_home(tmp_path / name, monkeypatch, PERSONS) for name in ("here", "beside")]
    rides = [row for _, row, _, _ in story(Random(5), 60)]
    for home, worker in zip(homes, (False, True), strict=True):
        monkeypatch.setenv("TANQIAO_STATE", str(home.parent / "state"))
        submit(home, PLATFORMS[0], rides, part_rows=5, worker=worker)

    found = []
    for home in homes:
        monkeypatch.setenv("TANQIAO_STATE", str(home.parent / "state"))
        found.append(len(counting(home)))
        assert audited(home).differences == []
    assert abs(found[0] - found[1]) <= 2  # acts of the same time may be told apart by another key
