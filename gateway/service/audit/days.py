"""Audit day statements: what they say must follow from the records.

How many persons stand behind erased records is known no longer. So where a day has some, whether a cell
had to be merged is checked within bounds; every sum is still exact.
"""

from gateway.errors import IntegrityBroken
from gateway.model.canonical import Json, canonical_bytes
from gateway.ports import DayClosed
from gateway.service.days import PERSONS_MIN, Cell, DayTotals, cell_document, day_statement, sums_document

__all__ = ["require_stated"]


def require_stated(body: dict[str, Json], closed: DayClosed, *, totals: DayTotals, issuer: str) -> None:
    """Check a day statement against the records it covers.

    Raises:
        IntegrityBroken: the records give something else.
    """
    found = day_statement(closed, totals, issuer=issuer, issued=str(body["issued"]))
    if canonical_bytes(found) == canonical_bytes(body):
        return
    erased = any(cell.erased for cell in totals.cells.values())
    if not erased or not _is_possible(body, found, totals=totals):
        raise IntegrityBroken("the records give other sums than were stated")


def _is_possible(body: dict[str, Json], found: dict[str, Json], *, totals: DayTotals) -> bool:
    """Tell whether some numbers of persons behind the erased records lead to this statement."""
    outside = ("cells", "merged", "withheld")
    if _without(body, outside) != _without(found, outside):
        return False
    stated = body["cells"] if isinstance(body["cells"], list) else []
    shown = [name for name, cell in sorted(totals.cells.items()) if cell_document(name, cell) in stated]
    if [cell_document(name, totals.cells[name]) for name in shown] != stated:
        return False
    rest = Cell()
    for name, cell in totals.cells.items():
        if name not in shown:
            rest.merge(cell)
    count = len(totals.cells) - len(shown)
    if any(totals.cells[name].persons_most < PERSONS_MIN for name in shown):
        return False
    if body.get("withheld"):
        return not shown and "merged" not in body and rest.persons_least < PERSONS_MIN
    if not count:
        return "merged" not in body
    return body.get("merged") == {"cells": count, **sums_document(rest)} and rest.persons_most >= PERSONS_MIN


def _without(body: dict[str, Json], members: tuple[str, ...]) -> dict[str, Json]:
    return {name: value for name, value in body.items() if name not in members}
