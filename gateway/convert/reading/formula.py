"""Read the formula: parse its steps, resolve every name, and leave units and bounds to their own checks."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, cast

from gateway.convert.expression import RESERVED_NAMES, ExpressionError, called, named, parse_expression, parts
from gateway.convert.program import (
    Call,
    Expr,
    Factor,
    Formula,
    Input,
    Limit,
    Number,
    Rounding,
    RoundingMode,
    Source,
    Step,
)
from gateway.convert.reading.figures import classes_of, read_factors, read_tables
from gateway.convert.reading.node import Node
from gateway.convert.reading.source import behaviours_of, unmapped_of
from gateway.convert.units import CO2E_MG

__all__ = ["read_formula", "written"]

_UNREADABLE: Final = Number(Fraction(0))


def read_formula(root: Node, source: Source) -> Formula:
    """Read inputs, factors, tables and steps, reporting names that do not resolve."""
    inputs = _inputs(source)
    factors = read_factors(root, source)
    tables = read_tables(root)
    behaviours = behaviours_of(source)
    _check_unpublished(root, behaviours)
    steps = tuple(_step(node, behaviours) for node in root.elements("formula"))
    formula = Formula(
        inputs=inputs,
        factors=factors,
        tables=tables,
        steps=steps,
        needs={
            behaviour: _needs(steps, behaviour, inputs=inputs, factors=factors, limits=source.limits)
            for behaviour in behaviours
        },
        mg_per_reduction_ulp=_mg_per_ulp(steps),
    )
    _check_distinct(root, formula)
    _check_names(root, formula)
    _check_labels(root, formula)
    _check_closing_steps(root, steps)
    _check_used(root, formula, source=source)
    return formula


def _check_unpublished(root: Node, behaviours: tuple[str, ...]) -> None:
    """Hold a mapping without any figure to its status, and every other one to a formula and a credit."""
    unpublished = root.word("status") == "unpublished"
    if unpublished and behaviours:
        message = f"expected no mapped code for status unpublished, got one for {behaviours[0]}"
        root["status"].report("formula", message)
    if not behaviours and root.word("status") not in {"unpublished", "illustrative"}:
        message = f"expected status unpublished where every code is unmapped, got {root.word('status')}"
        root["status"].report("formula", message)
    for key in ("factors", "tables", "formula"):
        extra = root.get(key)
        if extra is not None and not behaviours:
            extra.report("formula", f"expected no {key} where every code is unmapped, got some")
    for key in ("formula", "credit"):
        if behaviours and root.get(key) is None:
            root.report("formula", f"expected the member {key}, got none")


def _inputs(source: Source) -> dict[str, Input]:
    classes = classes_of(source)
    return {
        field.name: Input(
            name=field.name,
            unit=field.unit,
            scale=field.scale,
            low=field.low,
            high=field.high,
            classes=classes.get(field.name),
        )
        for field in source.fields
        if field.role is None
    }


def _step(node: Node, behaviours: tuple[str, ...]) -> Step:
    rounding = node.get("round")
    return Step(
        name=node.word("name"),
        unit=node.word("unit"),
        expr=_expressions(node, behaviours),
        rounding=None
        if rounding is None
        else Rounding(scale=int(rounding.word("scale")), mode=cast("RoundingMode", rounding.word("mode"))),
    )


def _expressions(node: Node, behaviours: tuple[str, ...]) -> dict[str, Expr]:
    single = node.get("expr")
    cases = dict(node.members("cases"))
    if (single is None) == (not cases):
        node.report("formula", f"expected either expr or cases, got {'both' if cases else 'neither'}")
    if single is not None:
        return dict.fromkeys(behaviours, _parsed(single))
    for behaviour, case in cases.items():
        if behaviour not in behaviours:
            case.report("name", f"expected a behaviour of the source, got {behaviour}")
    missing = [behaviour for behaviour in behaviours if behaviour not in cases]
    if cases and missing:
        node["cases"].report(
            "formula", f"expected a case for every behaviour, got none for {', '.join(missing)}"
        )
    return {one: _parsed(cases[one]) if one in cases else _UNREADABLE for one in behaviours}


def _parsed(node: Node) -> Expr:
    try:
        return parse_expression(node.text)
    except ExpressionError as error:
        node.report("expression", str(error))
        return _UNREADABLE


def _needs(
    steps: tuple[Step, ...],
    behaviour: str,
    *,
    inputs: dict[str, Input],
    factors: dict[str, Factor],
    limits: tuple[Limit, ...],
) -> tuple[str, ...]:
    used = {name for step in steps for name in named(step.expr[behaviour])}
    used |= {factors[name].by or "" for name in used if name in factors}
    used |= {limit.of or "" for limit in limits if limit.concerns(behaviour)}
    return tuple(sorted(used & inputs.keys()))


def _mg_per_ulp(steps: tuple[Step, ...]) -> int:
    for step in steps:
        if step.name == "reduction" and step.rounding is not None:
            ulps: int = 10**step.rounding.scale
            return CO2E_MG.get(step.unit, 0) // ulps
    return 0


def _check_distinct(root: Node, formula: Formula) -> None:
    """Refuse a name that stands for two things, or for a function."""
    taken = dict.fromkeys(RESERVED_NAMES, "a function")
    for kind, nodes in (
        ("an input", [(n, node) for n, node in root["source"].members("fields") if n in formula.inputs]),
        ("a factor", list(root.members("factors"))),
        ("a table", list(root.members("tables"))),
        ("a step", [(node.word("name"), node) for node in root.elements("formula")]),
    ):
        for name, node in nodes:
            if name in taken:
                node.report(
                    "name", f"expected a name for {kind} that is free, got {name}, {taken[name]} already"
                )
            taken.setdefault(name, kind)


def _check_names(root: Node, formula: Formula) -> None:
    """Refuse names that do not resolve, steps used before they are made, and classes used as numbers."""
    all_steps = {step.name for step in formula.steps}
    known = {name for name, one in formula.inputs.items() if one.classes is None} | formula.factors.keys()
    for node, step in zip(root.elements("formula"), formula.steps, strict=True):
        for place, _, expr in written(node, step):
            for name in sorted(named(expr) - known):
                place.report("name", _unresolved(name, all_steps, formula=formula))
            for name in sorted(called(expr) - formula.tables.keys()):
                place.report("name", f"expected min, max, floor or a table, got {name}(...)")
        known.add(step.name)


def _unresolved(name: str, steps: set[str], *, formula: Formula) -> str:
    if name in steps:
        return f"expected steps in the order of evaluation, got {name} before it is made"
    if name in formula.inputs:
        return f"expected a number, got the class input {name}: use it as by of a factor"
    if name in formula.tables:
        return f"expected {name}(...), got the table {name} without its value"
    return f"expected an input, a factor or an earlier step, got {name}"


def written(node: Node, step: Step) -> Iterator[tuple[Node, str, Expr]]:
    """Yield each behaviour with its expression and the place where that is written."""
    single = node.get("expr")
    for behaviour, expr in step.expr.items():
        place = single or node["cases"].get(behaviour)
        if place is not None:
            yield place, behaviour, expr


def _check_labels(root: Node, formula: Formula) -> None:
    """Refuse a label, which is a text, anywhere but as a whole unrounded step that no other step uses."""
    labels = {name for name, table in formula.tables.items() if table.kind == "label"}
    rated: set[str] = set()
    for node, step in zip(root.elements("formula"), formula.steps, strict=True):
        for place, _, expr in written(node, step):
            whole = isinstance(expr, Call) and expr.table in labels
            inner = [part for part in parts(expr) if isinstance(part, Call) and part.table in labels]
            if len(inner) > whole or (whole and step.rounding is not None):
                place.report("label", "expected a label table as a step by itself without rounding")
            for name in sorted(named(expr) & rated):
                place.report("label", f"expected a number, got the label {name}")
            if whole:
                rated.add(step.name)


def _check_closing_steps(root: Node, steps: tuple[Step, ...]) -> None:
    """Hold the steps reduction and points to what records need."""
    by_name = {step.name: (node, step) for node, step in zip(root.elements("formula"), steps, strict=True)}
    credit, kind = root["credit"], root["credit"].word("kind")
    if root.get("formula") is None:
        return
    without = kind in {"engagement", "rating"}
    if ("reduction" in by_name) == without:
        expected = f"no step reduction for kind {kind}" if without else "a step reduction"
        root["formula"].report("formula", f"expected {expected}, got {'one' if without else 'none'}")
    elif not without:
        _check_reduction(*by_name["reduction"])
    if kind in {"none", "rating"}:
        _check_pointless(root, kind, points="points" in by_name)
        return
    if "points" not in by_name:
        root["formula"].report("formula", "expected a step points, got none")
        return
    node, step = by_name["points"]
    if step.unit != credit.word("unit"):
        node["unit"].report("unit", f"expected the credit unit {credit.word('unit')}, got {step.unit}")
    if step.rounding is None or step.rounding.scale:
        node.report("round", "expected points rounded to scale 0, got another rounding or none")


def _check_pointless(root: Node, kind: str, *, points: bool) -> None:
    """Hold a scheme without points to what it gives: no points that could move, and of a rating a label."""
    if points:
        root["formula"].report("formula", f"expected no step points for kind {kind}, got one")
    if kind == "rating" and all(table.word("kind") != "label" for _, table in root.members("tables")):
        root["formula"].report("formula", "expected a label table for kind rating, got none")


def _check_reduction(node: Node, step: Step) -> None:
    if step.unit not in CO2E_MG:
        node["unit"].report("unit", f"expected one of {', '.join(CO2E_MG)}, got {step.unit}")
    elif step.rounding is None:
        node.report("round", "expected a rounding of the reduction to whole mg or coarser, got none")
    elif CO2E_MG[step.unit] % 10**step.rounding.scale:
        node["round"].report(
            "round", f"expected whole mg, got {step.unit} with {step.rounding.scale} decimals"
        )


def _check_used(root: Node, formula: Formula, *, source: Source) -> None:
    """Refuse inputs, factors and tables that change nothing: they would mislead a reviewer.

    An input may be about acts without a figure: another version, which reads the same rows, may have one.
    """
    unmapped = unmapped_of(source).keys()
    exprs = [expr for step in formula.steps for expr in step.expr.values()]
    names = {name for expr in exprs for name in named(expr)}
    names |= {factor.by for name, factor in formula.factors.items() if name in names and factor.by}
    names |= {limit.of for limit in source.limits if limit.of is not None}
    names |= {field.name for field in source.fields if field.behaviours and field.behaviours <= unmapped}
    tables = {table for expr in exprs for table in called(expr)}
    for kind, listed, used in (
        ("input", root["source"].members("fields"), names),
        ("factor", root.members("factors"), names),
        ("table", root.members("tables"), tables),
    ):
        for name, node in listed:
            if name not in used and (kind != "input" or name in formula.inputs):
                node.report("unused", f"expected a step that uses the {kind} {name}, got none")
