"""From the intermediate form to the source of a Python function, for online use.

Nothing of the document is written into the source but names that are plain identifiers (with a prefix)
and integers; refusals and labels are handed over as objects.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import assert_never

from gateway.convert.ir import (
    Assign,
    Block,
    Const,
    Guard,
    IntExpr,
    Op,
    Outcome,
    Pick,
    Rank,
    RefuseBelow,
    RefuseRow,
    Round,
    Statement,
    StepForm,
    Var,
)
from gateway.convert.outcome import ActFinding, Converted, Refusal, StepTrace

__all__ = [
    "BlockFunction", "GuardFunction", "block_source", "guard_source", "refusal_objects", "step_traces",
]  # fmt: skip

BlockFunction = Callable[[dict[str, int]], Converted | Refusal]
GuardFunction = Callable[[dict[str, int], int], tuple[ActFinding, ...] | Refusal]


def block_source(block: Block, name: str, *, traced: bool) -> str:
    """Write one block as a function from inputs to a conversion or a refusal.

    Its namespace must hold ``bisect_right``, ``Converted``, ``lowest_terms``, ``round_quotient``,
    ``step_traces``, and of this block ``refusals`` (see :func:`refusal_objects`) and ``forms`` (its steps).
    """
    lines = [f"def {name}(inputs):"]
    if block.inputs:
        lines.append(f"    {', '.join(var.name for var in block.inputs.values())}, = inputs.values()")
    for number, statement in enumerate(block.statements):
        lines += [f"    {line}" for line in _statement(statement, f"refusals[{number}]")]
    if isinstance(block.outcome, Refusal):
        lines.append(f"    return refusals[{len(block.statements)}]")
    else:
        lines.append(f"    return {_result(block, block.outcome, traced=traced)}")
    return "\n".join(lines) + "\n"


def guard_source(guard: Guard, name: str) -> str:
    """Write a guard as a function from inputs and time to its findings or a refusal.

    Its namespace must hold ``ActFinding``, and of this guard ``checks``.
    """
    lines = [f"def {name}(inputs, {guard.time.name}):", "    found = ()"]
    for declared, var in guard.inputs.items():
        lines.append(f"    {var.name} = inputs[{declared!r}]")
    for number, check in enumerate(guard.checks):
        lines.append(f"    if {_bare(check.margin)} < 0:")
        if check.refusal is not None:
            lines.append(f"        return checks[{number}].refusal")
            continue
        values = "".join(f"{var.name}, " for var in guard.values[check.rule])
        lines.append(f"        found += (ActFinding(checks[{number}].rule, ({values})),)")
    return "\n".join([*lines, "    return found"]) + "\n"


def refusal_objects(block: Block) -> tuple[object, ...]:
    """Collect what the function of a block may return as a refusal, statement by statement."""
    found: list[object] = []
    for statement in block.statements:
        match statement:
            case RefuseBelow(refusal=refusal):
                found.append(refusal)
            case RefuseRow(refusals=refusals):
                found.append(refusals)
            case _:
                found.append(None)
    return (*found, block.outcome if isinstance(block.outcome, Refusal) else None)


def step_traces(forms: tuple[StepForm, ...], numbers: tuple[int, ...]) -> tuple[StepTrace, ...]:
    """Make the trace from the four integers of each step: exact value, then value, as quotients."""
    traces: list[StepTrace] = []
    for index, form in enumerate(forms):
        exact_over, exact_under, over, under = numbers[4 * index : 4 * index + 4]
        label = None if form.labels is None else form.labels[over // under]
        traces.append(StepTrace(form.name, Fraction(exact_over, exact_under), Fraction(over, under), label))
    return tuple(traces)


def _statement(statement: Statement, refusals: str) -> list[str]:
    match statement:
        case Assign():
            return [f"{statement.name} = {_bare(statement.value)}"]
        case Rank():
            return [f"{statement.name} = bisect_right({statement.thresholds!r}, {_bare(statement.argument)})"]
        case Pick():
            return [f"{statement.name} = {statement.values!r}[{statement.index}]"]
        case RefuseBelow():
            return [f"if {_bare(statement.argument)} < {statement.threshold}:", f"    return {refusals}"]
        case RefuseRow():
            row = f"{refusals}[{statement.index}]"
            return [f"if {row} is not None:", f"    return {row}"]
        case _:
            assert_never(statement)


def _result(block: Block, outcome: Outcome, *, traced: bool) -> str:
    exact = (
        f"lowest_terms({_expr(outcome.points_exact.numerator)}, {_expr(outcome.points_exact.denominator)})"
    )
    values = f"inputs, {_expr(outcome.co2e_mg)}, {_expr(outcome.points)}, {exact}"
    if not traced:
        return f"Converted({values})"
    numbers = [side for step in block.steps for side in (*step.exact, *step.value)]
    return f"Converted({values}, step_traces(forms, ({', '.join(map(_bare, numbers))})))"


def _bare(expr: IntExpr) -> str:
    """Write an expression that stands alone, without the parentheses around it."""
    text = _expr(expr)
    return text[1:-1] if text.startswith("(") else text


def _expr(expr: IntExpr) -> str:
    match expr:
        case Const():
            return str(expr.value)  # a sign binds closer than any operation written below
        case Var():
            return expr.name
        case Op(op="min" | "max"):
            return f"{expr.op}({_expr(expr.left)}, {_expr(expr.right)})"
        case Op():
            return f"({_expr(expr.left)} {expr.op} {_expr(expr.right)})"
        case Round():
            return _rounded(expr)
        case _:
            assert_never(expr)


def _rounded(expr: Round) -> str:
    """Write a rounding with ``//``, which goes towards minus infinity.

    Above zero, down is the same as floor, up as ceiling, and ties are decided by what is added first.
    """
    numerator, denominator = _expr(expr.numerator), _expr(expr.denominator)
    mode = expr.mode
    if expr.numerator.low >= 0:
        mode = {"down": "floor", "up": "ceiling"}.get(mode, mode)  # type: ignore[assignment]  # both are modes
    match mode:
        case "floor":
            return f"({numerator} // {denominator})"
        case "ceiling":
            return f"(-(-{numerator} // {denominator}))"
        case "half_up" | "half_down" if expr.numerator.low >= 0:
            half = _half(expr.denominator, 0 if mode == "half_up" else 1)
            return f"(({numerator} + {half}) // {denominator})"
        case _:
            return f"round_quotient({numerator}, {denominator}, mode={mode!r})"


def _half(denominator: IntExpr, less: int) -> str:
    if isinstance(denominator, Const):
        return str((denominator.value - less) // 2)
    return f"({_expr(denominator)} - 1) // 2" if less else f"{_expr(denominator)} // 2"
