"""Close a day: publish what a platform's acts of that day add up to, without telling who did what.

A cell (behaviour, mapping) of fewer than ten persons is merged with others until ten are together;
when a whole day has fewer, its sums are withheld. What comes later goes into a numbered supplement.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from gateway.claims import CLOSE_DAYS
from gateway.errors import Refused, UsageError
from gateway.model.canonical import Json
from gateway.model.statement import DAY_TYPE
from gateway.ports import ClaimState, ClaimStore, Clock, DayClosed, Journal, PrivateRow, RecordFiles
from gateway.service.moments import instant_text
from gateway.signing import Signer, seal

__all__ = [
    "PERSONS_MIN",
    "UNREADABLE",
    "Cell",
    "Closing",
    "DayTotals",
    "cell_document",
    "close_day",
    "day_statement",
    "sums_document",
    "totals_of",
]

PERSONS_MIN: Final = 10
_REASONS: Final = {ClaimState.SET_OFF: "already-claimed", ClaimState.WITHDRAWN: "withdrawn"}
UNREADABLE: Final = "unreadable"  # stands for the day of rejected rows that have no readable day


@dataclass(slots=True)
class Cell:
    """What the acts of one behaviour under one mapping add up to."""

    count: int = 0
    co2e_mg: int = 0
    points: int = 0
    persons: set[bytes] = field(default_factory=set)
    erased: int = 0

    @property
    def persons_least(self) -> int:
        """Return how many persons there are at least: all erased records may be one person's."""
        return len(self.persons) + bool(self.erased)

    @property
    def persons_most(self) -> int:
        """Return how many persons there are at most: each erased record may be another person's."""
        return len(self.persons) + self.erased

    def add(self, row: PrivateRow) -> None:
        """Add one record."""
        self.count += 1
        self.co2e_mg += row.co2e_mg
        self.points += row.points
        if row.person is None:
            self.erased += 1
        else:
            self.persons.add(row.person)

    def merge(self, other: "Cell") -> None:
        """Add another cell."""
        self.count += other.count
        self.co2e_mg += other.co2e_mg
        self.points += other.points
        self.persons |= other.persons
        self.erased += other.erased


@dataclass(slots=True)
class DayTotals:
    """The cells of one day, the roots of the batches they come from, and what was rejected."""

    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)


def totals_of(closed: DayClosed, *, journal: Journal, records: RecordFiles, stated: bool) -> DayTotals:
    """Add up a day as far as one statement covers it; ``stated``: the statement has been made already."""
    totals = DayTotals()
    for batch in journal.batches():
        if batch.platform != closed.platform or not closed.after < batch.number <= closed.through:
            continue
        files = [file for file in journal.files(batch.number) if file.day == closed.day]
        if files:
            totals.roots.append(batch.root.hex())
        for file in files:
            for row in _counting(records.read(file), totals, claims=journal.claims):
                totals.cells.setdefault((row.behaviour, row.mapping), Cell()).add(row)
    day = None if closed.day == UNREADABLE else closed.day
    supplement = closed.supplement if stated else None
    for code, count in journal.rejected(closed.platform, day, supplement=supplement).items():
        totals.rejected[code] = totals.rejected.get(code, 0) + count
    return totals


def _counting(rows: Sequence[PrivateRow], totals: DayTotals, *, claims: ClaimStore) -> Iterator[PrivateRow]:
    """Yield the records that count; the others are added to what was rejected, by their reason."""
    states = claims.states(bytes.fromhex("".join([row.id for row in rows])))
    for row in rows:
        code = _REASONS.get(states.get(bytes.fromhex(row.id), ClaimState.HOLDS))
        if code is None:
            yield row
        else:
            totals.rejected[code] = totals.rejected.get(code, 0) + 1


