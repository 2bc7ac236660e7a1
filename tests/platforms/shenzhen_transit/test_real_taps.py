"""The real taps: every row accounted for once, and the figures that two programs agree on."""

from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from adapters.shenzhen_transit import ShenzhenTransitAdapter
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceFormat, SourceRow
from tests.platforms.cases import outcomes
from tests.platforms.shenzhen_transit.recompute import recompute
from tests.real_data import real_data

pytestmark = pytest.mark.real_data

PAGE14, FIRST10K, PAGE1 = "api_dump_page14.csv.gz", "api_dump_first10k.csv.gz", "api_page1.json"
ALL = (PAGE14, FIRST10K, PAGE1)
SMALL = 256 * 1024  # bytes in memory: the sort must go to disk


@pytest.fixture(scope="module")
def folder() -> Path:
    return real_data("shenzhen-transit-card")


@pytest.fixture(scope="module")
def everything(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    return read(folder, ALL, tmp_path_factory.mktemp("sort"))


def read(folder: Path, names: tuple[str, ...], scratch: Path) -> list[Outcome]:
    return outcomes(
        ShenzhenTransitAdapter(),
        [folder / name for name in names],
        source=SourceFormat(kind="csv"),
        scratch=scratch,
        memory=SMALL,
    )


def rides(found: list[Outcome], kind: str) -> list[SourceRow]:
    return [row for row in found if isinstance(row, SourceRow) and row.fields["kind"] == kind]


def test_every_row_is_accounted_for_exactly_once(everything: list[Outcome]) -> None:
    places = [place for outcome in everything for place in (outcome.place, *outcome.also)]

    expected = {Place(PAGE14, n) for n in range(1, 24_469)}
    expected |= {Place(FIRST10K, n) for n in range(1, 6_552)}
    expected |= {Place(PAGE1, n) for n in range(1, 71)}
    assert len(places) == 31_089
    assert set(places) == expected


@pytest.mark.parametrize(
    ("names", "trips", "countable"),
    [
        pytest.param((PAGE14,), 307, 51, id="page 14"),
        pytest.param((FIRST10K,), 247, 29, id="first 10,000"),
        pytest.param((PAGE1,), 6, 0, id="JSON page"),
        pytest.param((PAGE14, FIRST10K), 564, 89, id="both tables"),
        pytest.param(ALL, 564, 89, id="all three"),
    ],
)
def test_rides_are_as_many_as_the_recount_says(
    folder: Path, tmp_path: Path, *, names: tuple[str, ...], trips: int, countable: int
) -> None:
    found = read(folder, names, tmp_path)
    recounted = recompute(folder / name for name in names)

    metro = rides(found, "metro")
    above = [row for row in metro if 300 <= int(row.fields["full_fare_fen"]) <= 1100]
    assert (len(metro), len(above)) == (trips, countable)
    assert (recounted.trips, recounted.countable) == (trips, countable)
    assert recounted.rows == sum(1 + len(outcome.also) for outcome in found)
    assert recounted.bus_rides == len(rides(found, "bus"))


def test_all_taps_of_the_page_join_the_tables(everything: list[Outcome]) -> None:
    repeated = [outcome for outcome in everything if isinstance(outcome, RepeatedRow)]

    assert Counter((row.place.file, row.first.file) for row in repeated) == {(PAGE1, FIRST10K): 70}
    assert not [row for row in everything if isinstance(row, RefusedRow) and row.code != "unpaired"]


def test_ten_rides_span_both_tables_and_last_longest(everything: list[Outcome]) -> None:
    """They are why 564 is more than 307 + 247: entries before 06:42, exits after 11:14."""
    spanning = [row for row in rides(everything, "metro") if row.also[0].file != row.place.file]

    assert len(spanning) == 10
    assert all(row.fields["start_time"] < "2018-09-01 06:42" for row in spanning)
    assert all(row.fields["exit_time"] > "2018-09-01 11:14" for row in spanning)


def test_order_of_the_arguments_changes_nothing(
    folder: Path, tmp_path: Path, everything: list[Outcome]
) -> None:
    for names in permutations(ALL):
        assert read(folder, names, tmp_path) == everything


def test_sums_of_the_recount_are_known(folder: Path) -> None:
    """54 rides of 3 CNY, 11 of 4, 15 of 5, 5 of 6, 1 of 7, 2 of 8 and 1 of 9, times 46.7 g/km."""
    km = 54 * 4 + 11 * 8 + 15 * 12 + 5 * 18 + 24 + 2 * 32 + 40

    totals = recompute(folder / name for name in ALL)

    assert totals.co2e_mg == km * 46_700
    assert totals.taps == 31_019
