"""Limits of speed and duration, overlap and claims: exact at the edge, and said by name."""

import random
from typing import Any

import pytest

from gateway.bulk.columns import ColumnEvaluator
from gateway.convert.document import from_canonical
from gateway.convert.explain import explain
from gateway.convert.fast import FastEvaluator
from gateway.convert.interpret import Interpreter
from gateway.convert.limit_text import finding_texts
from gateway.convert.load import check_scheme
from gateway.convert.mutate import mutants
from gateway.convert.outcome import ActFinding, Converted, Refusal
from gateway.convert.own_acts import OwnActs
from gateway.convert.program import Program
from gateway.convert.roles import Roles, SourceReader
from gateway.model.codes import Rejection
from tests.unit.convert_front.documents import edited, load, shape

TIMES = shape("plausible_times")


def row(kind: str, *, seconds: int | None, **fields: str) -> dict[str, str]:
    """Make an act that starts at eight and takes that many seconds."""
    made = {"/id": "e", "/user": "p", "/kind": kind, "/from": "2025-03-10T08:00:00+08:00"}
    if seconds is not None:
        hours, rest = divmod(8 * 3600 + seconds, 3600)
        made["/to"] = f"2025-03-10T{hours:02}:{rest // 60:02}:{rest % 60:02}+08:00"
    return made | {f"/{name}": text for name, text in fields.items()}


def by_all(program: Program, fields: dict[str, str]) -> Converted | Refusal:
    """Evaluate in three ways, and require that they agree."""
    roles = SourceReader(program).read(fields)
    assert isinstance(roles, Roles)
    outcomes = [
        Interpreter(program).convert(fields),
        FastEvaluator(program).convert(fields, roles),
        ColumnEvaluator(program)
        .convert_batch([fields], SourceReader(program).read_columns([fields]))
        .outcomes()[0],
    ]
    seen = [
        one if isinstance(one, Refusal) else one._replace(trace=(), touched=frozenset()) for one in outcomes
    ]
    assert seen[0] == seen[1] == seen[2]
    return seen[0]


@pytest.mark.parametrize(
    ("seconds", "distance", "refused"),
    [
        (700, "7", False),  # 36 km/h to the second
        (699, "7", True),
        (701, "7", False),
        (1, "0.01", False),
        (1, "0.02", True),
        (0, "0.01", True),
        (2401, "1", True),  # 1.5 km/h: 2400 s
        (2400, "1", False),
    ],
)
def test_a_speed_is_compared_and_never_rounded(seconds: int, distance: str, refused: bool) -> None:
    outcome = by_all(load(TIMES), row("B", seconds=seconds, km=distance))

    if refused:
        assert outcome == Refusal(Rejection.IMPLAUSIBLE, "ride_speed", "expected 1.5 to 36 km/h")
    else:
        assert isinstance(outcome, Converted)


def test_an_act_beyond_a_limit_that_says_finding_is_counted_and_named_with_its_numbers() -> None:
    within = by_all(load(TIMES), row("C", seconds=1800, kwh="11"))
    beyond = by_all(load(TIMES), row("C", seconds=1799, kwh="11"))

    assert isinstance(within, Converted)
    assert isinstance(beyond, Converted)
    assert within.findings == ()
    assert beyond.findings == (ActFinding("charging_power", (110, 1799)),)
    assert beyond._replace(findings=()) == within


def test_an_act_may_have_several_findings() -> None:
    text = edited(
        TIMES,
        ('max: "1440", unit: min, then: reject', 'max: "1440", unit: min, then: finding'),
    )

    outcome = by_all(load(text), row("C", seconds=10, kwh="11"))

    assert isinstance(outcome, Converted)
    assert [finding.rule for finding in outcome.findings] == ["charging_power", "session_length"]


def test_a_limit_concerns_the_acts_that_it_names_only() -> None:
    ten_hours = by_all(load(TIMES), row("C", seconds=36_000, kwh="11"))

    assert isinstance(ten_hours, Converted)
    assert ten_hours.findings == ()


@pytest.mark.parametrize("kind", ["B", "C"])
def test_an_act_whose_time_is_limited_needs_its_end(kind: str) -> None:
    outcome = by_all(load(TIMES), row(kind, seconds=None, km="7", kwh="11"))

    assert isinstance(outcome, Refusal)
    assert (outcome.code, outcome.field) == (Rejection.MISSING_FIELD, "end")


