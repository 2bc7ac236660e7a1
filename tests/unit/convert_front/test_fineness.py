"""The bits that are reckoned for the denominators of a step's exact values are never too few."""

import random

import pytest

from gateway.convert.checking.fineness import fineness
from gateway.convert.interpret import Interpreter
from gateway.convert.outcome import Converted
from gateway.convert.program import Program
from gateway.convert.roles import Roles, SourceReader
from gateway.resources import schema
from tests.fakes.random_mappings import random_program
from tests.fakes.random_rows import RowMaker


def reckoned(program: Program, behaviour: str) -> dict[str, int]:
    """Reckon the bits of each step, as the checks do."""
    found: dict[str, int] = {}
    earlier: dict[str, int] = {}
    for step in program.formula.steps:
        found[step.name] = fineness(
            step.expr[behaviour], program.formula, behaviour=behaviour, earlier=earlier
        )
        scale = None if step.rounding is None else step.rounding.scale
        earlier[step.name] = found[step.name] if scale is None else (10**scale).bit_length()
    return found


@pytest.mark.parametrize("seed", range(4))
def test_no_exact_value_of_a_random_mapping_is_finer_than_reckoned(seed: int) -> None:
    rng = random.Random(seed)
    seen = 0
    for _ in range(25):
        program = random_program(rng, schema("mapping"))
        reader, interpreter = SourceReader(program), Interpreter(program)
        bits = {behaviour: reckoned(program, behaviour) for behaviour in program.behaviours}
        for row in RowMaker(program, rng).rows(40):
            roles, found = reader.read(row), interpreter.convert(row)
            if isinstance(roles, Roles) and isinstance(found, Converted):
                for step in found.trace:
                    seen += 1
                    assert (step.exact.denominator - 1).bit_length() <= bits[roles.behaviour][step.name]

    assert seen
