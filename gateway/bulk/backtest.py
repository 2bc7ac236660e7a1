"""Two versions over stored records, batch after batch: what each act would count under either.

Acts of a city repeat: what is evaluated are the distinct inputs, by the column kernel, and all else is
done on whole columns. Memory does not grow with the number of records.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gateway.bulk.granting import Book, Granted, Granting
from gateway.bulk.restating import Restated, Restating
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


class _Codes(NamedTuple):
    """A column of repeating texts: the distinct ones, and which of them each row has."""

    words: list[Any]
    places: npt.NDArray[np.intp]


class Backtest:
    """Holds two versions against stored records; ``tally`` has what came of it."""

    def __init__(self, old: Program, new: Program, *, books: tuple[Book, Book]) -> None:
        self._sides = (Restating(old), Restating(new))
        self._granting = tuple(
            Granting(program, book) for program, book in zip((old, new), books, strict=True)
        )
        self._known: dict[tuple[_Kind, str], tuple[Restated, Restated]] = {}
        self._decoded: Callable[[str], dict[str, dict[str, str]]] = _decode
        self.tally = Tally()

    def add(self, table: pa.Table, accepted: datetime) -> None:
        """Take the records of one batch, in the order of their leaves."""
        days, behaviours = _codes(table["day"]), _codes(table["behaviour"])
        ordinals = [date.fromisoformat(day).toordinal() for day in days.words]
        inputs = _codes(table["inputs"])
        kinds, kind_of = self._kinds(behaviours, days, ordinals=ordinals)
        combined = kind_of * len(inputs.words) + inputs.places
        seen = np.zeros(len(kinds) * len(inputs.words), dtype=np.bool_)
        seen[combined] = True
        distinct = np.flatnonzero(seen)
        pairs = self._pairs(distinct.tolist(), kinds, texts=inputs.words)
        where = np.zeros(len(seen), dtype=np.int64)
        where[distinct] = np.arange(len(distinct))
        places = where[combined]
        persons, households = _codes(table["person"]), _codes(table["household"])
        batch = Batch(
            days=days.words,
            day_of=days.places,
            behaviours=behaviours.words,
            behaviour_of=behaviours.places,
            ordinals=ordinals,
            persons=persons.words,
            person_of=persons.places,
            households=households.words,
            household_of=households.places,
            accepted=accepted,
        )
        sides = [
            granting.grant([pair[side] for pair in pairs], places, batch=batch)
            for side, granting in enumerate(self._granting)
        ]
        self.tally.add(batch, sides[0], sides[1])
        self._compare_stored(table, sides[0])
        self._count_shifted(ordinals, days.places)

    def _kinds(
        self, behaviours: _Codes, days: _Codes, *, ordinals: list[int]
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

    def _pairs(
        self, distinct: list[int], kinds: list[tuple[_Kind, int]], *, texts: list[str]
    ) -> list[tuple[Restated, Restated]]:
        """Return what both versions give for each distinct act; what was seen before is remembered."""
        if len(self._known) > REMEMBERED_MAX:
            self._known.clear()
        keys = [(kinds[one // len(texts)], texts[one % len(texts)]) for one in distinct]
        missing: dict[tuple[_Kind, int], list[str]] = {}
        for (kind, day), text in keys:
            if (kind, text) not in self._known:
                missing.setdefault((kind, day), []).append(text)
        for (kind, day), new in missing.items():
            stated = [self._decoded(text) for text in new]
            sides = [side.restate(side.rules(kind[0], day), stated) for side in self._sides]
            for text, old_result, new_result in zip(new, *sides, strict=True):
                self._known[kind, text] = (old_result, new_result)
        return [self._known[kind, text] for (kind, _), text in keys]

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


def _codes(column: "pa.ChunkedArray[Any]") -> _Codes:
    """Return the distinct values of a column and where they stand; what is absent is one of them."""
    array: Any = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    words = array.dictionary.to_pylist()
    places = pc.fill_null(array.indices, len(words)).to_numpy()
    return _Codes([*words, None] if array.null_count else words, places.astype(np.intp))
