"""Evaluate an act by another platform's rules, from what its record states of it.

An input is the same if it has the same name and unit: a distance in km is one everywhere. What is missing is
never guessed, and nothing is converted between units: then the act has no worth by those rules.
"""

from collections.abc import Mapping
from fractions import Fraction

from gateway.convert.fast import FastEvaluator
from gateway.convert.inputs import InputReader
from gateway.convert.outcome import Converted, Refusal, quoted
from gateway.convert.program import Field, Program
from gateway.model.codes import Rejection

__all__ = ["CarriedEvaluator", "Stated"]

Stated = Mapping[str, tuple[str, str]]
"""What a record states: the value and the unit of each input, by name."""

_CLASS = "class"  # what stands for a unit where an input is one of several classes


class CarriedEvaluator:
    """Evaluates records of other mappings by one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._evaluator = FastEvaluator(program)
        self._reader = InputReader(program)
        self._fields = {field.name: field for field in program.source.fields}

    def convert(self, behaviour: str, stated: Stated, *, day: int) -> Converted | Refusal:
        """Evaluate one act of a day (its ordinal number); a refusal says why these rules give nothing.

        What the program does with more decimals than it knows, it does here. How long the act took is not
        recorded, so limits of speed are not looked at.
        """
        refused = self._evaluator.block_on(behaviour, day)
        if isinstance(refused, Refusal):
            return refused
        row = self._row(behaviour, stated)
        inputs = row if isinstance(row, Refusal) else self._reader.read(row, behaviour)
        if isinstance(inputs, Refusal):
            return inputs
        return self._evaluator.convert_inputs(inputs, behaviour=behaviour, day=day)

    def _row(self, behaviour: str, stated: Stated) -> dict[str, str] | Refusal:
        """State the act in the columns of the program."""
        row: dict[str, str] = {}
        for name in self._program.formula.needs[behaviour]:
            field = self._fields[name]
            text = self._text(field, stated)
            if isinstance(text, Refusal):
                return text
            if field.constant is None:
                row[field.keys[0]] = text
        return row

    def _text(self, field: Field, stated: Stated) -> str | Refusal:
        if field.name not in stated:
            if field.constant is not None:
                return field.constant
            detail = f"expected {field.name}, which the record does not state"
            return Refusal(Rejection.MISSING_FIELD, field.name, detail)
        value, unit = stated[field.name]
        classes = self._program.formula.inputs[field.name].classes
        expected = field.unit if classes is None else _CLASS
        if unit != expected:
            detail = f"expected {field.name} in {expected}, the record states {quoted(unit)}"
            return Refusal(Rejection.QUANTITY_UNKNOWN, field.name, detail)
        if field.constant is not None and Fraction(value) != Fraction(field.constant):
            detail = f"expected {field.name} to be {field.constant}, the record states {quoted(value)}"
            return Refusal(Rejection.OUT_OF_BOUNDS, field.name, detail)
        if classes is None:
            return value
        rows = self._program.source.code_tables[field.code_table or ""]
        code = next((one.code for one in rows if one.value == value), None)
        if code is None:
            detail = f"expected a class of {field.name} that the rules know, not {quoted(value)}"
            return Refusal(Rejection.UNKNOWN_CODE, field.name, detail)
        return code
