"""Join the parts of comparing what cities give for standard acts."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Literal

from gateway.app.base.mappings import program_from_file, shipped_programs
from gateway.convert.explain import exact_text
from gateway.convert.wording import Lang
from gateway.resources import schema, shipped_basket
from gateway.review.basket import Basket, read_basket
from gateway.review.compare import Cell, compare_mappings
from gateway.review.plot import plot
from gateway.store.files.durable import write_durably
from gateway.store.files.inputs import read_small

__all__ = ["basket_from", "cells_of", "told_cells", "write_plot"]


def basket_from(path: Path | None) -> Basket:
    """Read a basket from a file, or the shipped one.

    Raises:
        MappingRefused: it breaks its schema; each finding with line and column.
    """
    text = shipped_basket() if path is None else read_small(path)
    return read_basket(text, schema("basket"), name="basket.yaml" if path is None else str(path))


def cells_of(
    mappings: Sequence[Path], *, basket: Path | None, on: date, which: Literal["in force", "all"]
) -> list[Cell]:
    """Ask shipped mappings, and documents beside them, for each standard act."""
    programs = [*shipped_programs(), *map(program_from_file, mappings)]
    distinct = {program.digest: program for program in programs}
    return compare_mappings(list(distinct.values()), basket_from(basket), on=on, which=which)


def told_cells(cells: Sequence[Cell], lang: Lang) -> list[dict[str, str]]:
    """Tell each cell in a row of texts; quantities are exact."""
    return [
        {
            "act": getattr(cell.act.title, lang),
            "platform": cell.platform,
            "mapping": cell.program.id if cell.program else "",
            "version": str(cell.program.version) if cell.program else "",
            "status": cell.program.status if cell.program else "",
            "grams": _text(cell.grams),
            "points": _text(cell.points),
            "taken_as": cell.basis,
            "counted_alike": "yes" if cell.counted and cell.alike else "no" if cell.counted else "",
            "why": getattr(cell.why, lang),
        }
        for cell in cells
    ]


def write_plot(path: Path, cells: Sequence[Cell], *, lang: Lang) -> None:
    """Write the bars of the cells as SVG."""
    write_durably(path, plot(cells, lang).encode())


def _text(value: Fraction | None) -> str:
    return "" if value is None else exact_text(value)
