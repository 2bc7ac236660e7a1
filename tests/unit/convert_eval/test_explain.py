"""An explanation gives every number from the source text to the points, in both languages."""

import dataclasses
import string
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from gateway.convert.caps import CapKey
from gateway.convert.explain import exact_text, explain, expression_text
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Binary, Call, Cite, Dated, Factor, Floor, MinMax, Name, Number, Program
from gateway.convert.wording import WORDS, Lang, Words
from gateway.model.codes import Rejection
from tests.fakes.mappings import (
    act,
    decimal_field,
    make_cap,
    make_field,
    make_program,
    make_table,
    step,
    yunxi,
)

TRIP = act(distance="10.186")
KEY = CapKey("daily", "a", "2025-03-16")


def test_the_example_is_explained_from_text_to_points() -> None:
    found = explain(yunxi(), TRIP, lang="en", usage={KEY: 120})

    assert found.lines() == [
        "mapping cn-000000/yunxi/travel version 1 (Yunxi green travel), digest 000000000000",
        "day of the act 2025-03-16 (Asia/Shanghai)",
        "behaviour TRV-METRO: code '01' of the code table mode",
        "distance: written '10.186', read as 10.186 km",
        "factor baseline = 180.125 gCO2e/km, since 2024-01-01; source M1 云溪碳普惠方法学 table 3",
        "factor act (TRV-METRO) = 36.253 gCO2e/km, since 2024-01-01; source M1 云溪碳普惠方法学 table 3",
        "step reduction = distance * (baseline - act)",
        "  with numbers 10.186 * (180.125 - 36.253)",
        "  exactly 1465.480192 gCO2e",
        "  rounded to 3 decimals, to the nearest, ties away from zero: 1465.480 gCO2e",
        "step points = reduction / 10",
        "  with numbers 1465.48 / 10",
        "  exactly 146.548 gCO2e",
        "  rounded to 0 decimals, down, towards minus infinity: 146 gCO2e",
        "reduction 1465480 mg CO2e",
        "points before caps 146 cn-000000/yunxi-point",
        "cap daily (2025-03-16): 120 of 200 points used before, asked 146, granted 80, 200 used after",
        "points granted 80 cn-000000/yunxi-point",
    ]
    assert found.granted is not None
    assert found.granted.points == 80


def test_the_same_is_said_in_chinese() -> None:
    lines = explain(yunxi(), TRIP, lang="zh", usage={KEY: 120}).lines()

    assert lines[0] == "映射规则 cn-000000/yunxi/travel 第 1 版（云溪市绿色出行），摘要 000000000000"
    assert lines[9] == "  保留 3 位小数，四舍五入（恰为一半时远离零）：1465.480 gCO2e"
    assert lines[-2] == "封顶 daily（2025-03-16）：此前已用 120/200 积分，申请 146，给予 80，此后已用 200"


@pytest.mark.parametrize(
    ("lang", "last"),
    [("zh", "按规则，积分给予后不再收回"), ("en", "by the rules, points once granted are not taken back")],
)
def test_points_that_the_rules_do_not_take_back_are_told(lang: Lang, last: str) -> None:
    assert explain(yunxi(reversible=False), TRIP, lang=lang).lines()[-1] == last
    assert last not in explain(yunxi(reversible=True), TRIP, lang=lang).lines()


@pytest.mark.parametrize(("rows", "told"), [(1, []), (2, ["the act is made of 2 rows"])])
def test_of_how_many_rows_an_act_was_made_is_told_if_there_are_several(rows: int, told: list[str]) -> None:
    found = explain(yunxi(), TRIP, lang="en", rows=rows)

    assert [line.text for line in found.items if line.name == "rows"] == told
    assert [line for line in found.items if line.name != "rows"] == list(
        explain(yunxi(), TRIP, lang="en").items
    )


def test_the_usage_that_is_handed_over_is_left_as_it_was() -> None:
    usage = {KEY: 120}
    explain(yunxi(), TRIP, lang="en", usage=usage)

    assert usage == {KEY: 120}


