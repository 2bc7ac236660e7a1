"""What a well-formed document may not mean: each edit of an example is refused at the value that is wrong."""

import pytest

from tests.unit.convert_front.documents import YUNXI, edited, findings, load, shape

DISTANCE = 'unit: km, scale: 3, excess_digits: reject, min: "0", max: "300"'
REDUCTION = "expr: distance * (baseline - act), round: {scale: 3, mode: half_up}"
POINTS = "expr: reduction / 10, round: {scale: 0, mode: floor}"
CAP = "max: 200, order: accepted_sequence, late: counts_on_activity_day}"

CASES = [
    # names
    (("distance * (baseline - act)", "distance * (base - act)"), "name", "/formula/0/expr", "got base"),
    (("distance * (baseline - act)", "points * (baseline - act)"), "name", "/formula/0/expr", "got points before it is made"),
    (("distance * (baseline - act)", "curve(distance) * act"), "name", "/formula/0/expr", "got curve(...)"),
    (("by: behaviour", "by: season"), "name", "/factors/act/by", "got season"),
    (("code_table: mode}", "code_table: kind}"), "name", "/source/fields/behaviour/code_table", "got kind"),
    (("  baseline: {unit", "  distance: {unit"), "name", "/factors/distance", "an input already"),
    (("{name: points, unit", "{name: act, unit"), "name", "/formula/1", "a factor already"),
    (("  baseline: {unit", "  min: {unit"), "name", "/factors/min", "a function already"),
    (('{TRV-METRO: "31.900"', '{TRV-WALK: "31.900"'), "name", "/factors/act/values/1/value/TRV-WALK", "got TRV-WALK"),
    # units
    ((DISTANCE, DISTANCE.replace("km", "trip")), "unit", "/formula/0/expr", "expected gCO2e as declared, got gCO2e*trip/km"),
    (("baseline: {unit: gCO2e/km", "baseline: {unit: kgCO2e/km"), "unit", "/formula/0/expr", "equal units beside -"),
    (("distance * (baseline - act)", "distance * (baseline - 2)"), "unit", "/formula/0/expr", "got gCO2e/km and 1"),
    (("distance * (baseline - act)", "'min(distance, baseline)'"), "unit", "/formula/0/expr", "beside min"),
    (("reduction / 10", "reduction"), "unit", "/formula/1/expr", "expected cn-000000/yunxi-point as declared, got gCO2e"),
    (("baseline: {unit: gCO2e/km", "baseline: {unit: gCO2e//km"), "unit", "/factors/baseline/unit", "got 'gCO2e//km'"),
    (("unit: cn-000000/yunxi-point\n", "unit: cn-000000/other-point\n"), "unit", "/formula/1/unit", "the credit unit"),
    (("{name: reduction, unit: gCO2e", "{name: reduction, unit: km"), "unit", "/formula/0/unit", "expected one of mgCO2e"),
    # bounds
    (("reduction / 10", "reduction / (distance - 1)"), "bounds", "/formula/1/expr", "never zero, got -1 to 299"),
    (("reduction / 10", "reduction / 0"), "bounds", "/formula/1/expr", "never zero"),
    (("reduction / 10", "0 - reduction / 10"), "bounds", "/formula/1/expr", "expected points of at least 0"),
    (("reduction / 10", "reduction * 1000000000000000"), "bounds", "/formula/1/expr", "expected points below 2^63"),
    ((DISTANCE, DISTANCE.replace("300", "300000000000000")), "bounds", "/formula/0/expr", "a reduction below 2^63 mg"),
    ((DISTANCE, DISTANCE.replace("300", "3" * 39)), "bounds", "/formula/0/expr", "below 2^63 mg, got up to"),
    ((DISTANCE, DISTANCE.replace('"300"', '"-1"')), "bounds", "/source/fields/distance/max", "max not below min 0"),
    ((DISTANCE, DISTANCE.replace('min: "0", ', "")), "bounds", "/source/fields/distance", "expected min and max"),
    ((DISTANCE, DISTANCE.replace('"300"', '"0.0001"')), "scale", "/source/fields/distance/max", "at most 3 decimals"),
    # rounding
    ((REDUCTION, "expr: distance * (baseline - act)"), "round", "/formula/0", "a rounding of the reduction"),
    ((REDUCTION, REDUCTION.replace("scale: 3", "scale: 4")), "round", "/formula/0/round", "whole mg, got gCO2e with 4"),
    ((POINTS, POINTS.replace("scale: 0", "scale: 1")), "round", "/formula/1", "points rounded to scale 0"),
    ((POINTS, "expr: reduction / 10"), "round", "/formula/1", "points rounded to scale 0"),
    # dates
    (("from: 2025-03-01", "from: 2025-02-29"), "date", "/effective/from", "a day of the calendar"),
    (("from: 2025-03-01,", "from: 2025-03-01, until: 2025-03-01,"), "date", "/effective/until", "a day after 2025-03-01"),
    (("from: 2025-07-01", "from: 2024-01-01"), "date", "/factors/act/values/1/from", "a day after 2024-01-01"),
    (("read: 2026-11-22", "read: 2026-11-31"), "date", "/basis/0/read", "a day of the calendar"),
    (("zone: Asia/Shanghai", "zone: Asia/Nowhere"), "zone", "/effective/zone", "got Asia/Nowhere"),
    # citations
    (('value: "180.125", cite: M1', 'value: "180.125", cite: M2'), "cite", "/factors/baseline/values/0/cite", "got M2"),
    # roles
    (("    person:   {path: /uid, type: pseudonym}\n", ""), "role", "/source/fields", "the role person"),
    (("    event:    {path: /trip_id, type: text}\n", ""), "role", "/source/fields", "the role event"),
    (("  evidence: operator-record\n", ""), "role", "/source/fields", "the role evidence"),
    (("  ownership: personal\n", ""), "role", "/source/fields", "the role ownership"),
    (("start:    {path: /start_time, type: instant}", "end: {path: /end, type: instant}"), "role", "/source/fields", "start or day"),
    (("start:    {path: /start_time, type: instant}", "start: {path: /start_time}"), "type", "/source/fields/start", "type instant for start, got text"),
    (("person:   {path: /uid, type: pseudonym}", "person: {value: me, type: pseudonym}"), "role", "/source/fields/person/value", "a column for person"),
    (("person:   {path: /uid, type: pseudonym}", "person: {paths: [/uid, /x], type: pseudonym}"), "field", "/source/fields/person/paths", "for event only"),
    (("path: /trip_type, code_table: mode", "path: /trip_type"), "field", "/source/fields/behaviour", "a code_table or a constant"),
    (("path: /trip_type, code_table: mode", "value: TRV-BUS, code_table: mode"), "field", "/source/fields/behaviour/code_table", "beside a constant"),
    (("path: /distance_km", "column: distance_km"), "field", "/source/fields/distance/column", "expected path"),
    (("path: /distance_km", 'path: /distance_km, value: "1"'), "field", "/source/fields/distance", "got path and value"),
    (("type: instant}", "type: instant, scale: 3}"), "field", "/source/fields/start/scale", "for a decimal column only"),
    (("type: pseudonym}", "type: pseudonym, zone: Asia/Shanghai}"), "field", "/source/fields/person/zone", "for an instant only"),
    (("type: instant}", "type: instant, zone: Asia/Nowhere}"), "zone", "/source/fields/start/zone", "got Asia/Nowhere"),
    (("type: instant}", "type: instant, behaviours: [TRV-BUS]}"), "field", "/source/fields/start/behaviours", "inputs of the formula only"),
    ((DISTANCE, DISTANCE + ", behaviours: [TRV-WALK]"), "name", "/source/fields/distance/behaviours/0", "got TRV-WALK"),
    (("    event:", "    claimed_reduction: {path: /g, type: decimal, unit: km, min: '0', max: '9'}\n    event:"), "unit", "/source/fields/claimed_reduction/unit", "for a reduction, got km"),
    (("    event:", "    claimed_points: {path: /p, type: decimal, scale: 1, min: '0', max: '9'}\n    event:"), "scale", "/source/fields/claimed_points/scale", "scale 0 for points"),
    (("  evidence: operator-record\n", "  evidence: operator-record\n  claim_tolerance: {value: '0.0001', unit: gCO2e}\n"), "scale", "/source/claim_tolerance/value", "whole mg"),
    # code tables
    (('{code: "02", behaviour: TRV-BUS}', '{code: "01", behaviour: TRV-BUS}'), "code-table", "/code_tables/mode/1/code", "got '01' again"),
    (('{code: "02", behaviour: TRV-BUS}', '{code: "02", class: bus}'), "code-table", "/code_tables/mode", "rows of one kind"),
    (('{code: "02", behaviour: TRV-BUS}', '{code: "02"}'), "code-table", "/code_tables/mode/1", "got neither"),
    # what changes nothing
    (("    event:", "    speed: {path: /v, type: decimal, unit: km/h, min: '0', max: '9'}\n    event:"), "unused", "/source/fields/speed", "the input speed"),
    (("  baseline: {unit", "  spare: {unit: '1', values: [{from: 2024-01-01, value: '1'}]}\n  baseline: {unit"), "unused", "/factors/spare", "the factor spare"),
    (("code_tables:\n", "code_tables:\n  other: [{code: a, class: b}]\n"), "unused", "/code_tables/other", "the code table other"),
    # formula
    (("expr: reduction / 10, ", ""), "formula", "/formula/1", "either expr or cases, got neither"),
    (("expr: reduction / 10", "cases: {TRV-METRO: reduction / 10, TRV-BUS: reduction / 9}"), "formula", "/formula/1/cases", "none for TRV-EBIKE"),
    (("expr: reduction / 10", "expr: reduction /"), "expression", "/formula/1/expr", "got the end at character 12"),
    (("{name: reduction, unit", "{name: saving, unit"), "formula", "/formula", "expected a step reduction, got none"),
    (("kind: gram", "kind: engagement"), "formula", "/formula", "no step reduction for kind engagement"),
    (("{name: points, unit", "{name: coins, unit"), "formula", "/formula", "expected a step points, got none"),
    # versions
    (("supersedes: 2\n", ""), "version", "/version", "expected supersedes"),
    (("supersedes: 2", "supersedes: 3"), "version", "/supersedes", "a version below 3"),
    (("version: 3", "version: 1"), "version", "/supersedes", "no supersedes for version 1"),
    # caps and expiry
    ((CAP, CAP.replace("200", '"0"')), "cap", "/credit/caps/0/max", "a whole number of points above 0"),
    ((CAP, CAP.replace("200", '"1.5"')), "cap", "/credit/caps/0/max", "a whole number of points"),
    ((CAP, CAP.replace("max:", "unit: gCO2e, max:")), "cap", "/credit/caps/0/unit", "no unit for a cap of points"),
    (("of: points, per", "of: reduction, per"), "cap", "/credit/caps/0", "expected a unit for max"),
    (("per: [person, local_day]", "per: [household, local_day]"), "role", "/credit/caps/0/per", "the role household"),
    ((CAP, CAP[:-1] + ", behaviours: [TRV-WALK]}"), "name", "/credit/caps/0/behaviours/0", "got TRV-WALK"),
    (("after: P1Y", "after: P0Y0D"), "expiry", "/credit/expiry/after", "longer than nothing"),
    # tests
    (("{name: tie, given", "{name: plain, given"), "test", "/tests/1/name", "got plain again"),
    (("reject: excess-digits", "reject: too-many-digits"), "name", "/tests/5/reject", "got too-many-digits"),
    (("reject: excess-digits", "reject: excess-digits, expect: {points: 1}"), "test", "/tests/5", "either expect or reject"),
    (('trip_type: "99"', 'trip_typ: "99"'), "name", "/tests/4/given", "got /trip_typ"),
    (('"126.839", points: 12', '"126.839", coins: 12'), "name", "/tests/1/expect/coins", "a step of the formula, got coins"),
    (('"126.839", points: 12', '"126.839", points: twelve'), "test", "/tests/1/expect/points", "a decimal, got twelve"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "code", "pointer", "message"),
    [pytest.param(*case, id=f"{case[1]} {case[3]}") for case in CASES],
)
def test_a_wrong_meaning_is_found_at_its_place(
    edit: tuple[str, str], code: str, pointer: str, message: str
) -> None:
    found = findings(edited(YUNXI, edit))

    matching = [finding for finding in found if finding.code == code and message in finding.message]
    assert {finding.pointer for finding in matching} == {pointer}, found
    assert all(finding.message.startswith("expected ") for finding in found)


