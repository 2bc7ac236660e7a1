"""Which changes of a document no row at all could notice, and which ones a test of the document should."""

import pytest

from gateway.convert.survivors import fates
from tests.unit.convert_front.documents import SCHEMA, YUNXI, edited, load, shape

TABLE = """
mapping: cn-000000/yunxi/tables
schema: mapping/1
version: 1
status: illustrative
title: {zh: 云溪, en: Yunxi}
issuer: cn-000000/yunxi
effective: {from: 2025-03-01, until: 2025-06-01, basis: activity_start, zone: Asia/Shanghai}
basis: [{ref: M1, title: 云溪碳普惠方法学 (虚构), edition: "2024", read: 2026-11-22, note: Invented.}]
source:
  evidence: operator-record
  ownership: personal
  fields:
    event: {path: /id}
    person: {path: /uid, type: pseudonym}
    day: {path: /day, type: date}
    behaviour: {value: LIV-ELEC-SAVE}
    pairs: {path: /pairs, type: decimal, unit: kWh, min: "0", max: "50"}
factors:
  two: {unit: "1", values: [{from: 2025-01-01, cite: M1, value: "2"}]}
tables:
  t:
    unit: gCO2e/kWh
    of: kWh
    kind: step
    boundary: from
    values: [{from: 2025-01-01, cite: M1, rows: [{at: "0", value: "100"}, {at: "11", value: "200"}]}]
formula:
  - {name: reduction, unit: gCO2e, expr: t(pairs * two) * pairs, round: {scale: 0, mode: floor}}
  - {name: points, unit: cn-000000/yunxi-point, expr: reduction * 1, round: {scale: 0, mode: floor}}
credit: {unit: cn-000000/yunxi-point, kind: gram}
tests:
  - {name: without a day, given: {pairs: "4"}, reject: missing-field}
"""
"""The table is asked for even numbers from 0 to 100; no test of the document notices anything of it."""


def reasons(text: str, pointer: str) -> dict[str, str]:
    """Return why each change of one place is equivalent, or what became of it otherwise."""
    found = [one for one in fates(load(text), SCHEMA) if one.mutant.pointer == pointer]
    return {one.mutant.new: one.reason if one.fate == "equivalent" else one.fate for one in found}


def table(kind: str, boundary: str, rows: dict[str, str]) -> str:
    written = ", ".join(
        f'{{at: "{at}", {"label" if kind == "label" else "value"}: "{value}"}}' for at, value in rows.items()
    )
    edits = [
        ("kind: step", f"kind: {kind}"),
        ("boundary: from", f"boundary: {boundary}"),
        ('{at: "0", value: "100"}, {at: "11", value: "200"}', written),
    ]
    if kind == "marginal":
        edits.append(("t(pairs * two) * pairs", "t(pairs * two) * two"))
    if kind == "label":
        edits.append(("unit: gCO2e/kWh", 'unit: "1"'))
        edits.append(("expr: t(pairs * two) * pairs", "expr: pairs * rate"))
        edits.append(
            (
                "factors:",
                'factors:\n  rate: {unit: gCO2e/kWh, values: [{from: 2025-01-01, cite: M1, value: "9"}]}',
            )
        )
        edits.append(("formula:", 'formula:\n  - {name: grade, unit: "1", expr: t(pairs * two)}'))
    return edited(TABLE, *edits)


BETWEEN = "no value lies between the two thresholds"


@pytest.mark.parametrize("kind", ["step", "label"])
@pytest.mark.parametrize(
    ("boundary", "down", "up"), [("from", "survived", BETWEEN), ("above", BETWEEN, "survived")]
)
def test_a_threshold_between_two_values_moves_one_of_them_or_none(
    kind: str, boundary: str, *, down: str, up: str
) -> None:
    text = table(kind, boundary, {"0": "100", "11": "200"})

    assert reasons(text, "/tables/t/values/0/rows/1/at") == {"10": down, "12": up}


@pytest.mark.parametrize("boundary", ["from", "above"])
def test_the_first_threshold_belongs_to_its_row_whatever_the_boundary_says(boundary: str) -> None:
    text = table("step", boundary, {"0": "100", "11": "200"})

    assert reasons(text, "/tables/t/values/0/rows/0/at") == {"-1": BETWEEN, "1": "survived"}


@pytest.mark.parametrize(
    ("at", "down", "up"),
    [("11", "survived", "survived"), ("100", "survived", BETWEEN), ("101", BETWEEN, BETWEEN)],
)
def test_a_tier_changes_every_value_beyond_it(at: str, down: str, up: str) -> None:
    text = table("marginal", "from", {"0": "100", at: "200"})

    assert list(reasons(text, "/tables/t/values/0/rows/1/at").values()) == [down, up]


