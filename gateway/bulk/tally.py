"""Adding up what two versions give: exact sums and quantiles, by behaviour and by day."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.bulk.coding import Coded, CodedNames

__all__ = ["PEOPLE_MIN", "Batch", "Granted", "Sums", "Tally"]

PEOPLE_MIN: Final = 10  # of fewer, sums could tell what somebody did
EXACT: Final = 1 << 53  # below this every integer is a float of its own, so that a sum of floats is exact

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.intp]


class Batch(NamedTuple):
    """What records of one batch say, but their inputs.

    ``ordinals`` are the days as numbers. ``whose`` gives the persons or households, which not every mapping
    asks for.
    """

    day: Coded
    behaviour: Coded
    ordinals: list[int]
    whose: Callable[[str], CodedNames]
    accepted: datetime

    @property
    def rows(self) -> int:
        """Return how many records there are."""
        return len(self.day.places)


class Granted(NamedTuple):
    """What one version gives for each row: zero where ``ok`` is not set, for the reason ``words[refused]``.

    ``cuts`` has for each cap how many rows it cut, and how many points these lost.
    """

    co2e_mg: Ints
    points: Ints
    granted: Ints
    ok: npt.NDArray[np.bool_]
    words: list[str]
    refused: Ints
    cuts: dict[str, list[int]]


@dataclass(slots=True)
class Sums:
    """What some records add up to; pairs are of the old and of the new version.

    ``people`` holds the persons that were seen, as long as they are fewer than may be told of.
    """

    records: int = 0
    counted: list[int] = field(default_factory=lambda: [0, 0])
    changed: int = 0
    co2e_mg: list[int] = field(default_factory=lambda: [0, 0])
    points: list[int] = field(default_factory=lambda: [0, 0])
    people: set[bytes] = field(default_factory=set)

    @property
    def few(self) -> bool:
        """Tell whether these are records of too few people to be told of."""
        return len(self.people) < PEOPLE_MIN

    def add(self, other: "Sums") -> None:
        """Add up with the records of another group."""
        self.records += other.records
        self.changed += other.changed
        for mine, theirs in zip(self._pairs(), other._pairs(), strict=True):
            mine[:] = [mine[0] + theirs[0], mine[1] + theirs[1]]
        self.people |= other.people

    def _pairs(self) -> tuple[list[int], ...]:
        return self.counted, self.co2e_mg, self.points


@dataclass(slots=True)
class Tally:
    """What came of a backtest, added up batch after batch."""

    total: Sums = field(default_factory=Sums)
    gained: int = 0
    lost: int = 0
    refused: list[Counter[str]] = field(default_factory=lambda: [Counter(), Counter()])
    behaviours: dict[str, Sums] = field(default_factory=dict)
    days: dict[str, Sums] = field(default_factory=dict)
    caps: list[dict[str, list[int]]] = field(default_factory=lambda: [{}, {}])
    co2e_changes: Counter[int] = field(default_factory=Counter)
    points_changes: Counter[int] = field(default_factory=Counter)
    shifted: list[int] = field(default_factory=lambda: [0, 0])
    stored_differ: int = 0

    def add(self, batch: Batch, old: Granted, *, new: Granted) -> None:
        """Add a batch."""
        differs = (old.ok != new.ok) | (old.co2e_mg != new.co2e_mg) | (old.granted != new.granted)
        self.gained += int(np.count_nonzero(~old.ok & new.ok))
        self.lost += int(np.count_nonzero(old.ok & ~new.ok))
        for place, side in enumerate((old, new)):
            counts = np.bincount(side.refused, minlength=len(side.words)).tolist()
            self.refused[place].update(
                {word: n for word, n in zip(side.words, counts, strict=True) if word and n}
            )
            for cap, (rows, points) in side.cuts.items():
                cut = self.caps[place].setdefault(cap, [0, 0])
                cut[:] = [cut[0] + rows, cut[1] + points]
        self.co2e_changes.update(_counted(new.co2e_mg - old.co2e_mg))
        self.points_changes.update(_counted(new.granted - old.granted))
        everything = np.zeros(batch.rows, dtype=np.intp)
        for groups, words, codes in (
            (self.behaviours, batch.behaviour.words, batch.behaviour.places),
            (self.days, batch.day.words, batch.day.places),
            ({"": self.total}, [""], everything),
        ):
            _add_groups(groups, words, codes=codes, batch=batch, columns=(old, new, differs))


def _add_groups(
    groups: dict[str, Sums],
    words: Sequence[str],
    *,
    codes: Codes,
    batch: Batch,
    columns: tuple[Granted, Granted, npt.NDArray[np.bool_]],
) -> None:
    old, new, differs = columns
    size = len(words)
    pairs = [
        [_by_group(column.astype(np.int64), codes, size=size) for column in both]
        for both in ((old.ok, new.ok), (old.co2e_mg, new.co2e_mg), (old.granted, new.granted))
    ]
    records = np.bincount(codes, minlength=size).tolist()
    changed = np.bincount(codes[differs], minlength=size).tolist()
    for place, word in enumerate(words):
        if not records[place]:
            continue
        sums = groups.setdefault(word, Sums())
        sums.add(
            Sums(
                records[place],
                [side[place] for side in pairs[0]],
                changed[place],
                [side[place] for side in pairs[1]],
                [side[place] for side in pairs[2]],
                _some_people(batch, np.flatnonzero(codes == place)) if sums.few else set(),
            )
        )


def _some_people(batch: Batch, rows: Codes) -> set[bytes]:
    """Return persons of some rows, up to as many as may be told of."""
    found: set[bytes] = set()
    persons = batch.whose("person")
    for code in np.unique(persons.places[rows]).tolist():
        if code >= 0:
            found.add(persons.words[code].tobytes())
        if len(found) >= PEOPLE_MIN:
            break
    return found


def _by_group(values: Ints, codes: Codes, *, size: int) -> list[int]:
    """Add up integers by group, exactly: as floats where every partial sum is an integer that fits them."""
    if not len(values) or int(np.abs(values).max()) * len(values) < EXACT:
        return [int(total) for total in np.bincount(codes, weights=values, minlength=size)]
    totals = [0] * size
    for code, value in zip(codes.tolist(), values.tolist(), strict=True):
        totals[code] += value
    return totals


def _counted(values: Ints) -> dict[int, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
