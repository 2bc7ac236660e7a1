"""One mapping as sentences: its rules, figures, limits, caps and tests, in Chinese and in English."""

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple, cast

from gateway.convert import Interpreter, Program
from gateway.convert.document import Value, from_canonical, leaves, value_at
from gateway.convert.explain import exact_text, expression_text
from gateway.convert.limit_text import limit_text
from gateway.convert.program import Cap, Cite, Dated, Factor, Field, Step, TableRow, Text
from gateway.convert.selftest import run_tests
from gateway.convert.wording import WORDS
from gateway.model.codes import Rejection
from gateway.review.diff.tree import value_text
from gateway.review.site.words import STEPS, plain

__all__ = [
    "Figure", "Rule", "Test", "caps_of", "codes_of", "columns_of", "figures_of", "limits_of", "notes_of",
    "other_sections", "rows_of_tables", "rules_of", "tests_of",
]  # fmt: skip

Names = Mapping[str, Text]


class Rule(NamedTuple):
    """What one behaviour counts: step by step, by names and with the figures in force."""

    behaviour: str
    title: Text
    steps: list[tuple[Text, str, str, Text]]


class Figure(NamedTuple):
    """One figure: of which factor and class, from when, and where it comes from."""

    name: str
    of: Text
    value: str
    unit: str
    since: date
    cite: Cite


class Test(NamedTuple):
    """One test in words; ``faults`` is empty if it holds."""

    name: str
    acts: list[tuple[str, Text]]
    faults: tuple[str, ...]


def named(code: str, names: Names) -> Text:
    """Return the name of a behaviour or class, or its code."""
    return names.get(code, plain(code))


def rules_of(program: Program, names: Names) -> list[Rule]:
    """Return the rules by behaviour."""
    return [
        Rule(
            behaviour,
            named(behaviour, names),
            [_step(step, program, behaviour=behaviour) for step in program.formula.steps],
        )
        for behaviour in program.behaviours
    ]


def _step(step: Step, program: Program, *, behaviour: str) -> tuple[Text, str, str, Text]:
    expr = step.expr[behaviour]
    letters = expression_text(expr, str)
    numbers = expression_text(
        expr, lambda name: _number(program.formula.factors.get(name), behaviour) or name
    )
    shown = "" if numbers == letters else _signs(numbers)
    return (
        STEPS.get(step.name, plain(step.name)),
        _signs(letters),
        f"{shown} {step.unit}".strip(),
        _rounding(step),
    )


def _number(factor: Factor | None, behaviour: str) -> str:
    """Return the last figure of a factor for a behaviour; nothing if it differs by class."""
    if factor is None:
        return ""
    value = factor.values[-1].value
    if isinstance(value, dict):
        figure = value.get(behaviour) if factor.by == "behaviour" else None
        return "" if figure is None else exact_text(figure)
    return exact_text(value)


def _signs(expression: str) -> str:
    return expression.replace(" * ", " × ").replace(" / ", " ÷ ").replace(" - ", " − ")


def _rounding(step: Step) -> Text:
    if step.rounding is None:
        return Text("不舍入", "not rounded")
    scale, mode = step.rounding.scale, step.rounding.mode
    return Text(
        f"保留 {scale} 位小数，{WORDS['zh'].modes[mode]}", f"to {scale} decimals, {WORDS['en'].modes[mode]}"
    )


def figures_of(program: Program, names: Names) -> list[Figure]:
    """Return every figure of every factor, by date."""
    return [
        Figure(
            factor.name,
            named(of, names) if of else plain(""),
            exact_text(value),
            factor.unit,
            dated.since,
            dated.cite,
        )
        for factor in program.formula.factors.values()
        for dated in factor.values
        for of, value in (dated.value if isinstance(dated.value, dict) else {"": dated.value}).items()
    ]


def rows_of_tables(
    program: Program,
) -> Iterator[tuple[str, str, str, Dated[tuple[TableRow, ...]], list[tuple[str, str]]]]:
    """Yield each table by date: its name, its units, its source, and its rows as texts."""
    for table in program.formula.tables.values():
        for dated in table.values:
            rows = [(exact_text(row.at), _row_text(row)) for row in dated.value]
            yield table.name, table.of, table.unit, dated, rows


def _row_text(row: TableRow) -> str:
    return exact_text(row.value) if row.value is not None else str(row.label or row.reject)


def codes_of(program: Program, names: Names) -> list[tuple[str, str, Text, str, Text]]:
    """Return each code: table, text, what it stands for, how it lies to that, why it does not count."""
    return [
        (table, row.code, named(row.value, names), row.relation, program.unmapped.get(row.value, plain("")))
        for table, rows in program.source.code_tables.items()
        for row in rows
    ]


def columns_of(program: Program) -> list[tuple[str, str, str, str]]:
    """Return each field: its name, where it is read, how, and within which bounds."""
    return [(field.name, _place(field), field.type, _bounds(field)) for field in program.source.fields]


