"""Points move between two served cities: what arrives, what the books say, and what goes wrong."""

from collections.abc import Iterator

import pytest

from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id

pytestmark = pytest.mark.xdist_group("transfers")


@pytest.fixture(scope="module")
def between(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    with (
        pytest.MonkeyPatch.context() as patch,
        between_cities(tmp_path_factory.mktemp("moving"), patch) as made,
    ):
        yield made


def test_points_go_at_the_source_and_come_at_the_destination(between: Between) -> None:
    before = between.points(SOURCE), between.points(DESTINATION)
    made = between.quote(100)
    amounts = made.quote.amounts
    name = transfer_id()
    with between.carried():
        answer = between.start(made, name=name)
        shown = between.until(name, "committed", "aborted")

    assert answer["accepted"]
    assert shown["state"] == "committed"
    after = between.points(SOURCE), between.points(DESTINATION)
    assert (before[0] - after[0], after[1] - before[1]) == (amounts.points_out, amounts.points_in)
    (position,) = [one for one in between.positions() if one["platform"].endswith(SOURCE)]
    assert position["owed_mg"] == str(amounts.recognised_mg)
