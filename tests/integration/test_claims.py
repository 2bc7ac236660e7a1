"""One act counts once, however many platforms saw it, in whatever order and cut they send it."""

from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from tests.fakes.claims import DAWN, NOON, PLATFORMS, counting, linked_home, seen, submit
from tests.fakes.homes import audited, make_home, require_accounted

A, B, C = PLATFORMS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return linked_home(tmp_path, monkeypatch)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_one_ride_of_three_platforms_counts_once(home: Path, order: tuple[int, ...]) -> None:
    rides = [
        (A, seen("a-1", "an", 30, 60, km="8.0")),
        (B, seen("b-1", "an", 29.5, 59, km="8.3")),
        (C, seen("c-1", "an", 31, 62, km="8.1")),
    ]
    for number in order:
        counts = submit(home, rides[number][0], [rides[number][1]]).counts
        require_accounted(counts)

    assert counting(home) == {(B, "b-1")}
    assert audited(home).differences == []


def test_two_rides_five_minutes_apart_both_count(home: Path) -> None:
    submit(home, A, [seen("a-1", "an", 0, 20)])
    counts = submit(home, B, [seen("b-1", "an", 25, 40)]).counts

    assert counts.accepted == 1
    assert counting(home) == {(A, "a-1"), (B, "b-1")}


def test_a_refused_act_names_the_rule_and_its_own_record_only(home: Path) -> None:
    submit(home, A, [seen("a-1", "an", 0, 20)])
    summary = submit(home, B, [seen("b-1", "an", 1, 20), seen("b-2", "an", 60, 90)])

    assert (summary.counts.accepted, dict(summary.counts.rejected)) == (1, {"already-claimed": 1})
    (line,) = [
        text
        for path in (home / "quarantine").rglob("*.ndjson")
        for text in path.read_text("utf-8").splitlines()
    ]
    assert '"code":"already-claimed"' in line
    assert "a-1" not in line
    assert A not in line


def test_who_is_not_linked_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_home(tmp_path, monkeypatch)
    submit(home, A, [seen("a-1", "an", 0, 20)])
    submit(home, B, [seen("b-1", "an", 0, 20)])

    assert counting(home) == {(A, "a-1"), (B, "b-1")}


def test_a_late_act_of_who_is_known_at_several_platforms_is_refused(home: Path) -> None:
    counts = submit(home, A, [seen("a-1", "an", 0, 20)], now=DAWN + timedelta(days=3)).counts

    assert dict(counts.rejected) == {"late": 1}
    assert counting(home) == set()


def test_a_day_is_open_until_the_third_day_after_it_begins(home: Path) -> None:
    last = DAWN.replace(hour=23, minute=59, second=59) + timedelta(days=2)
    submit(home, A, [seen("a-1", "an", 0, 20)])

    assert submit(home, B, [seen("b-1", "an", -1, 20)], now=last).counts.accepted == 1
    assert counting(home) == {(B, "b-1")}


def test_after_the_close_no_time_is_left_and_nothing_changes(home: Path) -> None:
    submit(home, A, [seen("a-1", "an", 0, 20), seen("a-2", "an", 40, 50)])
    submit(home, B, [seen("b-1", "an", 0, 20)])
    before = counting(home)
    submit(home, C, [seen("c-1", "an", -1, 20)], now=NOON + timedelta(days=3))

    assert counting(home) == before
    assert not list((home / "index").glob("claims-*"))
    assert audited(home).differences == []
