"""The worked example of the quote is right in every digit, by fractions and by the gateway."""

from datetime import date
from fractions import Fraction
from typing import Final

import pytest

from gateway.app.base.mappings import Versions
from gateway.convert import CarriedEvaluator, Converted, Program
from gateway.recognition import UNUSED, Moved, Used, Value, Worth, mg_for_points, take
from tests.acceptance.documents import ROOT
from tests.acceptance.worked_quote import BEIJING, FACTOR, WUHAN, City, lines, steps

PAGE: Final = (ROOT / "docs/reference/quote.md").read_text("utf-8")
DAY: Final = date(2025, 3, 16).toordinal()


def test_every_line_of_the_page_is_what_fractions_give() -> None:
    for line in (line for table in lines() for line in table):
        assert line in PAGE.splitlines(), line


def version(mapping: str, number: int) -> Program:
    return next(program for program in Versions()(mapping) if program.version == number)


@pytest.mark.parametrize(
    ("program", "city"),
    [(version("cn-110000/maas/travel", 1), BEIJING), (version("cn-420100/wuhan/travel", 2), WUHAN)],
    ids=["Beijing", "Wuhan"],
)
def test_the_cities_figures_are_those_of_their_mappings(program: Program, city: City) -> None:
    stated = {"distance": ("10.574", "km")}

    found = CarriedEvaluator(program).convert("TRV-BIKE", stated, day=DAY)

    assert isinstance(found, Converted)
    assert (found.co2e_mg, found.points, Fraction(*found.points_exact)) == city


def test_the_gateway_gives_what_the_page_says() -> None:
    value, worth = Value(*BEIJING), Worth(WUHAN.mg, WUHAN.mg, WUHAN.exact, FACTOR)
    part = take(value, worth, part_mg=mg_for_points(value, UNUSED, points=1000))

    assert (part.used_mg, part.points, part.recognised_mg, part.exact, part.points_in) == steps(1000)
    used = Used(part.used_mg, part.points)
    moved = Moved(part.used_mg, part.recognised_mg, part.points_in)
    rest = take(value, worth, part_mg=mg_for_points(value, used, points=1823), used=used, moved=moved)
    whole = steps(2823)
    assert part.recognised_mg + rest.recognised_mg == whole.recognised_mg
    assert part.points_in + rest.points_in == whole.points_in
    assert part.exact + rest.exact == whole.exact
    assert rest.dust == whole.exact - whole.points_in
