"""The disparity of cities as a heat map: a row for each platform, a column for each standard act."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from gateway.convert.explain import exact_text
from gateway.review.basket import StandardAct
from gateway.review.compare import NOT_MAPPED, Cell, spread

__all__ = ["Column", "Heat", "Spot", "heat_of"]

STEPS: Final = (Fraction(5, 4), Fraction(2), Fraction(3), Fraction(5))
"""How many times the least value of its act a value must be, to be shown darker."""


class Column(NamedTuple):
    """One act, and how many times the least value of it the greatest is."""

    act: StandardAct
    spread: str


class Spot(NamedTuple):
    """A cell with its shade, from 0 for the least value of the act; None without one that is alike."""

    cell: Cell
    shade: int | None
    grams: str
    points: str


class Heat(NamedTuple):
    """The whole map; ``silent`` are the platforms that count none of the acts.

    ``rows`` has for each platform the spots of each column; none where there is no rule for the act.
    """

    columns: list[Column]
    rows: dict[str, list[list[Spot]]]
    silent: list[str]


def heat_of(cells: Sequence[Cell]) -> Heat:
    """Arrange cells by platform and act; acts that no mapping counts are left out."""
    counted = [cell for cell in cells if cell.counted]
    acts = {cell.act.name: cell.act for cell in cells if cell.act.name in {one.act.name for one in counted}}
    columns = [
        Column(act, spread([cell for cell in cells if cell.act.name == name])) for name, act in acts.items()
    ]
    least = {name: min(_alike(cells, name), default=None) for name in acts}
    telling = sorted({cell.platform for cell in counted})
    rows = {
        platform: [
            [
                _spot(cell, least[name])
                for cell in cells
                if (cell.act.name, cell.platform) == (name, platform) and cell.why is not NOT_MAPPED
            ]
            for name in acts
        ]
        for platform in telling
    }
    return Heat(columns, rows, sorted({cell.platform for cell in cells} - set(telling)))


def _alike(cells: Sequence[Cell], name: str) -> list[Fraction]:
    return [cell.grams for cell in cells if cell.act.name == name and cell.grams and cell.alike]


def _spot(cell: Cell, least: Fraction | None) -> Spot:
    shade = None
    if cell.grams and least and cell.alike:
        shade = sum(1 for step in STEPS if cell.grams / least >= step)
    return Spot(cell, shade, _text(cell.grams), _text(cell.points))


def _text(value: Fraction | None) -> str:
    return "" if value is None else exact_text(value)
