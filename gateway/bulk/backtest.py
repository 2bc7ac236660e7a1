"""Two versions over stored records, batch after batch: what each act would count under either.

Acts of a city repeat: what is evaluated are the distinct inputs, by the column kernel, and all else is
done on whole columns. Memory does not grow with the number of records.
"""

from datetime import date, datetime
from functools import cache
from itertools import count
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gateway.bulk.coding import Coded, coded, coded_names
from gateway.bulk.granting import Book, Granted, Granting
from gateway.bulk.restating import Restating, Results
from gateway.bulk.tally import Batch, Tally
from gateway.convert import Program, Refusal
from gateway.convert.fast import CompiledBlock

__all__ = ["COLUMNS", "Backtest"]

COLUMNS: Final = (
    "leaf_index", "day", "behaviour", "inputs", "co2e_mg", "points_uncapped", "person", "household",
)  # fmt: skip
REMEMBERED_MAX: Final = 1 << 18  # results of inputs; a city's distances repeat, a flood of others stays flat

Ints = npt.NDArray[np.int64]
_decode = msgspec.json.Decoder(dict[str, dict[str, str]]).decode
_Kind = tuple[str, int, int]
"""Behaviour, and the first days of the rules that hold for it in the old and in the new version."""


class Backtest:
    """Holds two versions against stored records; ``tally`` has what came of it."""

    def __init__(self, old: Program, new: Program, *, books: tuple[Book, Book]) -> None:
        self._sides = (Restating(old), Restating(new))
        self._granting = tuple(
            Granting(program, book) for program, book in zip((old, new), books, strict=True)
        )
        self._results = (Results(), Results())
        self._known: dict[_Kind, dict[str, int]] = {}
        self.tally = Tally()

    def add(self, table: pa.Table, accepted: datetime) -> None:
        """Take the records of one batch, in the order of their leaves."""
        day, behaviour, inputs = (coded(table[name]) for name in ("day", "behaviour", "inputs"))
        ordinals = [date.fromisoformat(text).toordinal() for text in day.words]
        kinds, kind_of = self._kinds(behaviour, day, ordinals=ordinals)
        combined = kind_of * len(inputs.words) + inputs.places
        seen = np.zeros((len(kinds), len(inputs.words)), dtype=np.bool_)
        seen.reshape(-1)[combined] = True
        where = np.zeros(seen.shape, dtype=np.int64)
        self._forget()
        for number, (kind, ordinal) in enumerate(kinds):
            distinct = np.flatnonzero(seen[number])
            texts = [inputs.words[place] for place in distinct.tolist()]
            where[number, distinct] = self._places(kind, texts, day=ordinal)
        places = where.reshape(-1)[combined]
        batch = Batch(day, behaviour, ordinals, cache(lambda name: coded_names(table[name])), accepted)
        old, new = (
            granting.grant(results, places, batch=batch)
            for granting, results in zip(self._granting, self._results, strict=True)
        )
        self.tally.add(batch, old, new=new)
        self._compare_stored(table, old)
        self._count_shifted(ordinals, day.places)

    def _kinds(
        self, behaviours: Coded, days: Coded, *, ordinals: list[int]
    ) -> tuple[list[tuple[_Kind, int]], npt.NDArray[np.int64]]:
        """Give a number to each set of rules that rows fall under, with a day on which it holds."""
        numbers: dict[_Kind, int] = {}
        found: list[tuple[_Kind, int]] = []
        table = np.zeros((len(behaviours.words), len(ordinals)), dtype=np.int64)
        present = np.unique(behaviours.places * len(ordinals) + days.places)
        for one in present.tolist():
            behaviour, day = divmod(one, len(ordinals))
            firsts = [_first(side.rules(behaviours.words[behaviour], ordinals[day])) for side in self._sides]
            kind = (behaviours.words[behaviour], firsts[0], firsts[1])
            if kind not in numbers:
                numbers[kind] = len(found)
                found.append((kind, ordinals[day]))
            table[behaviour, day] = numbers[kind]
        return found, table[behaviours.places, days.places]

    def _forget(self) -> None:
        """Begin anew where too many results would be remembered."""
        if len(self._results[0].rows) > REMEMBERED_MAX:
            self._known.clear()
            self._results = (Results(), Results())

    def _places(self, kind: _Kind, texts: list[str], *, day: int) -> list[int]:
        """Return where the results for inputs stand; what was seen before is not computed again."""
        known = self._known.setdefault(kind, {})
        found = list(map(known.get, texts))
        if None in found:
            missing = [text for text, place in zip(texts, found, strict=True) if place is None]
            known.update(zip(missing, count(len(self._results[0].rows))))
            stated = [_decode(text) for text in missing]
            for side, results in zip(self._sides, self._results, strict=True):
                results.extend(side.restate(side.rules(kind[0], day), stated))
            return [known[text] for text in texts]
        return found  # type: ignore[return-value]  # there is no None

    def _compare_stored(self, table: pa.Table, old: Granted) -> None:
        """Count the records whose stored quantities are not those of the old version."""
        mg, points = (table[name].to_numpy() for name in ("co2e_mg", "points_uncapped"))
        self.tally.stored_differ += int(np.count_nonzero((mg != old.co2e_mg) | (points != old.points)))

    def _count_shifted(self, ordinals: list[int], day_of: npt.NDArray[np.intp]) -> None:
        counts = np.bincount(day_of, minlength=len(ordinals))
        for place, side in enumerate(self._sides):
            outside = [not side.covers(day) for day in ordinals]
            self.tally.shifted[place] += int(counts[outside].sum())


def _first(made: CompiledBlock | Refusal) -> int:
    return -1 if isinstance(made, Refusal) else made.block.first