def test_what_a_limit_needs_is_read_and_recorded_though_the_formula_does_not_use_it() -> None:
    text = edited(
        TIMES,
        ("TRV-BIKE: distance * per_km", 'TRV-BIKE: "500 * one"'),
        (
            "  per_kwh:",
            '  one: {unit: gCO2e, values: [{from: 2025-01-01, cite: M1, value: "1"}]}\n  per_kwh:',
        ),
        ('  per_km: {unit: gCO2e/km, values: [{from: 2025-01-01, cite: M1, value: "50"}]}\n', ""),
    )

    outcome = by_all(load(text), row("B", seconds=700, km="7"))

    assert isinstance(outcome, Converted)
    assert outcome.inputs == {"distance": 700}
    assert by_all(load(text), row("B", seconds=700)) == Refusal(
        Rejection.MISSING_FIELD, "distance", "expected a value, there is none"
    )


def test_a_record_is_recomputed_without_its_time() -> None:
    program = load(TIMES)
    converted = by_all(program, row("C", seconds=1000, kwh="11"))
    assert isinstance(converted, Converted)
    assert converted.findings

    again = FastEvaluator(program).convert_inputs(
        converted.inputs, behaviour="TRV-CHARGE", day=program.effective_from.toordinal()
    )

    assert again == converted._replace(findings=())


def test_no_document_text_reaches_the_generated_code() -> None:
    source = FastEvaluator(load(TIMES)).source

    assert "ride_speed" not in source
    assert "def guard(inputs, seconds):" in source
    assert "/ " not in source.split("def guard", 1)[1]


def test_margins_beyond_64_bits_take_the_exact_way() -> None:
    text = edited(TIMES, ('max: "36"', 'max: "36.000000000000000001"'))
    program = load(text)

    assert isinstance(by_all(program, row("B", seconds=700, km="7")), Converted)
    assert isinstance(by_all(program, row("B", seconds=699, km="7")), Refusal)


def test_acts_without_any_input_are_held_to_a_time_beyond_64_bits() -> None:
    text = edited(
        TIMES.partition("tests:")[0] + "tests:\n  - {name: no act, given: {}, reject: unknown-code}\n",
        ("min: \"1.5\", max: \"36\", unit: km/h, then: reject, behaviours: [TRV-BIKE]",
         "min: \"1.5\", max: \"36\", unit: km/h, then: reject, behaviours: [TRV-CHARGE]"),
        ("TRV-BIKE: distance * per_km", 'TRV-BIKE: "500 * one"'),
        ("  per_km: {unit: gCO2e/km,", "  one: {unit: gCO2e,"),
        ('max: "2.5"', 'max: "2.500000000000000000001"'),
    )  # fmt: skip
    program = load(text)

    longer, as_long = (by_all(program, row("B", seconds=seconds)) for seconds in (9001, 9000))

    assert program.formula.needs["TRV-BIKE"] == ()
    assert isinstance(longer, Converted)
    assert isinstance(as_long, Converted)
    assert (longer.findings, as_long.findings) == ((ActFinding("ride_length", (9001,)),), ())


def test_a_finding_beyond_64_bits_is_the_same_in_a_batch() -> None:
    program = load(edited(TIMES, ('max: "22"', 'max: "22.000000000000000001"')))

    stronger, weaker = (by_all(program, row("C", seconds=1800, kwh=kwh)) for kwh in ("11.1", "11"))

    assert isinstance(stronger, Converted)
    assert isinstance(weaker, Converted)
    assert (stronger.findings, weaker.findings) == ((ActFinding("charging_power", (111, 1800)),), ())


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        (
            "en",
            [
                "limit charging_power: 11 kWh in 1000 s, allowed at most 22 kWh/h: beyond",
                "limit session_length: 1000 s, allowed 3 to 1440 min: within",
                "finding charging_power: 11.0 kWh / 1000 s, expected ≤ 22 kWh/h; "
                "counted all the same and set aside for people",
            ],
        ),
        (
            "zh",
            [
                "合理性限值 charging_power：11 kWh，用时 1000 秒，允许 至多 22 kWh/h：超出",
                "合理性限值 session_length：用时 1000 秒，允许 3 至 1440 min：符合",
                "疑点 charging_power：11.0 kWh / 1000 s，规则为 ≤ 22 kWh/h；照常计入，另列供人工核查",
            ],
        ),
    ],
)
def test_an_explanation_names_each_limit_and_its_numbers(lang: Any, said: list[str]) -> None:
    told = explain(load(TIMES), row("C", seconds=1000, kwh="11"), lang=lang)

    assert [item.text for item in told.items if item.kind in {"limit", "finding"}] == said


def test_an_explanation_names_the_rule_that_rejects() -> None:
    too_fast = explain(load(TIMES), row("B", seconds=600, km="7"), lang="en")
    claim = explain(load(TIMES), row("C", seconds=1800, kwh="11", claim="230"), lang="en")

    assert too_fast.outcome == Refusal(Rejection.IMPLAUSIBLE, "ride_speed", "expected 1.5 to 36 km/h")
    assert too_fast.lines()[-1] == "not converted: the content is not plausible (implausible, ride_speed)"
    assert claim.outcome == Refusal(
        Rejection.IMPLAUSIBLE,
        "claimed_reduction",
        "expected 220000 ± 500 mg, not 230000 mg",
    )


