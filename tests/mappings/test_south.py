"""The rules of the mappings from Chengdu to Shenzhen, said once more in other words than the documents'."""

from fractions import Fraction
from functools import cache
from itertools import product

import pytest

from gateway import resources
from gateway.convert.document import from_canonical
from gateway.convert.interpret import Interpreter
from gateway.convert.load import load_program
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Program
from gateway.convert.roles import Roles, SourceReader
from gateway.convert.selftest import source_fields

SCHEMA = resources.schema("mapping")
SHIPPED = dict(resources.shipped_mappings())
LVBAO, STUDY = "cn-361000-lvbao/acts.v1.yaml", "cn-440100-metro-study/trips.v1.yaml"
ELECTRICITY, CDCER = "cn-440300-shenzhen/electricity.v1.yaml", "cn-510100-tanhuitianfu/projects.v1.yaml"
RESTORATION = "cn-510000-diandian/judicial-restoration.v1.yaml"
DAZHOU_1, DAZHOU_2 = "cn-511700-dazhou-bus/rides.v1.yaml", "cn-511700-dazhou-bus/rides.v2.yaml"
UNPUBLISHED = (
    "cn-310000-hutanpuhui/travel.v1.yaml",
    "cn-330800-quzhou/acts.v1.yaml",
    "cn-371003-wendeng-rcb/acts.v1.yaml",
    "cn-510100-tanhuijiaotong/rides.v1.yaml",
    "cn-510100-tanhuitianfu/shiyun.v1.yaml",
    "cn-630100-xining/points.v1.yaml",
)


@cache
def load(name: str) -> Program:
    return load_program(SHIPPED[name], SCHEMA, name=name)


@cache
def interpreter(name: str) -> Interpreter:
    return Interpreter(load(name))


def converted(name: str, given: dict[str, str]) -> Converted | Refusal:
    program = load(name)
    return interpreter(name).convert(source_fields(program, dict(given), label="e", person="p"))


def steps(outcome: Converted | Refusal) -> dict[str, Fraction | str]:
    """Return each step by its value or label."""
    assert isinstance(outcome, Converted), outcome
    return {step.name: step.value if step.label is None else step.label for step in outcome.trace}


def _walk(steps: int) -> dict[str, str]:
    return {"/scene": "步行", "/date": "2022-06-05", "/quantity/steps": str(steps)}


def _study(method: str, trips: str) -> dict[str, str]:
    return {"核算方法": method, "人次": trips, "日期": "2015-12-31"}


def _rides(paid: int, free: int = 0, day: str = "20230531") -> dict[str, str]:
    return {"付费乘车次数": str(paid), "免费券乘车次数": str(free), "统计日期": day}


def _home(used: str, *, persons: str, city: str, own: str) -> dict[str, str]:
    means = {"登记人数": persons, "全市人均日用电量": city, "前七日日均用电量": own}
    return {"权属": "居民", "当日用电量": used, "用电日期": "20220701"} | means


def test_the_study_of_guangzhou_gives_the_totals_that_it_names() -> None:
    totals = [converted(STUDY, _study(method, "2400000000")) for method in ("替代法", "均值法")]

    million_tonnes = [
        outcome.co2e_mg / Fraction(10**15) for outcome in totals if isinstance(outcome, Converted)
    ]
    assert [round(total, 2) for total in million_tonnes] == [Fraction("1.30"), Fraction("1.24")]


def test_a_household_is_held_to_the_city_below_its_mean_and_to_itself_above() -> None:
    """The rule once more, in other words than the document's: no table, no common baseline."""
    for used, persons, city, own in product(range(0, 15, 2), (1, 3), ("2.5", "4"), range(0, 15, 3)):
        mean = persons * Fraction(city)
        saved = mean - used if used <= mean else Fraction(own) - used
        grams = saved * Fraction("312.5")

        outcome = converted(ELECTRICITY, _home(str(used), persons=str(persons), city=city, own=str(own)))

        if grams < 1:
            assert isinstance(outcome, Refusal)
            assert outcome.code == "no-reduction"
        else:
            assert isinstance(outcome, Converted)
            assert (outcome.co2e_mg, outcome.points) == (int(grams) * 1000, 0)


@pytest.mark.parametrize("rides", [0, 1, 20, 199, 200, 201, 400])
def test_a_ride_in_dazhou_gives_a_point_however_many_are_refundable(rides: int) -> None:
    before = converted(DAZHOU_1, _rides(rides, free=2))
    since = converted(DAZHOU_2, _rides(rides, free=2, day="20231001"))

    assert steps(before) == {"refundable": min(rides, 200), "points": rides + 2}
    assert steps(since) == {"points": rides + 2}


@pytest.mark.parametrize(
    ("steps", "coins"), [(0, 0), (1999, 0), (2000, 1), (3999, 1), (4000, 2), (20001, 10)]
)
def test_whole_thousands_of_steps_count_in_fuzhou(steps: int, coins: int) -> None:
    outcome = converted(LVBAO, _walk(steps))

    assert isinstance(outcome, Converted)
    assert outcome.points == coins


@pytest.mark.parametrize("name", UNPUBLISHED)
def test_a_document_without_figures_knows_acts_and_no_number_of_them(name: str) -> None:
    program = load(name)
    document = from_canonical(program.canonical).value

    assert program.status == "unpublished"
    assert program.behaviours == ()
    assert program.unmapped
    assert isinstance(document, dict)
    assert not document.keys() & {"factors", "tables", "formula"}


@pytest.mark.parametrize(
    ("name", "row", "owner"),
    [
        (CDCER, {"碳减排量": "30", "登记日期": "2025年6月5日"}, "project"),
        (
            RESTORATION,
            {"/units/tonnes": "30", "/purpose/kind": "司法替代性修复", "/retired_on": "2025-12-15"},
            "retired",
        ),
    ],
)
def test_tonnes_of_projects_and_of_retirements_are_no_residents(
    name: str, row: dict[str, str], owner: str
) -> None:
    program = load(name)
    fields = source_fields(program, dict(row), label="e", person="p")
    roles = SourceReader(program).read(fields)
    outcome = Interpreter(program).convert(fields)

    assert isinstance(roles, Roles)
    assert isinstance(outcome, Converted)
    assert (outcome.co2e_mg, outcome.points, roles.ownership) == (30 * 10**9, 0, owner)


def test_a_retirement_names_certificate_origin_and_case_and_commits_to_all_three() -> None:
    program = load(RESTORATION)
    (event,) = [field for field in program.source.fields if field.role == "event"]

    assert event.keys == ("/certificate_no", "/units/origin", "/purpose/case_reference")
