"""One standard act in every city: grams and points by each mapping, or why it gives nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import product
from math import floor
from typing import Literal, NamedTuple

from gateway.catalog import Timeline
from gateway.convert import Converted, FastEvaluator, Program, Refusal
from gateway.convert.explain import exact_text
from gateway.convert.inputs import InputReader
from gateway.convert.program import Field, Text
from gateway.review.basket import Basket, StandardAct

__all__ = ["Cell", "compare_mappings", "spread"]

OCCASIONS = frozenset({"act", "meal", "order", "ride", "time", "trip", "use"})  # one of these is one act
GRANTING = frozenset({"gram", "per_act", "engagement"})
COMBINATIONS_MAX = 12  # of classes; more would hide the act behind its variants


class Cell(NamedTuple):
    """What a mapping gives for a standard act.

    ``grams`` and ``points`` are before caps; both are None where ``why`` says why there is nothing, and
    one alone where points stand for no reduction, or a reduction gives no points. ``basis`` is what the act
    was taken as; ``alike`` tells whether that is the act's own measure, such as kilometres, and not the
    occasion, whatever its size.
    """

    act: StandardAct
    platform: str
    program: Program | None
    grams: Fraction | None = None
    points: Fraction | None = None
    basis: str = ""
    alike: bool = True
    why: Text = Text("", "")

    @property
    def counted(self) -> bool:
        """Tell whether the mapping gives anything for the act."""
        return self.grams is not None or self.points is not None


def compare_mappings(
    programs: Sequence[Program], basket: Basket, *, on: date, which: Literal["in force", "all"] = "in force"
) -> list[Cell]:
    """Return what each platform gives for each act: by the versions in force on a day, or by every version.

    A version that is not in force on that day is asked for the nearest day that it covers.
    """
    platforms = sorted({program.platform for program in programs})
    evaluators = {program.digest: FastEvaluator(program) for program in programs}
    cells: list[Cell] = []
    for act in basket.acts:
        for platform in platforms:
            ours = [program for program in programs if program.platform == platform]
            cells.extend(_cells(act, ours, on=on, which=which, evaluators=evaluators))
    return cells


def _cells(
    act: StandardAct,
    programs: Sequence[Program],
    *,
    on: date,
    which: Literal["in force", "all"],
    evaluators: Mapping[str, FastEvaluator],
) -> Iterator[Cell]:
    """Yield the cells of one act and platform: one at least, which says why if there is nothing."""
    knowing = [program for program in programs if act.behaviour in program.formula.needs]
    chosen = (
        knowing if which == "all" else [program for program in knowing if _in_force(program, programs, on=on)]
    )
    if not chosen:
        without = [
            program.unmapped[act.behaviour] for program in programs if act.behaviour in program.unmapped
        ]
        why = Text(f"{on} 没有生效的版本", f"no version in force on {on}")
        why = why if knowing else without[-1] if without else NOT_MAPPED
        yield Cell(act, programs[0].platform, None, why=why)
    for program in sorted(chosen, key=lambda program: (program.id, program.version)):
        yield from _of_program(act, program, on=on, evaluator=evaluators[program.digest])


NOT_MAPPED = Text("没有此类行为的规则", "no rule for this kind of act")


def _in_force(program: Program, programs: Sequence[Program], *, on: date) -> bool:
    versions = [other for other in programs if other.id == program.id]
    return Timeline(versions).on(on.toordinal()) is program


def _of_program(act: StandardAct, program: Program, *, on: date, evaluator: FastEvaluator) -> Iterator[Cell]:
    """Yield what one version gives: a cell for each class where it tells classes apart."""
    last = (program.effective_until or date.max) - timedelta(days=1)
    day = min(max(on, program.effective_from), last).toordinal()
    stated = _stated(act, program)
    if isinstance(stated, Text):
        yield Cell(act, program.platform, program, why=stated)
        return
    for row, basis in stated.rows:
        inputs = InputReader(program).read(row, act.behaviour)
        if not isinstance(inputs, Refusal):
            inputs = evaluator.convert_inputs(inputs, behaviour=act.behaviour, day=day)  # type: ignore[assignment]  # one name for what comes of the row
        yield _cell(act, program, outcome=inputs, stated=stated, basis=f"{basis}{stated.note}")


class _Stated(NamedTuple):
    """An act as rows of a mapping's own columns, each with what it is taken as."""

    rows: list[tuple[dict[str, str], str]]
    alike: bool
    shares: Fraction = Fraction(1)
    note: str = ""