def day_statement(closed: DayClosed, totals: DayTotals, *, issuer: str, issued: str) -> dict[str, Json]:
    """Return the body of a day statement with small cells merged or withheld."""
    open_cells, merged, merged_count = _suppress(totals.cells)
    body: dict[str, Json] = {
        "type": DAY_TYPE,
        "issuer": issuer,
        "platform": closed.platform,
        "day": closed.day,
        "supplement": closed.supplement,
        "batches": {"after": closed.after, "through": closed.through},
        "roots": list(totals.roots),
        "cells": [cell_document(name, cell) for name, cell in sorted(open_cells.items())],
        "rejected": _rejected(totals.rejected),
        "issued": issued,
    }
    if merged is not None and merged.persons_least >= PERSONS_MIN:
        body["merged"] = {"cells": merged_count, **sums_document(merged)}
    elif merged is not None:
        body["withheld"] = True
    return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What closing days needs; joined by ``gateway.app``."""

    issuer: str
    journal: Journal
    records: RecordFiles
    signers: Sequence[Signer]
    clock: Clock


def close_day(platform: str, day: str, *, parts: Closing) -> DayClosed:
    """Make and queue the next statement of a day (YYYY-MM-DD, or ``unreadable``); the caller publishes.

    Raises:
        Refused: the day may still change, or there is nothing new to state.
    """
    now = parts.clock.now()
    _require_over(day, now.date())
    batches = [batch for batch in parts.journal.batches() if batch.platform == platform]
    earlier = [closed for closed in parts.journal.days_closed(platform) if closed.day == day]
    closed = DayClosed(
        platform=platform,
        day=day,
        supplement=len(earlier),
        after=earlier[-1].through if earlier else -1,
        through=batches[-1].number if batches else -1,
        position=-1,
    )
    totals = totals_of(closed, journal=parts.journal, records=parts.records, stated=False)
    if not totals.cells and not totals.rejected:
        raise Refused(f"platform {platform} has nothing new for {day}", remedy="convert its files first")
    body = day_statement(closed, totals, issuer=parts.issuer, issued=instant_text(now))
    parts.journal.close_day(closed, seal(body, parts.signers))
    return closed


def _require_over(day: str, today: date) -> None:
    if day == UNREADABLE:
        return
    try:
        closes = date.fromisoformat(day) + timedelta(days=CLOSE_DAYS)
    except ValueError as error:
        raise UsageError(f"{day!r} is not a day", remedy="write it as 2025-03-16") from error
    if today < closes:
        raise Refused(f"{day} can be closed from {closes.isoformat()} on", remedy="wait until then")


def _suppress(cells: dict[tuple[str, str], Cell]) -> tuple[dict[tuple[str, str], Cell], Cell | None, int]:
    """Merge cells of fewer than ten persons, and the smallest others until ten are together."""
    order = sorted(cells, key=lambda name: (cells[name].persons_least, name))
    merged: Cell | None = None
    count = 0
    while order:
        small = cells[order[0]].persons_least < PERSONS_MIN
        pending = merged is not None and merged.persons_least < PERSONS_MIN
        if not small and not pending:
            break
        merged = merged or Cell()
        merged.merge(cells[order.pop(0)])
        count += 1
    return {name: cells[name] for name in order}, merged, count


def cell_document(name: tuple[str, str], cell: Cell) -> dict[str, Json]:
    """Return a cell (behaviour, mapping) as a statement writes it."""
    behaviour, mapping = name
    return {"behaviour": behaviour, "mapping": mapping, **sums_document(cell)}


def sums_document(cell: Cell) -> dict[str, Json]:
    """Return the sums of a cell as a statement writes them."""
    return {"count": cell.count, "co2e_mg": str(cell.co2e_mg), "points": str(cell.points)}


def _rejected(rejected: dict[str, int]) -> list[Json]:
    """List rejected rows by reason; reasons of fewer than ten rows stand together as ``other``."""
    shown: Counter[str] = Counter()
    for code, count in rejected.items():
        shown[code if count >= PERSONS_MIN else "other"] += count
    return [{"code": code, "count": count} for code, count in sorted(shown.items()) if count >= PERSONS_MIN]
