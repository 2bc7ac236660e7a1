"""The generated code is small, safe against hostile names, and the same as the columns."""

import ast
from fractions import Fraction

import numpy as np
import pytest

from gateway.bulk.columns import ColumnEvaluator
from gateway.bulk.kernel import fits, run_block
from gateway.convert.fast import FastEvaluator
from gateway.convert.interpret import Interpreter
from gateway.convert.ir import Block, Const, Op, Outcome, Quotient, Round, StepForm, Var
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Binary, Expr, Name, Number, Program, RoundingMode
from gateway.convert.roles import Roles, SourceReader
from gateway.model.codes import Rejection
from tests.fakes.mappings import act, constant, decimal_field, make_program, step, yunxi

HOSTILE = (
    'x"]; import os; os.abort() #',
    "in_x",
    "__import__",
    "lambda",
    "里程\n    return 1",
    "inputs",
    "refusals",
    "t1",
)


def row_of(names: tuple[str, ...]) -> dict[str, str]:
    """Give every input its number."""
    return act(**{name: str(number) for number, name in enumerate(names, start=1)})


def hostile_program() -> Program:
    """Make a program whose inputs, factor and step are named to break out of generated code."""
    total: Expr = Name(HOSTILE[0])
    for name in HOSTILE[1:]:
        total = Binary("+", total, Name(name))
    middle = step('a"b\n', Binary("*", total, Name("f'); exit(")), mode="half_even")
    return make_program(
        [middle, step("points", Name('a"b\n'))],
        kind="engagement",
        fields=tuple(decimal_field(name) for name in HOSTILE),
        factors=(constant("f'); exit(", "2.5"),),
    )


def test_names_made_to_break_out_of_the_code_stay_data() -> None:
    program = hostile_program()
    fast, row = FastEvaluator(program), row_of(HOSTILE)
    roles = SourceReader(program).read(row)
    assert isinstance(roles, Roles)

    found = fast.convert_traced(row, roles)

    expected = Interpreter(program).convert(row)
    assert isinstance(found, Converted)
    assert isinstance(expected, Converted)
    assert found == expected._replace(touched=frozenset())
    assert found.points == 90
    assert "abort" not in fast.source
    assert "exit" not in fast.source


def test_the_generated_code_names_only_what_it_is_given() -> None:
    tree = ast.parse(FastEvaluator(hostile_program()).source + FastEvaluator(yunxi()).source)
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert called <= {
        "Converted",
        "lowest_terms",
        "step_traces",
        "bisect_right",
        "round_quotient",
        "min",
        "max",
    }
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr != "values"]
    assert not [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]


def test_the_example_becomes_two_integer_divisions() -> None:
    source = FastEvaluator(yunxi()).blocks["TRV-METRO"][0].source

    assert "step_reduction = ((in_distance * 17984) + 62) // 125\n" in source
    assert "step_points = step_reduction // 10000\n" in source


def test_an_act_outside_the_interval_is_not_in_force() -> None:
    program = yunxi()
    row = act(distance="1", start="2025-02-28T12:00:00+08:00")
    roles = SourceReader(program).read(row)
    assert isinstance(roles, Roles)

    found = FastEvaluator(program).convert(row, roles)

    assert isinstance(found, Refusal)
    assert found.code is Rejection.MAPPING_NOT_IN_FORCE
    assert FastEvaluator(program).convert_traced(row, roles) == found


MARCH = 739_326


@pytest.mark.parametrize(
    ("inputs", "behaviour", "day", "found"),
    [
        ({"distance": 10_186}, "TRV-METRO", MARCH, 1_465_480),
        ({"distance": 10_186, "steps": 7}, "TRV-METRO", MARCH + 120, 1_509_820),
        ({}, "TRV-METRO", MARCH, Rejection.MISSING_FIELD),
        ({"distance": 300_001}, "TRV-METRO", MARCH, Rejection.OUT_OF_BOUNDS),
        ({"distance": -1}, "TRV-METRO", MARCH, Rejection.OUT_OF_BOUNDS),
        ({"distance": 0}, "TRV-METRO", MARCH, Rejection.NO_REDUCTION),
        ({"distance": 300_000}, "TRV-METRO", MARCH - 16, Rejection.MAPPING_NOT_IN_FORCE),
        ({"distance": 300_000}, "TRV-WALK", MARCH, Rejection.UNKNOWN_CODE),
    ],
)
def test_a_record_is_recomputed_from_the_inputs_it_keeps(
    inputs: dict[str, int], behaviour: str, day: int, found: int | Rejection
) -> None:
    outcome = FastEvaluator(yunxi()).convert_inputs(inputs, behaviour=behaviour, day=day)

    assert (outcome.code if isinstance(outcome, Refusal) else outcome.co2e_mg) == found