def _stated(act: StandardAct, program: Program) -> _Stated | Text:
    """State an act in the columns of a mapping, or say what it does not tell that the mapping needs."""
    fields = {field.name: field for field in program.source.fields}
    needed = [fields[name] for name in program.formula.needs[act.behaviour]]
    found = _rows(act.quantities, act.named, needed=needed, program=program)
    if isinstance(found, list):
        return _Stated(found, _is_alike(act, needed))
    if act.stand_in is not None:
        other = _rows(act.stand_in.quantities, act.named, needed=needed, program=program)
        if isinstance(other, list):
            return _Stated(other, True, Fraction(act.stand_in.divide_by), f" ÷ {act.stand_in.divide_by}")
    return found


def _is_alike(act: StandardAct, needed: Sequence[Field]) -> bool:
    """Tell whether a mapping counts by the measure that the act is stated in first."""
    measure = next(iter(act.quantities), "")
    units = {field.unit for field in needed if field.type == "decimal"}
    return measure in units or (measure in OCCASIONS and bool(units & OCCASIONS)) or not act.quantities


def _rows(
    quantities: Mapping[str, str], named: Mapping[str, str], *, needed: Sequence[Field], program: Program
) -> list[tuple[dict[str, str], str]] | Text:
    """Give each needed column a text: by its name, else by its unit if no other has it; all classes."""
    units = [field.unit for field in needed if field.constant is None and field.name not in named]
    choices: list[list[tuple[str, str, str]]] = []
    for field in needed:
        if field.constant is not None:
            choices.append([("", "", f"{field.constant} {field.unit}")])
        elif field.code_table is not None:
            rows = program.source.code_tables[field.code_table]
            codes = {row.value: row.code for row in rows}
            choices.append([(field.keys[0], code, f"{field.name} {value}") for value, code in codes.items()])
        elif field.name in named or (field.unit in quantities and units.count(field.unit) == 1):
            text = named.get(field.name) or quantities[field.unit]
            choices.append([(field.keys[0], text, f"{text} {field.unit}")])
        else:
            return Text(
                f"规则需要 {field.name}（{field.unit}），标准行为未给出",
                f"the rule needs {field.name} ({field.unit}), which the standard act does not state",
            )
    if len(list(product(*choices))) > COMBINATIONS_MAX:
        return Text("分类过多，无法逐一列出", "too many classes to list")
    return [
        ({key: text for key, text, _ in row if key}, ", ".join(basis for _, _, basis in row))
        for row in product(*choices)
    ]


def _cell(act: StandardAct, program: Program, *, outcome: object, stated: _Stated, basis: str) -> Cell:
    if isinstance(outcome, Converted):
        reduces = program.kind != "engagement"
        grams = Fraction(outcome.co2e_mg, 1000) / stated.shares if reduces else None
        points = Fraction(outcome.points) / stated.shares if program.kind in GRANTING else None
        return Cell(act, program.platform, program, grams, points, basis, stated.alike)
    code, detail = (outcome.code, outcome.detail) if isinstance(outcome, Refusal) else ("", "")
    return Cell(
        act,
        program.platform,
        program,
        basis=basis,
        why=Text(f"不予换算（{code}）", f"refused: {code}, {detail}"),
    )


def spread(cells: Sequence[Cell]) -> str:
    """Say how many times the least value the greatest one is, of those counted alike; empty below two."""
    values = [cell.grams for cell in cells if cell.grams and cell.alike]
    if len(values) < 2:
        return ""
    return exact_text(Fraction(floor(max(values) / min(values) * 10 + Fraction(1, 2)), 10))
