"""Stored inputs read again by the rules of a version: also by rules under which they were not recorded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from gateway.bulk.kernel import fits, run_block
from gateway.convert import Converted, FastEvaluator, Program, Refusal
from gateway.convert.fast import CompiledBlock
from gateway.convert.program import Field
from gateway.convert.scalars import DecimalReader
from gateway.model.codes import Rejection

__all__ = ["Restated", "Restating", "Results"]

Stated = Mapping[str, Mapping[str, str]]
"""Inputs as a record states them: name to value and unit."""


class Restated(NamedTuple):
    """What a version gives for stored inputs; ``refused`` is the code of its refusal, or empty."""

    co2e_mg: int
    points: int
    points_num: int
    points_den: int
    refused: str


class Results:
    """Results that many rows share, also as columns; ``refused`` are places in ``words``, where 0 is none."""

    def __init__(self) -> None:
        self.rows: list[Restated] = []
        self.words: list[str] = [""]
        self.co2e_mg, self.points, self.refused = (np.empty(0, dtype=np.int64) for _ in range(3))

    def extend(self, rows: Sequence[Restated]) -> None:
        """Add results, which stand behind those before."""
        self.words += {row.refused for row in rows} - set(self.words)
        codes = {word: code for code, word in enumerate(self.words)}
        self.rows += rows
        self.co2e_mg = np.append(self.co2e_mg, np.array([row.co2e_mg for row in rows], dtype=np.int64))
        self.points = np.append(self.points, np.array([row.points for row in rows], dtype=np.int64))
        self.refused = np.append(self.refused, np.array([codes[row.refused] for row in rows], dtype=np.int64))


class Restating:
    """Gives what one version makes of stored acts, as if it had been in force on their day.

    An act of a day that the version does not cover is taken to be of the nearest day that it covers.
    """

    def __init__(self, program: Program) -> None:
        self._evaluator = FastEvaluator(program)
        fields = {field.name: field for field in program.source.fields}
        self._readers = {
            behaviour: {name: _reader(fields[name], program) for name in names}
            for behaviour, names in program.formula.needs.items()
        }
        last = program.effective_until
        self._first = program.effective_from.toordinal()
        self._last = 0 if last is None else last.toordinal() - 1

    def covers(self, day: int) -> bool:
        """Tell whether the version itself covers a day."""
        return self._nearest(day) == day

    def rules(self, behaviour: str, day: int) -> CompiledBlock | Refusal:
        """Return the rules for a behaviour on a day, or on the nearest one that is covered."""
        return self._evaluator.block_on(behaviour, self._nearest(day))

    def restate(self, made: CompiledBlock | Refusal, stated: Sequence[Stated]) -> list[Restated]:
        """Return what the rules give for each of some inputs."""
        if isinstance(made, Refusal):
            return [_refused(made)] * len(stated)
        names = tuple(made.block.inputs)
        readers = [self._readers[made.block.behaviour][name] for name in names]
        read = [
            [reader(one.get(name)) for name, reader in zip(names, readers, strict=True)] for one in stated
        ]
        refusals = [next((value for value in row if isinstance(value, Refusal)), None) for row in read]
        results = iter(
            _run(made, names, rows=[row for row, no in zip(read, refusals, strict=True) if no is None])
        )
        return [next(results) if no is None else _refused(no) for no in refusals]

    def _nearest(self, day: int) -> int:
        return max(self._first, min(day, self._last) if self._last else day)


def _run(made: CompiledBlock, names: tuple[str, ...], *, rows: list[list[int | Refusal]]) -> list[Restated]:
    """Run the rules over columns where the numbers fit 64 bits, else act by act."""
    if not fits(made.block):
        done = [made.plain(dict(zip(names, row, strict=True))) for row in rows]  # type: ignore[arg-type]  # no refusal is left
        return [_of_outcome(one) for one in done]
    columns = {
        name: np.array([row[place] for row in rows], dtype=np.int64) for place, name in enumerate(names)
    }
    finished = run_block(made.block, columns, count=len(rows), traced=False)
    found = {row: _refused(refusal) for row, refusal in finished.refusals.items()}
    numbers = zip(
        finished.co2e_mg.tolist(),
        finished.points.tolist(),
        finished.points_num.tolist(),
        finished.points_den.tolist(),
        strict=True,
    )
    found |= {row: Restated(*four, "") for row, four in zip(finished.rows.tolist(), numbers, strict=True)}
    return [found[row] for row in range(len(rows))]


def _of_outcome(outcome: Converted | Refusal) -> Restated:
    if isinstance(outcome, Refusal):
        return _refused(outcome)
    return Restated(outcome.co2e_mg, outcome.points, *outcome.points_exact, "")


def _refused(refusal: Refusal) -> Restated:
    return Restated(0, 0, 0, 1, refusal.code.value)


_Reader = Callable[[Mapping[str, str] | None], int | Refusal]
_ABSENT: Final = "expected an input that the record states"


def _reader(field: Field, program: Program) -> _Reader:
    """Return what reads one input from a record; a constant of the version needs none."""
    spec = program.formula.inputs[field.name]
    missing = Refusal(Rejection.MISSING_FIELD, field.name, _ABSENT)
    unknown = Refusal(Rejection.UNKNOWN_CODE, field.name, _ABSENT)
    if spec.classes is not None:
        classes = {name: place for place, name in enumerate(spec.classes)}
        table = program.source.code_tables[field.code_table or ""]
        fixed = next((row.value for row in table if row.code == field.constant), "")

        def read_class(stated: Mapping[str, str] | None) -> int | Refusal:
            if field.constant is not None:
                return classes[fixed]
            return missing if stated is None else classes.get(stated["value"], unknown)

        return read_class
    decimal = DecimalReader(field)

    def read(stated: Mapping[str, str] | None) -> int | Refusal:
        if field.constant is not None:
            return decimal(field.constant)
        if stated is None or stated["unit"] != spec.unit:
            return missing
        text = stated["value"]  # written with all decimals of the version that recorded it
        return decimal(text.rstrip("0").rstrip(".") if "." in text else text)

    return read