def test_without_usage_nothing_is_said_of_caps() -> None:
    found = explain(yunxi(), TRIP, lang="en")

    assert found.granted is None
    assert found.lines()[-1] == "points before caps 146 cn-000000/yunxi-point"


def test_no_person_and_no_event_is_named() -> None:
    row = act(distance="10.186", person="Wang Wu", event="trip-4711")

    for lang in WORDS:
        text = "\n".join(explain(yunxi(), row, lang=lang, usage={}).lines())
        assert "Wang" not in text
        assert "4711" not in text


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            act(distance="1.2345"),
            [
                "not converted: there are more decimals than declared (excess-digits, distance)",
                "  written '1.2345'",
                "  allowed from 0.000 to 300.000 km, with at most 3 decimals",
            ],
        ),
        (
            act(behaviour="飞"),
            [
                "not converted: the code table does not have this code (unknown-code, behaviour)",
                "  written '飞'",
            ],
        ),
        (act(event=""), ["not converted: a needed field is absent (missing-field, event)"]),
        (
            act(),
            [
                "not converted: a needed field is absent (missing-field, distance)",
                "  allowed from 0.000 to 300.000 km, with at most 3 decimals",
            ],
        ),
    ],
)  # fmt: skip
def test_a_refusal_is_explained_with_what_is_allowed(row: dict[str, str], said: list[str]) -> None:
    found = explain(yunxi(), row, lang="en", usage={})

    assert isinstance(found.outcome, Refusal)
    assert [line.text for line in found.items if line.kind == "refusal"] == said
    assert found.granted is None


def test_an_act_refused_by_a_cap_is_explained_up_to_its_points() -> None:
    program = yunxi(caps=(make_cap(when_full="reject"),))
    found = explain(program, TRIP, lang="en", usage={KEY: 200})

    assert isinstance(found.outcome, Refusal)
    assert found.lines()[-2:] == [
        "points before caps 146 cn-000000/yunxi-point",
        "not converted: the cap is used up (capped-out, daily)",
    ]
    late = yunxi(caps=(make_cap(late="reject"),))
    after = explain(late, TRIP, lang="en", usage={}, accepted=date(2025, 3, 17))
    assert isinstance(after.outcome, Refusal)
    assert after.outcome.code is Rejection.LATE


def rating_program() -> Program:
    """Make a program with a class, a table, a label, an unrounded step and a factor without a source."""
    figure: Fraction | dict[str, Fraction] = {"small": Fraction("0.5")}
    unsourced = Dated(since=date(2024, 1, 1), value=figure, cite=Cite(ref=""))
    factor = Factor(name="rate", unit="1", by="size", values=(unsourced,))
    steps = [
        step("rating", Call("grade", Name("x")), scale=None),
        step("third", Binary("/", Name("x"), Number(Fraction(3))), scale=None),
        step("points", Binary("*", Name("third"), Name("rate"))),
    ]
    return make_program(
        steps,
        kind="engagement",
        fields=(decimal_field("x"), make_field("size", code_table="sizes")),
        factors=(factor,),
        tables=(make_table("grade", "label", [("0", "silver"), ("7", "gold")]),),
        codes={"sizes": {"s": "small", "l": "large"}},
    )


def test_classes_tables_ratings_and_exact_fractions_are_told() -> None:
    lines = explain(rating_program(), act(x="7", size="s"), lang="en").lines()

    assert "size: written 's', class small by the code table sizes" in lines
    assert "factor rate (small) = 0.5, since 2024-01-01; no source stated" in lines
    cited = "source M1 云溪碳普惠方法学 table 3"
    assert f"table grade: 7 km lies in row 2 (from 7), since 2024-01-01; {cited}, rating gold" in lines
    assert "  rating: gold" in lines
    assert "  exactly 7/3 gCO2e" in lines
    assert "  not rounded: the exact value goes on" in lines
    assert "  with numbers (7/3) * 0.5" in lines
    assert "these points stand for no reduction" in lines