@pytest.mark.parametrize(
    ("at", "down", "up"),
    [("3", "survived", "survived"), ("100", "survived", "survived"), ("101", "survived", BETWEEN)],
)
def test_the_first_tier_changes_every_value_beyond_it_though_none_lies_near(
    at: str, down: str, up: str
) -> None:
    text = table("marginal", "from", {at: "100"})

    assert list(reasons(text, "/tables/t/values/0/rows/0/at").values()) == [down, up]


def test_the_points_of_a_curve_change_the_lines_on_both_sides() -> None:
    text = table("linear", "from", {"0": "100", "11": "200", "200": "300"})

    assert reasons(text, "/tables/t/values/0/rows/1/at") == {"10": "survived", "12": "survived"}
    assert reasons(text, "/tables/t/values/0/rows/2/at") == {"199": "survived", "201": "survived"}


ON = "no value lies on a threshold where it matters"


@pytest.mark.parametrize(
    ("kind", "at", "reason"),
    [("step", "11", ON), ("step", "10", "survived"), ("label", "11", ON), ("label", "10", "survived"),
     ("marginal", "10", ON), ("linear", "10", ON)],
)  # fmt: skip
def test_the_side_of_a_threshold_matters_to_steps_and_labels_with_a_value_on_it(
    kind: str, at: str, reason: str
) -> None:
    text = table(kind, "from", {"0": "100", at: "200"})

    assert reasons(text, "/tables/t/boundary") == {"above": reason}


OUTSIDE = "the day lies outside the mapping's own days"


@pytest.mark.parametrize(
    ("day", "down", "up"),
    [
        ("2025-02-28", OUTSIDE, OUTSIDE), ("2025-03-01", OUTSIDE, "survived"),
        ("2025-03-02", "survived", "survived"), ("2025-06-01", "survived", OUTSIDE),
        ("2025-06-02", OUTSIDE, OUTSIDE),
    ],
)  # fmt: skip
def test_the_day_of_a_figure_matters_where_it_changes_a_day_of_the_mapping(
    day: str, down: str, up: str
) -> None:
    later = f'value: "2"}}, {{from: {day}, cite: M1, value: "3"}}'

    found = reasons(edited(TABLE, ('value: "2"}', later)), "/factors/two/values/1/from")

    assert list(found.values()) == [down, up]


def test_the_days_of_a_mapping_without_an_end_have_none() -> None:
    later = 'value: "2"}, {from: 2030-01-01, cite: M1, value: "3"}'
    text = edited(TABLE, (", until: 2025-06-01", ""), ('value: "2"}', later))

    assert set(reasons(text, "/factors/two/values/1/from").values()) == {"survived"}


def test_the_days_of_the_mapping_itself_always_matter() -> None:
    assert set(reasons(TABLE, "/effective/from").values()) == {"survived"}
    assert set(reasons(TABLE, "/effective/until").values()) == {"survived"}


def test_a_rounding_matters_where_a_value_can_need_it() -> None:
    exact = "no value is rounded differently"
    half = edited(TABLE, ("t(pairs * two) * pairs", "t(pairs * two) * pairs / 400"))

    assert set(reasons(TABLE, "/formula/0/round/mode").values()) == {exact}
    assert reasons(half, "/formula/0/round/mode")["half_up"] == "survived"
    assert reasons(half, "/formula/0/round/mode")["down"] == exact


@pytest.mark.parametrize(
    ("tolerance", "down", "up"),
    [
        ("0.5", "survived", "survived"),
        ("0.50", "survived", "equivalent"),
        ("0.55", "equivalent", "equivalent"),
    ],
)
def test_a_tolerance_matters_where_a_claim_can_lie_between(tolerance: str, down: str, up: str) -> None:
    """Claims and reductions of the example are tenths of a gram."""
    kept = [line for line in shape("claimed_csv").splitlines() if "name: claim" not in line]
    text = edited("\n".join(kept), ('value: "0.5"', f'value: "{tolerance}"'))

    found = reasons(text, "/source/claim_tolerance/value")

    words = {"equivalent": "no claim lies between the two tolerances", "survived": "survived"}
    assert list(found.values()) == [words[down], words[up]]


def test_a_tolerance_without_claims_never_matters() -> None:
    text = edited(YUNXI, ("source:\n", 'source:\n  claim_tolerance: {value: "0.5", unit: gCO2e}\n'))

    found = reasons(text, "/source/claim_tolerance/value")

    assert set(found.values()) == {"no claim lies between the two tolerances"}