def test_one_reading_finds_every_fault_with_its_line() -> None:
    text = edited(
        YUNXI,
        ("code_table: mode}", "code_table: kind}"),
        ("max: 200", "max: 2.5"),
        ("after: P1Y", "after: P0D"),
    )

    found = findings(text)

    lines = text.splitlines()
    written = {finding.code: lines[finding.line - 1][finding.column - 1 :] for finding in found}
    assert written["name"].startswith("kind}")
    assert written["cap"].startswith("2.5,")
    assert written["expiry"].startswith("P0D,")


@pytest.mark.parametrize(
    "edit",
    [
        ('value: "180.125", cite: M1', 'value: "180.125"'),
        ("distance * (baseline - act)", '"max(0, distance * (baseline - act))"'),
        ("distance * (baseline - act)", "distance * (baseline - act) * 2"),
        ("distance * (baseline - act)", "distance * (baseline - 0 - act)"),
        ('{TRV-METRO: "31.900", ', "{"),
        ("reduction / 10", "reduction / 10 * 3 + 1"),
    ],
)
def test_the_nearest_thing_that_makes_sense_is_taken(edit: tuple[str, str]) -> None:
    assert load(edited(YUNXI, edit)).id == "cn-000000/yunxi/metro-bike"


def test_a_figure_without_a_citation_makes_a_mapping_illustrative() -> None:
    uncited = edited(YUNXI, ('value: "180.125", cite: M1', 'value: "180.125"'))

    (finding,) = findings(edited(uncited, ("status: illustrative", "status: press")))

    assert (finding.pointer, finding.code) == ("/factors/baseline/values/0", "cite")
    assert load(uncited).status == "illustrative"


