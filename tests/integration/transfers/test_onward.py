"""What has arrived moves on, to a third city or back: it carries what was recognised, and nobody gains."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from gateway.service.transfers.quoting import MadeQuote, TransferRefused
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id
from tests.fakes.ends import require_same_ends
from tests.fakes.serving import audited_once_free

pytestmark = pytest.mark.xdist_group("transfers")
THIRD = "yuewan"  # 93.3 g for a cycled km, between the two others; points of 10 g


@pytest.fixture(scope="module")
def between(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    with (
        pytest.MonkeyPatch.context() as patch,
        between_cities(
            tmp_path_factory.mktemp("onward"), patch, names=(SOURCE, DESTINATION, THIRD), minimum_mg="1"
        ) as made,
        made.carried(),
    ):
        yield made


@pytest.fixture(autouse=True)
def _same_ends(between: Between) -> Iterator[None]:
    yield
    require_same_ends(between.home, list(between.cities.values()))


def carried(between: Between, made: MadeQuote, *, person: int = 1) -> dict[str, Any]:
    """Start a move and wait for its end."""
    name = transfer_id()
    between.start(made, name=name, person=person)
    return between.until(name, "committed", "aborted")


def moved(between: Between, points: int | None, **wish: Any) -> MadeQuote:
    """Move points, which has to come about; where a busy machine took too long it is tried again."""
    while True:
        made = between.quote(points, **wish)
        shown = carried(between, made, person=wish.get("person", 1))
        if shown.get("reason") != "timed-out":
            assert (shown["state"], shown.get("reason", "")) == ("committed", ""), shown.get("detail")
            return made


def records(made: MadeQuote) -> list[str]:
    return [lot.record for lot in made.quote.lots]


def test_what_arrived_goes_on_at_its_recognised_amount(between: Between) -> None:
    """A third city that counts more for the act than the second recognises what the second did, no more."""
    first = moved(between, 400)
    onward = between.quote(None, source=DESTINATION, destination=THIRD, records=records(first))
    before = between.points(DESTINATION), between.points(THIRD)
    shown = carried(between, onward)
    after = between.points(DESTINATION), between.points(THIRD)

    assert shown["state"] == "committed"
    amounts = onward.quote.amounts
    assert (before[0] - after[0], after[1] - before[1]) == (amounts.points_out, amounts.points_in)
    assert amounts.points_out == first.quote.amounts.points_in
    assert all(lot.lot and lot.rates.startswith("1 ") for lot in onward.quote.lots)
    assert amounts.unrecognised_mg == 0
    assert amounts.recognised_mg <= first.quote.amounts.recognised_mg
    assert "have come here by transfers" in " ".join(onward.explanation.en)


def test_an_end_of_life_is_carried_on_and_never_later(between: Between) -> None:
    """Points of the first city lapse after two years; those of the two others never do by themselves."""
    first = moved(between, 100)
    moved(between, None, source=DESTINATION, destination=THIRD, records=records(first))
    query = "SELECT valid_through FROM grants WHERE arrived <> '' AND record = ?"

    for lot in first.quote.lots:
        assert lot.expires == f"{int(lot.day[:4]) + 2}{lot.day[4:]}"
        for city in (DESTINATION, THIRD):
            assert set(between.cities[city].column(query, lot.record)) == {lot.expires}


def test_a_way_there_and_back_brings_no_more_than_was_there(between: Between) -> None:
    before = between.points(SOURCE, 2)
    first = moved(between, 300, person=2)
    back = moved(between, None, source=DESTINATION, records=records(first), person=2)
    again = moved(between, None, records=records(back), person=2)

    assert back.quote.amounts.points_in < first.quote.amounts.points_out
    assert between.points(SOURCE, 2) <= before
    assert again.quote.amounts.recognised_mg <= sum(
        lot.use.recognised_mg for lot in (*first.quote.lots, *back.quote.lots)
    )


def test_parts_that_came_apart_and_go_on_apart_come_to_what_the_whole_does(between: Between) -> None:
    """Three parts of a record arrive; then three others go on, whose borders are elsewhere."""
    record = max(between.quote(500, person=2).quote.lots, key=lambda lot: lot.use.points).record
    for points in (17, 31, 23):
        moved(between, points, records=[record], person=2)
    onward = {"source": DESTINATION, "destination": THIRD, "records": [record], "person": 2}
    whole = between.quote(None, **onward).quote.amounts
    parts = [
        moved(between, points, **onward) for points in (whole.points_out // 3, whole.points_out // 2, None)
    ]

    for name in ("points_out", "points_in", "used_mg", "recognised_mg"):
        assert sum(getattr(part.quote.amounts, name) for part in parts) == getattr(whole, name), name
    query = "SELECT DISTINCT arrived FROM parts JOIN grants ON taken = grants.number WHERE parts.record = ?"
    assert len(between.cities[DESTINATION].column(query, record)) == 3


def test_an_arrived_lot_moves_once(between: Between) -> None:
    first = moved(between, 60)
    onward = between.quote(None, source=DESTINATION, destination=THIRD, records=records(first))
    shown = [carried(between, onward) for _ in range(2)]

    assert [one["state"] for one in shown] == ["committed", "aborted"]
    assert shown[1]["reason"] in ("quote-differs", "lot-in-transit", "lot-spent")


def test_what_was_spent_where_it_arrived_does_not_move_on(between: Between) -> None:
    """Only the city knows what its residents buy: it refuses, and nothing has moved."""
    first = moved(between, 60)
    onward = between.quote(None, source=DESTINATION, destination=THIRD, records=records(first))
    city = between.cities[DESTINATION]
    left = "SELECT number FROM grants WHERE arrived <> '' AND left_points > 0 AND record = ?"
    spent = [number for record in records(first) for number in city.column(left, record)]
    spend = "UPDATE grants SET left_points = left_points + ? WHERE number = ?"
    before = between.points(THIRD)
    with closing(sqlite3.connect(city.folder / "city.db")) as db:
        with db:
            db.executemany(spend, [(-1, number) for number in spent])
        shown = carried(between, onward)
        with db:
            db.executemany(spend, [(1, number) for number in spent])

    assert (shown["reason"], shown["detail"]) == ("hold-refused", "lot-spent")
    assert between.points(THIRD) == before


def test_points_are_not_burned_for_none(between: Between) -> None:
    """A point of the second city is a gram, one of the third ten."""
    fresh = between.quote(2000).quote.lots[-1].record
    moved(between, 10, records=[fresh])

    with pytest.raises(TransferRefused) as refused:
        between.quote(3, source=DESTINATION, destination=THIRD, records=[fresh])
    assert refused.value.code == "below-minimum"


def test_an_audit_works_out_what_moved_on(between: Between) -> None:
    first = moved(between, 40)
    moved(between, None, source=DESTINATION, destination=THIRD, records=records(first))

    assert audited_once_free(between.home).differences == []
