"""What a document says comes out of its reading as it is written, and what it leaves out as documented."""

import pytest

from tests.unit.convert_front.documents import MAPPINGS, YUNXI, edited, findings, load, shape

UNIT = "  unit: cn-000000/yunxi-point\n"


@pytest.mark.parametrize(("written", "reversible"), [("", True), ('"true"', True), ('"false"', False)])
def test_points_can_be_taken_back_unless_the_document_says_otherwise(
    written: str, *, reversible: bool
) -> None:
    line = f"  reversible: {written}\n" if written else ""

    assert load(edited(YUNXI, (UNIT, UNIT + line))).reversible is reversible


@pytest.mark.parametrize(
    ("name", "milligrams"), [("claimed_csv", 100), ("baseline_minus_activity", 1000), ("engagement", 0)]
)
def test_the_last_decimal_of_a_reduction_is_reckoned_in_milligrams(name: str, milligrams: int) -> None:
    assert load(shape(name)).formula.mg_per_reduction_ulp == milligrams


def test_a_format_is_read_as_it_is_written() -> None:
    source = load(shape("claimed_csv")).source

    assert source.format.encodings == ("utf-8", "gb18030")
    assert (source.format.delimiter, source.format.quote) == ("\t", "")
    assert source.format.missing == {"", "-"}
    assert source.claim_tolerance_mg == 500
    assert load(YUNXI).source.format.encodings == ("utf-8",)
    assert (load(YUNXI).source.format.delimiter, load(YUNXI).source.format.quote) == (",", '"')
    assert load(YUNXI).source.claim_tolerance_mg == 0


@pytest.mark.parametrize(
    ("written", "milligrams"), [("0", 0), ("0.001", 1), ("-0.001", None), ("0.0001", None)], ids=str
)
def test_a_tolerance_is_whole_milligrams_from_zero_on(written: str, milligrams: int | None) -> None:
    text = edited(
        shape("claimed_csv"), ('{value: "0.5", unit: gCO2e}', f'{{value: "{written}", unit: gCO2e}}')
    )

    if milligrams is None:
        (finding,) = findings(text)
        assert (finding.code, finding.pointer) == ("scale", "/source/claim_tolerance/value")
    else:
        assert load(text).source.claim_tolerance_mg == milligrams


@pytest.mark.parametrize("role", ["evidence", "ownership"])
def test_a_role_is_a_field_or_a_constant_and_not_both(role: str) -> None:
    field = ("    event:", f"    {role}: {{path: /{role}, type: text}}\n    event:")

    (finding,) = findings(edited(YUNXI, field))

    assert (finding.code, finding.pointer) == ("role", f"/source/{role}")
    assert finding.message == f"expected {role} once, got it as a field too"


def test_a_decimal_may_have_one_value_only() -> None:
    field = load(edited(YUNXI, ('min: "0", max: "300"', 'min: "5", max: "5"'))).formula.inputs["distance"]

    assert (field.low, field.high) == (5000, 5000)


@pytest.mark.parametrize(("month", "refused"), [("201", False), ("200", True), ("199", True)])
@pytest.mark.parametrize("first", ["day", "month"])
def test_the_longer_period_allows_more(month: str, first: str, *, refused: bool) -> None:
    cap = "{{name: {0}, of: points, per: [person, {0}], max: {1}, order: accepted_sequence, late: reject}}"
    caps = [cap.format("local_day", "200"), cap.format("month", month)]
    old = next(line for line in YUNXI.splitlines() if "caps:" in line)
    text = edited(YUNXI, (old, f"  caps: [{', '.join(caps if first == 'day' else caps[::-1])}]"))

    if refused:
        assert [finding.code for finding in findings(text)] == ["cap"]
    else:
        assert len(load(text).caps) == 2


@pytest.mark.parametrize(
    ("written", "months", "days"), [("P1Y", 12, 0), ("P2Y6M", 30, 0), ("P3M10D", 3, 10), ("P1D", 0, 1)]
)
def test_points_are_valid_for_months_and_days(written: str, months: int, days: int) -> None:
    expiry = load(edited(YUNXI, ("after: P1Y", f"after: {written}"))).expiry

    assert expiry is not None
    assert (expiry.months, expiry.days) == (months, days)


def test_a_cap_goes_from_one_up_to_what_63_bits_hold() -> None:
    largest = 9_223_372_036_854_775_807
    assert load(edited(YUNXI, ("max: 200", "max: 1"))).caps[0].maximum == 1
    assert load(edited(YUNXI, ("max: 200", f"max: {largest}"))).caps[0].maximum == largest

    (finding,) = findings(edited(YUNXI, ("max: 200", f"max: {largest + 1}")))

    assert finding.pointer == "/credit/caps/0/max"


REDUCTION_CAP = (
    "of: points, per: [person, local_day], max: ",
    "of: reduction, unit: gCO2e, per: [person, local_day], max: ",
)


def test_a_cap_of_the_reduction_is_reckoned_in_milligrams() -> None:
    (cap,) = load(edited(YUNXI, REDUCTION_CAP)).caps

    assert (cap.of, cap.maximum) == ("reduction", 200_000)


def test_points_without_a_reduction_have_no_cap_of_it() -> None:
    found = findings(edited(shape("engagement"), (REDUCTION_CAP[0] + '"10"', REDUCTION_CAP[1] + '"10"')))

    assert [(finding.code, finding.pointer) for finding in found] == [("cap", "/credit/caps/0/of")]


