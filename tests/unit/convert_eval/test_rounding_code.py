"""A rounding is one number, whether it is generated code, a column of numpy, or exact arithmetic."""

from itertools import product

import numpy as np
import pytest

from gateway.bulk.kernel import run_block
from gateway.convert.fast import FastEvaluator
from gateway.convert.generate import block_source, refusal_objects, step_traces
from gateway.convert.ir import Block, Const, IntExpr, Outcome, Quotient, Round, StepForm, Var
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import RoundingMode
from gateway.convert.rational import lowest_terms, round_quotient
from gateway.convert.roles import Roles, SourceReader
from tests.fakes.mappings import act, yunxi

MODES: tuple[RoundingMode, ...] = ("floor", "ceiling", "down", "up", "half_up", "half_down", "half_even")
DENOMINATORS: tuple[IntExpr, ...] = (*map(Const, range(1, 8)), Var("d", 1, 7))
LOWS = (-12, -1, 0, 1)


def rounding(mode: RoundingMode, low: int, *, denominator: IntExpr) -> Block:
    """Make a block that rounds ``x / denominator``, with x from a bound to 20."""
    x = Var("x", low, 20)
    rounded = Round(mode, x, denominator, -20, 21)
    inputs = {"x": x} | ({"d": denominator} if isinstance(denominator, Var) else {})
    outcome = Outcome(Const(0), rounded, Quotient(Const(0), Const(1)))
    return Block("A", 0, 1, inputs, (), (), outcome)


def cases(block: Block) -> list[tuple[int, int]]:
    """Give every numerator with every denominator that a block allows."""
    outcome = block.outcome
    assert isinstance(outcome, Outcome)
    assert isinstance(outcome.points, Round)
    numerator, denominator = outcome.points.numerator, outcome.points.denominator
    return list(
        product(range(numerator.low, numerator.high + 1), range(denominator.low, denominator.high + 1))
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("low", LOWS)
@pytest.mark.parametrize("denominator", DENOMINATORS, ids=str)
def test_code_and_columns_round_as_exact_arithmetic_does(
    mode: RoundingMode, low: int, denominator: IntExpr
) -> None:
    block = rounding(mode, low, denominator=denominator)
    namespace = {"Converted": Converted, "lowest_terms": lowest_terms, "round_quotient": round_quotient}
    exec(block_source(block, "rounded", traced=False), namespace)  # noqa: S102  # what is tested
    expected = [round_quotient(over, under, mode=mode) for over, under in cases(block)]

    rows = [dict(zip(block.inputs, case, strict=False)) for case in cases(block)]
    assert [namespace["rounded"](row).points for row in rows] == expected  # type: ignore[operator]  # exec has made it

    columns = {name: np.array([row[name] for row in rows]) for name in block.inputs}
    done = run_block(block, columns, count=len(rows), traced=False)
    assert done.points.tolist() == expected


@pytest.mark.parametrize("mode", ["floor", "ceiling", "down", "up", "half_up", "half_down"])
def test_what_cannot_be_negative_is_rounded_by_plain_division(mode: RoundingMode) -> None:
    block = rounding(mode, 0, denominator=Const(7))

    assert "round_quotient" not in block_source(block, "plain", traced=False)


def test_a_label_is_found_by_the_value_of_its_step_however_it_is_written() -> None:
    quotient = Quotient(Const(1), Const(1))
    form = StepForm("rating", quotient, quotient, ("low", "high", "highest"))

    traces = step_traces((form, form), (0, 1, 0, 1, 100, 100, 100, 100))

    assert [trace.label for trace in traces] == ["low", "high"]


def test_a_plain_conversion_carries_no_trace() -> None:
    program, row = yunxi(), act(distance="10.186")
    roles = SourceReader(program).read(row)
    assert isinstance(roles, Roles)

    plain, traced = (
        FastEvaluator(program).convert(row, roles),
        FastEvaluator(program).convert_traced(row, roles),
    )

    assert not isinstance(plain, Refusal)
    assert not isinstance(traced, Refusal)
    assert (plain.trace, len(traced.trace)) == ((), 2)
    assert plain == traced._replace(trace=())


def test_a_block_without_refusals_hands_none_over() -> None:
    assert refusal_objects(rounding("floor", 0, denominator=Const(2))) == (None,)