OVERLAP_ALONE = (
    TIMES.partition("    speed:")[0]
    + "    overlap: {of: person"
    + TIMES.partition("    overlap: {of: person")[2].partition("tests:")[0]
    + "tests:\n  - {name: no act, given: {}, reject: unknown-code}\n"
)


@pytest.mark.parametrize(
    ("held", "behaviour", "code"),
    [
        ("", "B", Rejection.MISSING_FIELD),
        ("", "C", Rejection.MISSING_FIELD),
        (", behaviours: [TRV-CHARGE]", "B", None),
        (", behaviours: [TRV-CHARGE]", "C", Rejection.MISSING_FIELD),
    ],
)
def test_acts_that_may_not_overlap_need_an_end_though_nothing_else_is_held_to_it(
    held: str, behaviour: str, code: Rejection | None
) -> None:
    text = edited(OVERLAP_ALONE, ('remember: "30"', f'remember: "30"{held}'))

    found = by_all(load(text), row(behaviour, seconds=None, km="1", kwh="1"))

    assert (found[:2] if isinstance(found, Refusal) else None) == (code and (code, "end"))


def test_versions_may_hold_other_things_plausible_but_read_the_same_rows() -> None:
    second = edited(
        TIMES,
        ("version: 1\n", "version: 2\nsupersedes: 1\n"),
        ("{from: 2025-01-01, basis", "{from: 2025-06-01, basis"),
    )
    judged_otherwise = edited(second, ('tolerance: "60"', 'tolerance: "0"'), ('max: "36"', 'max: "30"'))
    read_otherwise = edited(second, ("path: /km", "path: /km_ridden")).replace(" km: ", " km_ridden: ")

    assert check_scheme([load(TIMES), load(judged_otherwise)]) == ()
    refused = check_scheme([load(TIMES), load(read_otherwise)])
    assert [finding.pointer for finding in refused] == ["/source"]


def test_each_limit_and_each_consequence_is_mutated() -> None:
    changed = {
        (mutant.kind, mutant.pointer.removeprefix("/source/"), mutant.new)
        for mutant in mutants(from_canonical(load(TIMES).canonical).value)
        if mutant.pointer.startswith("/source/")
    }

    assert ("limit", "plausibility/speed/0/max", "35") in changed
    assert ("limit", "plausibility/speed/0/max", "37") in changed
    assert ("limit", "plausibility/speed/0/min", "1.4") in changed
    assert ("limit", "plausibility/duration/0/max", "2.6") in changed
    assert ("limit", "plausibility/overlap/tolerance", "61") in changed
    assert ("limit", "claim_tolerance/value", "0.4") in changed
    assert ("then", "plausibility/overlap/then", "finding") in changed
    assert ("then", "plausibility/duration/0/then", "reject") in changed


def test_the_largest_overlap_is_found_whatever_the_order_of_acts() -> None:
    rng = random.Random(20261122)
    for _ in range(400):
        spans = [(start, start + rng.choice((0, 1, 5, 30))) for start in rng.choices(range(60), k=8)]
        start = rng.randrange(60)
        end = start + rng.choice((0, 1, 7, 40))
        straight = max(min(end, other_end) - max(start, other) for other, other_end in spans)

        acts = OwnActs(spans[:4])
        for span in spans[4:]:
            acts.add(*span)

        assert acts.overlap(start, end, enough=1_000) == straight, (spans, start, end)
        found = acts.overlap(start, end, enough=3)
        assert found is not None
        assert (found > 3) == (straight > 3)


def test_acts_that_touch_do_not_overlap() -> None:
    assert OwnActs().overlap(0, 10, enough=0) is None
    assert OwnActs([(0, 10)]).overlap(10, 20, enough=0) == 0
    assert OwnActs([(0, 10)]).overlap(15, 20, enough=0) == -5
    assert OwnActs([(15, 20)]).overlap(0, 10, enough=0) == -5
    assert OwnActs([(0, 10)]).overlap(9, 20, enough=0) == 1
    assert OwnActs([(0, 100)]).overlap(50, 50, enough=0) == 0


def test_a_finding_of_a_range_says_both_of_its_sides() -> None:
    text = edited(TIMES, ('max: "1440", unit: min, then: reject', 'max: "1440", unit: min, then: finding'))
    program = load(text)

    assert finding_texts(program, ActFinding("session_length", (10,))) == ("10 s", "≥ 3, ≤ 1440 min")
    assert finding_texts(program, ActFinding("overlap", (61,))) == ("61 s", "≤ 60 s")
    assert finding_texts(program, ActFinding("claimed_points", (10, 5))) == ("10 points", "5 points")