def test_a_refusal_in_the_middle_is_explained_up_to_there() -> None:
    found = explain(rating_program(), act(x="7", size="l"), lang="zh")

    assert found.lines()[-1] == "未换算：当日或该类别没有可用的系数（no-figure，rate）"
    assert found.lines()[-2] == "size：原文 'l'，按代码表 sizes 归为“large”"


def test_a_figures_day_of_confirmation_and_a_constant_behaviour_are_told() -> None:
    cite = Cite(ref="M1", confirmed=date(2026, 11, 1))
    factor = Factor(
        name="f", unit="1", by=None, values=(Dated(since=date(2024, 1, 1), value=Fraction(2), cite=cite),)
    )
    program = make_program([step("points", Name("f"))], kind="engagement", fields=(), factors=(factor,))
    fixed = make_field("behaviour", role="behaviour", constant="TRV-BUS", keys=())
    source = dataclasses.replace(
        program.source, fields=tuple(fixed if f.role == "behaviour" else f for f in program.source.fields)
    )

    lines = explain(dataclasses.replace(program, source=source), act(), lang="en").lines()

    assert "behaviour TRV-BUS: a constant of the mapping" in lines
    assert "factor f = 2, since 2024-01-01; source M1 云溪碳普惠方法学, last confirmed 2026-11-01" in lines
    assert "  to 0 decimals, nothing to round: 2 gCO2e" in lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("1/3", "1/3"),
        ("-1/3", "-1/3"),
        ("1/8", "0.125"),
        ("-5/2", "-2.5"),
        ("10", "10"),
        ("3/50", "0.06"),
    ],
)
def test_a_fraction_is_written_exactly(value: str, text: str) -> None:
    assert exact_text(Fraction(value)) == text


A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Binary("-", A, Binary("-", B, C)), "a - (b - c)"),
        (Binary("-", Binary("-", A, B), C), "a - b - c"),
        (Binary("-", Binary("+", A, B), C), "a + b - c"),
        (Binary("-", A, Binary("*", B, C)), "a - b * c"),
        (Binary("+", A, Binary("*", B, C)), "a + b * c"),
        (Binary("*", Binary("+", A, B), C), "(a + b) * c"),
        (Binary("/", A, Binary("*", B, C)), "a / (b * c)"),
        (Binary("/", Binary("*", A, B), C), "a * b / c"),
        (Binary("*", A, Binary("/", B, C)), "a * b / c"),
        (MinMax("min", (A, Binary("+", B, C))), "min(a, b + c)"),
        (Floor(Binary("/", A, Number(Fraction(24)))), "floor(a / 24)"),
        (Call("fare", A), "fare(a)"),
    ],
)
def test_an_expression_has_the_brackets_it_needs(expr: Any, text: str) -> None:
    assert expression_text(expr, str) == text


def test_a_negative_number_stands_in_brackets() -> None:
    assert expression_text(Binary("-", A, B), lambda _: "-2") == "(-2) - (-2)"
    assert expression_text(A, lambda _: "-2") == "-2"


def gaps(text: str) -> set[str]:
    """Give the named gaps of a sentence."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_everything_about_everything() -> None:
    zh, en = WORDS["zh"], WORDS["en"]

    assert set(zh.reasons) == set(en.reasons) == set(Rejection)
    assert set(zh.modes) == set(en.modes)
    for field in dataclasses.fields(Words):
        mine, theirs = getattr(zh, field.name), getattr(en, field.name)
        if isinstance(mine, str):
            assert mine != theirs, field.name
            assert gaps(mine) == gaps(theirs), field.name


def test_what_is_explained_is_what_is_converted() -> None:
    found = explain(yunxi(), TRIP, lang="zh")

    assert isinstance(found.outcome, Converted)
    assert (found.outcome.co2e_mg, found.outcome.points) == (1_465_480, 146)
