"""Embedded tests fail when they should, and coverage and mutation tell what they leave out."""

import pytest

from gateway.convert.coverage import measure, producible_rejections
from gateway.convert.document import Value, from_canonical, leaves
from gateway.convert.interpret import Interpreter
from gateway.convert.mutate import mutants
from gateway.convert.selftest import run_tests, source_fields
from gateway.convert.survivors import fates
from tests.unit.convert_front.documents import SCHEMA, YUNXI, edited, load, shape


def faults(text: str) -> dict[str, tuple[str, ...]]:
    program = load(text)
    return {r.name: r.faults for r in run_tests(program, Interpreter(program).convert) if r.faults}


def test_the_example_passes_its_own_tests() -> None:
    assert faults(YUNXI) == {}


@pytest.mark.parametrize("name", ["claimed_csv", "engagement", "plausible_times", "unmapped"])
def test_the_examples_of_claims_caps_overlaps_and_unmapped_acts_pass_their_own_tests(name: str) -> None:
    assert faults(shape(name)) == {}


@pytest.mark.parametrize(
    ("edit", "name", "fault"),
    [
        (('reduction: "126.839"', 'reduction: "126.838"'), "tie", "expected reduction 126.838, got 126.839"),
        (('"126.839", points: 12}', '"126.839", points: 13}'), "tie", "expected points 13, got 12"),
        (
            ("reject: unknown-code", "reject: no-figure"),
            "unknown",
            "the rejection no-figure, got unknown-code (behaviour",
        ),
        (("reject: unknown-code", "expect: {points: 0}"), "unknown", "expected a result, got unknown-code"),
        (
            ('expect: {reduction: "126.839", points: 12}', "reject: no-figure"),
            "tie",
            "got reduction 126.839, points 12",
        ),
    ],
)
def test_a_test_that_expects_something_else_fails(edit: tuple[str, str], name: str, fault: str) -> None:
    (found,) = faults(edited(YUNXI, edit))[name]

    assert fault in found


def test_a_label_and_a_sequence_fail_at_the_act_that_differs() -> None:
    rating = edited(
        shape("rating"), ('{grade: 浅绿, points: "20", reduction: "50"}', '{grade: 中绿, points: "20"}')
    )
    capped = edited(
        shape("engagement"), ('expect: {points: "0", uncapped: "5"}', 'expect: {points: "1", uncapped: "5"}')
    )

    assert list(faults(rating).values()) == [("expected grade 中绿, got 浅绿",)]
    assert faults(capped) == {"ten points a day": ("act 3: expected points 1, got 0",)}


def test_an_event_and_a_person_left_out_are_filled_in() -> None:
    program = load(shape("claimed_csv"))

    row = source_fields(program, {"袋数": "1", "会员号": "m"}, label="e", person="p")

    assert row == {"袋数": "1", "会员号": "m", "门店": "e", "小票号": "e"}


def test_what_another_field_reads_is_never_filled_in() -> None:
    program = load(shape("engagement"))

    row = source_fields(program, {"act": "签到"}, label="e", person="p")

    assert row == {"/act": "签到", "/serial": "e", "/uid": "p"}


def test_coverage_names_what_no_test_touches() -> None:
    coverage = measure(load(YUNXI))

    assert [str(rule) for rule in coverage.untouched] == [
        "cap daily above",
        "cap daily below",
        "cap daily hit",
        "code mode 02",
        "factor act 2024-01-01 TRV-BUS",
        "factor act 2025-07-01 TRV-BUS",
        "factor act 2025-07-01 TRV-EBIKE",
        "rejection malformed-row",
        "rejection mapping-not-in-force",
        "rejection missing-field",
        "rejection no-reduction",
        "rejection out-of-bounds",
        "rounding points tie",
    ]
    assert {rule.kind for rule in coverage.missing} == {"code", "factor", "rejection"}


def test_figures_outside_the_days_of_a_mapping_are_not_asked_for() -> None:
    text = shape("baseline_minus_activity")
    later = edited(
        text, ('{from: 2025-12-31, cite: M1, value: "56"}', '{from: 2026-01-01, cite: M1, value: "56"}')
    )

    assert "factor grid 2025-12-31" in map(str, measure(load(text)).rules)
    assert "factor grid 2026-01-01" not in map(str, measure(load(later)).rules)