@pytest.mark.parametrize(
    ("unit", "scale", "largest", "beyond"),
    [
        ("gCO2e", 1, "9223372036854775.8", "9223372036854775.9"),
        ("mgCO2e", 0, "9223372036854775807", "9223372036854775808"),
        ("gCO2e", 3, "9223372036854775.807", "9223372036854775.808"),
    ],
)
def test_a_claimed_reduction_goes_up_to_what_63_bits_hold_in_milligrams(
    unit: str, scale: int, *, largest: str, beyond: str
) -> None:
    def claim(most: str) -> str:
        written = f'unit: {unit}, scale: {scale}, min: "0", max: "{most}"'
        return edited(shape("claimed_csv"), ('unit: gCO2e, scale: 1, min: "0", max: "100"', written))

    assert load(claim(largest)).digest
    (finding,) = findings(claim(beyond))
    assert (finding.code, finding.pointer) == ("bounds", "/source/fields/claimed_reduction")


def test_claimed_points_go_up_to_what_63_bits_hold() -> None:
    def claim(most: int) -> str:
        return edited(
            shape("claimed_csv"),
            ('积分, type: decimal, min: "0", max: "100"', f'积分, type: decimal, min: "0", max: "{most}"'),
        )

    assert load(claim(2**63 - 1)).digest
    (finding,) = findings(claim(2**63))
    assert (finding.code, finding.pointer) == ("bounds", "/source/fields/claimed_points")


@pytest.mark.parametrize(("of", "refused"), [("points", True), ("acts", False)])
def test_acts_without_points_can_be_capped_but_points_cannot(of: str, *, refused: bool) -> None:
    cap = f"{{name: a, of: {of}, per: [person, month], max: '1', order: accepted_sequence, late: reject}}"
    uncited = ("status: study", "status: illustrative")
    text = edited(shape("no_points"), ("kind: none}", f"kind: none, caps: [{cap}]}}"), uncited)

    if refused:
        assert [one.message for one in findings(text)] == ["expected no cap of points for kind none, got one"]
    else:
        assert load(text).caps[0].of == "acts"


@pytest.mark.parametrize("of", ["points", "acts"])
def test_a_rating_has_no_caps(of: str) -> None:
    cap = f"{{name: a, of: {of}, per: [person, month], max: '1', order: accepted_sequence, late: reject}}"
    text = edited(shape("rating_only"), ("kind: rating}", f"kind: rating, caps: [{cap}]}}"))

    assert [(one.pointer, one.message) for one in findings(text)] == [
        ("/credit/caps/0", f"expected no cap of {of} for kind rating, got one")
    ]


def test_what_is_made_of_a_group_stands_under_a_heading_or_a_pointer() -> None:
    text = (MAPPINGS / "exports" / "steps_hourly.v1.yaml").read_text("utf-8")
    pointers = (
        text.replace("{kind: csv}", "{kind: ndjson}")
        .replace("by: [Id]", "by: [/Id]")
        .replace("column: ", "path: /")
    )

    as_csv, as_json = load(text).source.group, load(pointers).source.group

    assert as_csv is not None
    assert as_json is not None
    assert (as_csv.made("day"), as_json.made("day")) == ("day", "/day")


def test_an_adapter_names_the_places_of_its_rows_itself() -> None:
    columns = ("path: /trip_id", "column: trip_id")

    assert load(edited(YUNXI, columns, ("source:\n", "source:\n  adapter: bikeshare\n"))).source.adapter
    (finding,) = findings(edited(YUNXI, columns))
    assert (finding.code, finding.pointer) == ("field", "/source/fields/event/column")


def test_what_a_limit_is_of_is_read_though_no_step_uses_it() -> None:
    per_act = ("TRV-BIKE: distance * per_km", 'TRV-BIKE: "500 * one"')
    one = ("  per_km: {unit: gCO2e/km,", "  one: {unit: gCO2e,")

    needs = load(edited(shape("plausible_times"), per_act, one)).formula.needs

    assert needs == {"TRV-BIKE": ("distance",), "TRV-CHARGE": ("energy",)}


def test_of_two_caps_of_one_period_only_their_double_is_told() -> None:
    cap = "{{name: {0}, of: points, per: [person, month], max: {1}, order: accepted_sequence, late: reject}}"
    old = next(line for line in YUNXI.splitlines() if "caps:" in line)
    text = edited(YUNXI, (old, f"  caps: [{cap.format('a', '2')}, {cap.format('b', '1')}]"))

    (finding,) = findings(text)

    assert finding.message == "expected one cap of points per person and month, got a and b"


@pytest.mark.parametrize("beside", ["reject: late", 'expect: {points: "5"}'])
def test_the_acts_of_a_sequence_state_their_own_outcomes(beside: str) -> None:
    name = "  - name: ten points a day\n"

    (finding,) = findings(edited(shape("engagement"), (name, f"{name}    {beside}\n")))

    assert (finding.code, finding.pointer) == ("test", "/tests/15")


def test_a_mapping_without_figures_has_no_formula() -> None:
    assert load(shape("unpublished")).formula.steps == ()


def test_a_rating_needs_a_table_of_labels() -> None:
    text = shape("rating_only")
    numbers = text.replace("kind: label", "kind: step").replace("label: 浅绿", 'value: "1"')
    numbers = numbers.replace("label: 中绿", 'value: "2"').replace("label: 深绿", 'value: "3"')

    assert [step.name for step in load(text).formula.steps] == ["grade"]
    assert "expected a label table for kind rating, got none" in [one.message for one in findings(numbers)]
