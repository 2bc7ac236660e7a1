"""Every document of this repository, row by row of its own tests, through all three evaluators."""

from pathlib import Path

import pytest

from gateway import resources
from gateway.bulk.columns import ColumnEvaluator
from gateway.convert import FastEvaluator, Interpreter, Program, Refusal, load_program
from gateway.convert.explain import explain
from gateway.convert.roles import Roles, SourceReader
from gateway.convert.selftest import source_fields

HERE = Path(__file__).parent
SCHEMA = resources.schema("mapping")
DOCUMENTS = dict(resources.shipped_mappings()) | {
    path.relative_to(HERE).as_posix(): path.read_bytes() for path in sorted(HERE.glob("*/*.v1.yaml"))
}


def load(name: str) -> Program:
    return load_program(DOCUMENTS[name], SCHEMA, name=name)


def rows_of(program: Program) -> list[dict[str, str]]:
    given = [
        act["given"]  # type: ignore[index]  # a mapping, by the schema
        for test in program.tests
        for act in test.get("sequence", [test])  # type: ignore[attr-defined]  # a list
    ]
    return [source_fields(program, row, label=str(number), person="p") for number, row in enumerate(given)]


def seen(outcome: object) -> object:
    if isinstance(outcome, Refusal):
        return outcome.code, outcome.field
    return outcome._replace(touched=frozenset(), trace=())  # type: ignore[attr-defined]  # the other outcome


@pytest.mark.parametrize("name", DOCUMENTS)
def test_three_evaluators_agree_on_the_rows_of_a_document(name: str) -> None:
    program = load(name)
    rows = rows_of(program)
    exact, fast, bulk = Interpreter(program), FastEvaluator(program), ColumnEvaluator(program)
    columns = SourceReader(program).read_columns(rows)
    found = bulk.convert_batch(rows, columns).outcomes()

    for row, roles, outcome in zip(rows, columns.roles(), found, strict=True):
        online = fast.convert(row, roles) if isinstance(roles, Roles) else roles
        assert seen(exact.convert(row)) == seen(online) == seen(outcome), row


def explained(name: str, row: dict[str, str], *, lang: str) -> list[str]:
    program = load(f"shapes/{name}.v1.yaml")
    fields = source_fields(program, dict(row), label="e", person="p")
    return explain(program, fields, lang=lang).lines()  # type: ignore[arg-type]  # zh or en


def test_why_a_kind_of_act_has_no_figure_is_explained_in_both_languages() -> None:
    row = {"act": "pool", "day": "2025-03-10"}

    assert explained("unmapped", row, lang="zh")[-3:-1] == [
        "未换算：平台有此类行为，但未公布系数（unmapped，behaviour）",
        "  原因：合乘的减排系数未公布",
    ]
    english = explained("unmapped", row, lang="en")
    assert (
        "behaviour TRV-POOL: code 'pool' of the code table acts, the platform's kind of act is narrower"
        in english
    )
    assert english[-3:-1] == [
        "not converted: the platform has this kind of act, and no figure is published (unmapped, behaviour)",
        "  because the figure for car pooling is not published",
    ]
    assert english[1] == "the programme ended on 2025-12-31: 云溪平台停止运营, 未公布余额 (虚构)"


def test_a_platform_without_figures_is_shown_as_one() -> None:
    lines = explained("unpublished", {"act": "metro", "day": "2025-03-10"}, lang="en")

    assert (
        lines[1]
        == "no figure of this platform is published: its kinds of act are known, nothing is converted"
    )


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", ["减排量 541900 mg CO2e", "积分规则未公布，只计减排量"]),
        ("en", ["reduction 541900 mg CO2e", "no rule of points is published: the reduction alone counts"]),
    ],
)
def test_a_reduction_without_a_rule_of_points_is_explained(lang: str, said: list[str]) -> None:
    assert explained("no_points", {"day": "2015-03-10"}, lang=lang)[-2:] == said


def test_the_days_of_a_claim_are_explained_with_their_source() -> None:
    row = {"act": "bus", "start": "2025-03-10T08:00:00+08:00"}

    lines = explained("claimed_in_time", row, lang="en")

    assert lines[-2] == "not converted: it has not been claimed (unclaimed, claimed_at)"
    assert lines[-1].startswith(
        "  to be claimed from 2 days after the act on, before 9 days after it; source M1"
    )


def test_a_rating_and_a_figures_confidence_are_explained() -> None:
    rated = explained("rating_only", {"kg": "60", "last_day_of_quarter": "2025-03-31"}, lang="zh")
    bag = explained("unmapped", {"act": "bag", "day": "2025-03-10"}, lang="zh")

    assert rated[-2:] == ["  评级：中绿", "本规则只评级，不产生减排量和积分"]
    assert (
        "系数 per_use = 5 gCO2e/use，自 2025-01-01 起；依据 M1《云溪碳普惠报道 (虚构)》，2024 年转述值" in bag
    )