def rows_of_all_kinds() -> list[dict[str, str]]:
    """Make good and bad rows of all behaviours and both editions."""
    days = ("2025-02-28", "2025-03-16", "2025-06-30", "2025-07-01")
    texts = ("0.750", "10.186", "0", "x", "1.2345", "", "300.001")
    codes = ("01", "02", "03", "99")
    return [
        act(event=f"{day} {code} {text}", behaviour=code, distance=text, start=f"{day}T07:00:00+08:00")
        for day in days
        for code in codes
        for text in texts
    ]


def test_a_batch_gives_each_row_what_it_gets_alone() -> None:
    program, rows = yunxi(), rows_of_all_kinds()
    reader, interpreter = SourceReader(program), Interpreter(program)

    result = ColumnEvaluator(program).convert_batch(rows, reader.read_columns(rows))

    for row, found in zip(rows, result.outcomes(), strict=True):
        expected = interpreter.convert(row)
        if isinstance(expected, Refusal):
            assert found[:2] == expected[:2]
        else:
            assert found == expected._replace(touched=frozenset(), trace=())


def test_an_empty_batch_gives_an_empty_result() -> None:
    result = ColumnEvaluator(yunxi()).convert_batch([], SourceReader(yunxi()).read_columns([]))

    assert result == ([], {})


def test_a_row_whose_roles_were_refused_keeps_that_refusal() -> None:
    roles = SourceReader(yunxi()).read_columns([act(distance="1")])
    refusal = Refusal(Rejection.UNKNOWN_CODE, "behaviour", "expected another")

    result = ColumnEvaluator(yunxi()).convert_batch(
        [act(distance="1")], roles._replace(refusals={0: refusal})
    )

    assert result.outcomes() == [refusal]


def block_of(high: int, *, factor: str = "1") -> Block:
    """Lower ``x * factor`` for one behaviour."""
    product = Binary("*", Name("x"), Number(Fraction(factor)))
    field = decimal_field("x", 0, high=high)
    program = make_program([step("points", product)], kind="engagement", fields=(field,))
    return FastEvaluator(program).blocks["TRV-METRO"][0].block


def test_a_block_fits_while_its_bounds_stay_below_half_of_what_64_bits_hold() -> None:
    assert fits(block_of(2**62 - 1))
    assert not fits(block_of(2**62))
    assert fits(block_of(2**61 - 1, factor="2"))
    assert not fits(block_of(2**61, factor="2"))


def test_a_block_does_not_fit_below_minus_half_of_what_64_bits_hold_either() -> None:
    lows = {low: Var("x", low, 0) for low in (-(2**62) + 1, -(2**62))}
    blocks = [Block("A", 0, 1, {"x": x}, (), (), Outcome(x, x, Quotient(x, Const(1)))) for x in lows.values()]

    assert [fits(block) for block in blocks] == [True, False]


def test_the_kernel_is_right_at_the_edge_of_what_fits() -> None:
    block = block_of(2**62 - 1)

    done = run_block(block, {"x": np.array([2**62 - 1, 0])}, count=2, traced=False)

    assert done.points.tolist() == [2**62 - 1, 0]


@pytest.mark.parametrize(("mode", "values"), [("half_up", [-3, -2, 3, 3]), ("half_even", [-2, -2, 2, 3])])
def test_a_rounding_at_the_edge_of_what_fits_does_not_wrap(mode: RoundingMode, values: list[int]) -> None:
    edge = (2**62 - 1) // 5
    x, d = Var("x", -(2**62) + 1, 2**62 - 1), Const(2 * edge)
    rounded = Round(mode, x, d, -3, 3)
    form = StepForm("points", Quotient(x, d), Quotient(rounded, Const(1)), None)
    block = Block("A", 0, 1, {"x": x}, (), (form,), Outcome(Const(0), rounded, Quotient(x, d)))
    numbers = np.array([-5 * edge, -4 * edge, 5 * edge, 5 * edge + 1])

    assert fits(block)
    assert run_block(block, {"x": numbers}, count=4, traced=False).points.tolist() == values


def test_a_number_hidden_in_an_expression_keeps_a_block_from_fitting() -> None:
    x = Var("x", 0, 1)
    large = Op("*", x, Const(2**70), 0, 2**70)
    hidden = Op("min", large, Const(1), 0, 1)
    form = StepForm("points", Quotient(hidden, Const(1)), Quotient(hidden, Const(1)), None)

    assert not fits(
        Block("A", 0, 1, {"x": x}, (), (form,), Outcome(Const(0), hidden, Quotient(hidden, Const(1))))
    )