TABLE_CASES = [
    ("rating", ('{at: "50", label: 中绿}', '{at: "0", label: 中绿}'), "table", "rows by ascending at"),
    ("rating", ('{at: "50", label: 中绿}', '{at: "50", label: 浅绿}'), "table", "each label once"),
    ("rating", ('{at: "50", label: 中绿}', '{at: "50", value: "1"}'), "table", "label or reject in a label table"),
    ("rating", ('{at: "50", label: 中绿}', '{at: "50"}'), "table", "got neither"),
    ("rating", ("expr: bonus(reduction)", "expr: bonus(reduction) + grade"), "label", "a number, got the label grade"),
    ("rating", ("expr: grades(saved)", "expr: grades(saved) * 1"), "label", "a step by itself"),
    ("rating", ("expr: grades(saved)}", "expr: grades(saved), round: {scale: 0, mode: floor}}"), "label", "a step by itself"),
    ("rating", ("expr: bonus(reduction)", "expr: bonus(grade)"), "label", "got the label grade"),
    ("distance_curve", ('{at: "3", value: "40"}', '{at: "3", reject: implausible}'), "table", "value in a linear table"),
    ("distance_curve", ("per_km(distance)", "per_km"), "name", "the table per_km without its value"),
    ("distance_curve", ("of: km", "of: h"), "unit", "expected h in per_km(...), got km"),
    ("tiers_by_class", ("tiers(saved) * weight", "tiers(saved) * home"), "name", "got the class input home"),
    ("tiers_by_class", ('large: "0.75"', 'huge: "0.75"'), "name", "expected one of small, large, hotel, got huge"),
    ("tiers_by_class", ("{small: \"1.00\", large: \"0.75\"}", '"1"'), "figure", "one decimal for each home"),
    ("tiers_by_class", ("    by: home\n", ""), "figure", "say by what they differ"),
    ("tiers_by_class", ("type: text, code_table: home", "type: decimal, code_table: home"), "type", "type text for home"),
    ("engagement", ("class: pooled", "class: shared"), "role", "expected one of personal, pooled"),
    ("engagement", ("max: \"10\", order: accepted_sequence", 'max: "10", order: activity_start'), "cap", "acts have one order"),
    ("engagement", ("name: quizzes, of: acts", "name: daily, of: acts"), "cap", "got daily again"),
    ("engagement", ("{value: \"1\", type", '{value: once, type'), "type", "expected a decimal, got once"),
    ("claimed_csv", ("{column: 袋数,", "{path: /袋数,"), "field", "expected column for csv, got path"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "edit", "code", "message"),
    [pytest.param(*case, id=f"{case[2]} {case[3]}") for case in TABLE_CASES],
)
def test_a_wrong_table_class_or_cap_is_found(
    name: str, edit: tuple[str, str], code: str, message: str
) -> None:
    found = findings(edited(shape(name), edit))

    assert [finding for finding in found if finding.code == code and message in finding.message], found
