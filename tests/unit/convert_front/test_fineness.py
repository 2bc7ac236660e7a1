"""The bits that are reckoned for the denominators of a step's exact values are never too few."""

import random
from fractions import Fraction

import pytest

from gateway.convert.checking.fineness import fineness
from gateway.convert.interpret import Interpreter
from gateway.convert.outcome import Converted
from gateway.convert.program import Binary, Call, Expr, Floor, MinMax, Name, Number, Program, Table
from gateway.convert.roles import Roles, SourceReader
from gateway.resources import schema
from tests.fakes.mappings import constant, decimal_field, make_program, make_table, step
from tests.fakes.random_mappings import random_program
from tests.fakes.random_rows import RowMaker


def reckoned(program: Program, behaviour: str) -> dict[str, int]:
    """Reckon the bits of each step, as the checks do."""
    found: dict[str, int] = {}
    earlier: dict[str, int] = {}
    for one in program.formula.steps:
        found[one.name] = fineness(one.expr[behaviour], program.formula, behaviour=behaviour, earlier=earlier)
        scale = None if one.rounding is None else one.rounding.scale
        earlier[one.name] = found[one.name] if scale is None else (10**scale).bit_length()
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


def bits(expr: Expr, *, table: Table | None = None, **earlier: int) -> int:
    """Reckon an expression over an input of five decimals and a factor that has figures for buses only."""
    figures = constant("per_bus", {"TRV-BUS": "0.125"}, by="behaviour")
    program = make_program(
        [step("points", Name("x"))],
        fields=(decimal_field("x", scale=5),),
        factors=(figures,),
        tables=() if table is None else (table,),
    )
    return fineness(expr, program.formula, behaviour="TRV-METRO", earlier=earlier)


X, EIGHTH, THREE = Name("x"), Number(Fraction(1, 8)), Number(Fraction(3))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        pytest.param(EIGHTH, 3, id="a literal has the bits of its denominator"),
        pytest.param(X, 17, id="an input those of its decimals"),
        pytest.param(Name("done"), 7, id="an earlier step what it was reckoned to have"),
        pytest.param(Name("nowhere"), 0, id="a name that was reported has none"),
        pytest.param(Name("per_bus"), 0, id="a factor without a figure for the act has none"),
        pytest.param(Floor(X), 0, id="a whole number has none"),
        pytest.param(MinMax("min", (X, EIGHTH)), 20, id="the least of two has those of both"),
        pytest.param(Binary("*", X, EIGHTH), 20, id="a product those of both"),
        pytest.param(Binary("/", X, THREE), 19, id="a quotient those of a literal turned over"),
        pytest.param(Binary("/", EIGHTH, X), 3 + 17 + 201, id="a quotient those of any value turned over"),
        pytest.param(Call("unknown", X), 17, id="a table that was reported adds none"),
    ],
)
def test_bits_are_reckoned_by_these_rules(expr: Expr, expected: int) -> None:
    assert bits(expr, done=7) == expected


@pytest.mark.parametrize(
    ("kind", "rows", "expected"),
    [
        ("step", [("0", "0.5"), ("0.25", "1")], 17 + 2 * 2),
        ("linear", [("0", "0.5"), ("0.25", "1")], 17 + 2 * 2 + 2 * 201),
        ("step", [], 17),
    ],
)
def test_a_table_adds_the_bits_of_its_figures_and_of_its_slopes(
    kind: str, rows: list[tuple[str, str]], expected: int
) -> None:
    assert bits(Call("t", X), table=make_table("t", kind, rows)) == expected
