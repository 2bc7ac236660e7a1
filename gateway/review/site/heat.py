"""The disparity of cities as a heat map: a row for each standard act, a column for each platform."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from gateway.convert.explain import exact_text
from gateway.review.basket import StandardAct
from gateway.review.compare import Cell, spread

__all__ = ["Heat", "HeatRow", "Spot", "heat_of"]

STEPS: Final = (Fraction(5, 4), Fraction(2), Fraction(3), Fraction(5))
"""How many times the least value of its act a value must be, to be shown darker."""


class Spot(NamedTuple):
    """A value of a cell with its shade, from 0 for the least value of the act; None without a value."""

    cell: Cell
    shade: int | None
    grams: str
    points: str


class HeatRow(NamedTuple):
    """One act: what each platform gives, and how many times the least value the greatest is."""

    act: StandardAct
    spots: list[list[Spot]]
    spread: str


class Heat(NamedTuple):
    """The whole map."""

    platforms: list[str]
    rows: list[HeatRow]


def heat_of(cells: Sequence[Cell]) -> Heat:
    """Arrange cells by act and platform; acts that no mapping counts are left out."""
    platforms = sorted({cell.platform for cell in cells})
    rows = []
    for act in dict.fromkeys(cell.act.name for cell in cells):
        ours = [cell for cell in cells if cell.act.name == act]
        if any(cell.counted for cell in ours):
            least = min((cell.grams for cell in ours if cell.grams and cell.alike), default=None)
            spots = [[_spot(cell, least) for cell in ours if cell.platform == one] for one in platforms]
            rows.append(HeatRow(ours[0].act, spots, spread(ours)))
    return Heat(platforms, rows)


def _spot(cell: Cell, least: Fraction | None) -> Spot:
    shade = None
    if cell.grams and least and cell.alike:
        shade = sum(1 for step in STEPS if cell.grams / least >= step)
    return Spot(cell, shade, _text(cell.grams), _text(cell.points))


def _text(value: Fraction | None) -> str:
    return "" if value is None else exact_text(value)