def test_rejections_follow_from_the_document() -> None:
    assert sorted(producible_rejections(load(YUNXI))) == [
        "excess-digits",
        "malformed-row",
        "mapping-not-in-force",
        "missing-field",
        "no-reduction",
        "not-a-decimal",
        "out-of-bounds",
        "unknown-code",
    ]
    late = edited(YUNXI, ("late: counts_on_activity_day", "late: reject, when_full: reject"))
    gone = edited(
        YUNXI,
        (
            'TRV-BUS: "52.371", TRV-EBIKE: "11.007"}}\n      - {from: 2025-07',
            'TRV-EBIKE: "11.007"}}\n      - {from: 2025-07',
        ),
    )
    assert producible_rejections(load(late)) - producible_rejections(load(YUNXI)) == {"late", "capped-out"}
    assert producible_rejections(load(gone)) - producible_rejections(load(YUNXI)) == {"no-figure"}


def test_each_rule_of_a_document_has_its_mutants() -> None:
    found = [(m.kind, m.description) for m in mutants(from_canonical(load(shape("rating")).canonical).value)]

    assert ("boundary", "/tables/grades/values/0/rows/1/at: 50 -> 51") in found
    assert ("boundary", "/tables/grades/values/0/rows/1/at: 50 -> 49") in found
    assert ("comparison", "/tables/grades/boundary: above -> from") in found
    assert ("comparison", "/tables/bonus/boundary: from -> above") in found
    assert ("figure", "/tables/bonus/values/0/rows/1/value: 20 -> 21") in found
    assert ("rounding", "/formula/0/round/mode: half_up -> half_even") in found
    assert ("date", "/effective/until: 2026-01-01 -> 2025-12-31") in found
    assert len({description for _, description in found}) == len(found)


def test_mutants_move_by_the_last_written_digit() -> None:
    found = [m.description for m in mutants(from_canonical(load(YUNXI).canonical).value)]

    assert "/factors/baseline/values/0/value: 180.125 -> 180.124" in found
    assert "/factors/act/values/1/value/TRV-METRO: 31.900 -> 31.901" in found
    assert "/formula/1/expr: reduction / 10 -> reduction / 11" in found
    assert "/credit/caps/0/max: 200 -> 201" in found
    assert len(found) == 2 * (1 + 6 + 1 + 1 + 3 + 1) + 2 * 6


def test_a_mutant_that_no_test_notices_survives() -> None:
    fate = {one.mutant.description: one for one in fates(load(YUNXI), SCHEMA)}

    assert fate["/credit/caps/0/max: 200 -> 201"].fate == "survived"
    assert fate["/factors/act/values/0/value/TRV-BUS: 52.371 -> 52.372"].fate == "survived"
    assert fate["/factors/baseline/values/0/value: 180.125 -> 180.126"].reason == "test plain"
    assert fate["/formula/0/round/mode: half_up -> half_even"].reason == "test tie"
    assert fate["/formula/1/round/mode: floor -> down"].fate == "equivalent"
    assert fate["/factors/baseline/values/0/from: 2024-01-01 -> 2024-01-02"].fate == "equivalent"


def test_dropping_the_test_of_a_tie_lets_its_mutant_survive() -> None:
    dropped = "\n".join(
        line for line in shape("whole_days").splitlines() if "tie after an even digit" not in line
    )

    survived = [one.mutant.description for one in fates(load(dropped), SCHEMA) if one.fate == "survived"]

    assert survived == ["/formula/2/round/mode: half_up -> half_even"]


SHARE = (
    "    event:",
    "    share: {path: /share, type: decimal, scale: 3, min: '0.001', max: '0.999'}\n    event:",
)


@pytest.mark.parametrize(
    ("expr", "shown"),
    [
        pytest.param(" * ".join(["share"] * 13), f"0.{111**13:039}", id="39 decimals are written out"),
        pytest.param(
            " * ".join(["share"] * 12) + " * 0.0001", f"{111**12}/{10**40}", id="40 decimals are a fraction"
        ),
        pytest.param("share / 7", "111/7000", id="what has no end is a fraction"),
        pytest.param("0 - share", "-0.111", id="a small negative value keeps its sign"),
    ],
)
def test_what_came_instead_is_shown_exactly(expr: str, shown: str) -> None:
    text = edited(
        YUNXI,
        SHARE,
        ("formula:\n", f"formula:\n  - {{name: middle, unit: '1', expr: {expr}}}\n"),
        ('uid: b}, expect: {reduction: "126.839"', 'uid: b, share: "0.111"}, expect: {middle: 浅绿'),
    )

    assert faults(text)["tie"] == (f"expected middle 浅绿, got {shown}",)