def _place(field: Field) -> str:
    if field.constant is not None:
        return f"= {field.constant}"
    return " + ".join(field.keys or field.of)


def _bounds(field: Field) -> str:
    if field.type != "decimal" or field.constant is not None:
        return field.unit
    low, high = (exact_text(Fraction(bound, 10**field.scale)) for bound in (field.low, field.high))
    return f"{low} – {high} {field.unit}"


def limits_of(program: Program) -> list[Text]:
    """Return what is held to be plausible."""
    words = {
        "reject": Text("不计入", "refused"),
        "finding": Text("计入并供人工核查", "counted, and shown to people"),
    }
    limits = [
        Text(
            f"{one.name}：{limit_text(one)}，超出则{words[one.then].zh}",
            f"{one.name}: {limit_text(one)}, else {words[one.then].en}",
        )
        for one in program.source.limits
    ]
    overlap = program.source.overlap
    if overlap is not None:
        limits.append(
            Text(
                f"同一人的行为重叠至多 {overlap.tolerance_s} 秒，否则{words[overlap.then].zh}",
                f"acts of a person overlap by {overlap.tolerance_s} s at most, else {words[overlap.then].en}",
            )
        )
    return limits


_WHOM = {
    "person": Text("每人", "person"),
    "household": Text("每户", "household"),
    "platform": Text("全平台", "platform"),
}
_PERIODS = {
    "local_day": Text("每日", "day"), "week": Text("每周", "week"), "month": Text("每月", "month"),
    "year": Text("每年", "year"), "ever": Text("累计", "for good"),
}  # fmt: skip
_CAPPED = {
    "points": Text("积分", "points"),
    "reduction": Text("毫克 CO2e", "mg CO2e"),
    "acts": Text("次行为", "acts"),
}


def caps_of(program: Program) -> list[Text]:
    """Return the caps as sentences."""
    return [_cap(cap) for cap in program.caps]


def _cap(cap: Cap) -> Text:
    whom, period, of = _WHOM[cap.whom], _PERIODS[cap.period], _CAPPED[cap.of]
    acts = "" if cap.behaviours is None else f" ({', '.join(sorted(cap.behaviours))})"
    return Text(
        f"{cap.name}：{whom.zh}{period.zh}至多 {cap.maximum} {of.zh}{acts}",
        f"{cap.name}: at most {cap.maximum} {of.en} per {whom.en}, {period.en}{acts}",
    )


def notes_of(program: Program) -> list[tuple[str, str]]:
    """Return every note of the document with its place, but those of tests and sources."""
    document = from_canonical(program.canonical).value
    return [
        (_named_place(document, pointer), text)
        for pointer, text in leaves(document)
        if pointer.endswith("/note") and not pointer.startswith(("/basis/", "/tests/"))
    ]


def _named_place(document: Value, pointer: str) -> str:
    """Name the place of a note: items of lists by their names, where they have one."""
    parts: list[str] = []
    inner: Value | None = document
    for part in pointer.split("/")[1:-1]:
        inner = value_at(inner, f"/{part}") if inner is not None else None
        own = (
            [inner[key] for key in ("name", "code", "from", "at") if key in inner]
            if isinstance(inner, dict)
            else []
        )
        parts.append(value_text(own[0]) if part.isdecimal() and own else part.replace("~1", "/"))
    return " › ".join(parts)


def tests_of(program: Program) -> list[Test]:
    """Return the document's tests in words, each run."""
    results = run_tests(program, Interpreter(program).convert)
    stated = cast("list[dict[str, Any]]", [*program.tests])
    return [
        Test(
            result.name,
            [(_given(act), _expected(act)) for act in test.get("sequence", [test])],
            result.faults,
        )
        for test, result in zip(stated, results, strict=True)
    ]


def _given(act: Mapping[str, Any]) -> str:
    return "，".join(f"{pointer[1:]} {text}" for pointer, text in leaves(act["given"])) or "—"


def _expected(act: Mapping[str, Any]) -> Text:
    if "reject" in act:
        code = Rejection(act["reject"])
        return Text(
            f"不予换算：{WORDS['zh'].reasons[code]}（{code}）",
            f"refused: {WORDS['en'].reasons[code]} ({code})",
        )
    found = [(STEPS.get(name, plain(name)), value) for name, value in act["expect"].items()]
    return Text(
        "，".join(f"{name.zh} {value}" for name, value in found),
        ", ".join(f"{name.en} {value}" for name, value in found),
    )


def other_sections(program: Program) -> list[tuple[str, str]]:
    """Return members of the document that no section of a page speaks of."""
    document = from_canonical(program.canonical).value
    found = [(name, value_at(document, f"/{name}")) for name in ("closed",)]
    window = value_at(document, "/source/claim_window")
    return [
        (name, value_text(value)) for name, value in [*found, ("claim_window", window)] if value is not None
    ]