def test_an_act_of_a_sequence_may_be_refused_before_it_comes_to_its_caps() -> None:
    kept = "  - name: two quizzes a day\n    sequence:\n"
    act = "act: 答题, owner: 个人, right_answers: 三, day: '2025-03-10'"
    refused = f"      - {{given: {{{act}}}, reject: not-a-decimal}}\n"

    assert faults(edited(shape("engagement"), (kept, kept + refused))) == {}


def test_an_act_of_a_sequence_that_is_refused_by_itself_is_never_too_late() -> None:
    late = '      - {given: {act: bag, day: "2025-03-11"}, accepted: 2025-03-12, reject: late}'
    pool = late.replace("bag", "pool").replace("reject: late", "reject: unmapped")

    assert faults(edited(shape("unmapped"), (late, f"{late}\n{pool}"))) == {}


def capped_claims(*acts: str) -> str:
    """Make a document of two claimed bags a day and a sequence of acts."""
    cap = (
        "{name: daily, of: acts, per: [person, local_day], max: '2', order: accepted_sequence, late: reject,"
        " when_full: reject}"
    )
    given = "      - {given: {袋数: '1', 购物时间: '2025-03-10 18:30:00', 减排量: "
    return edited(
        shape("claimed_csv"),
        ('{value: "0.5", unit: gCO2e}', '{value: "0.5", unit: gCO2e, then: reject}'),
        ("kind: gram}", f"kind: gram, caps: [{cap}]}}"),
        (
            "tests:\n",
            "tests:\n  - name: bags\n    sequence:\n" + "".join(f"{given}{act}}}\n" for act in acts),
        ),
    )


def test_an_act_whose_claim_is_refused_leaves_the_cap_as_it_was() -> None:
    good, wrong = "'5.2'}, expect: {reduction: '5.2'}", "'9.9'}, reject: implausible"
    full = "'5.2'}, reject: capped-out"

    assert faults(capped_claims(good, wrong, wrong, good, full)).get("bags") is None
    assert faults(capped_claims(wrong, good, full, full))["bags"] == (
        "act 3: expected the rejection capped-out, got reduction 5.2, points 16, uncapped 16",
    )


@pytest.mark.parametrize(
    ("claim", "side"), [("5.6", "under"), ("5.7", "at"), ("4.7", "at"), ("5.8", "over"), ("4.6", "over")]
)
def test_on_which_side_of_its_tolerance_a_claim_lies_is_noted(claim: str, side: str) -> None:
    act = f"'{claim}'}}, expect: {{reduction: '5.2'}}"
    text = capped_claims(act).replace(", then: reject", "")

    (result,) = [one for one in run_tests(load(text), Interpreter(load(text)).convert) if one.name == "bags"]

    assert ("limit", "claimed_reduction", "max", side) in result.acts[0].touched


def test_each_change_of_a_document_is_one_neighbour_in_one_place() -> None:
    values: list[Value] = [
        {"from": day, "value": "1.50"} for day in ("2025-01-01", "2025-03-01", "2025-12-31")
    ]
    document: Value = {"factors": {"f": {"values": values}}, "title": "1"}

    found = [(mutant.pointer, mutant.new, mutant.document) for mutant in mutants(document)]

    changes = {(pointer, new) for pointer, new, _ in found}
    assert changes == {
        *((f"/factors/f/values/{n}/value", new) for n in range(3) for new in ("1.49", "1.51")),
        ("/factors/f/values/0/from", "2024-12-31"), ("/factors/f/values/0/from", "2025-01-02"),
        ("/factors/f/values/1/from", "2025-02-28"), ("/factors/f/values/1/from", "2025-03-02"),
        ("/factors/f/values/2/from", "2025-12-30"), ("/factors/f/values/2/from", "2026-01-01"),
    }  # fmt: skip
    for pointer, new, changed in found:
        assert {at: text for at, text in leaves(changed) if (at, text) not in set(leaves(document))} == {
            pointer: new
        }
        assert len(list(leaves(changed))) == 7


def test_windows_move_by_a_day_and_consequences_are_turned_round() -> None:
    document: Value = {
        "source": {
            "claim_window": {"opens": "P2D", "closes": "P10D"},
            "claim_tolerance": {"then": "reject"},
            "plausibility": {"overlap": {"then": "finding"}},
        }
    }

    assert {(one.kind, one.pointer.removeprefix("/source/"), one.new) for one in mutants(document)} == {
        ("window", "claim_window/opens", "P1D"),
        ("window", "claim_window/opens", "P3D"),
        ("window", "claim_window/closes", "P9D"),
        ("window", "claim_window/closes", "P11D"),
        ("then", "claim_tolerance/then", "finding"),
        ("then", "plausibility/overlap/then", "reject"),
    }
