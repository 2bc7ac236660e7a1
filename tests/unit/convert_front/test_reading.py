"""What a document says comes out of its reading as it is written, and what it leaves out as documented."""

import pytest

from tests.unit.convert_front.documents import YUNXI, edited, findings, load, shape

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


@pytest.mark.parametrize(("month", "refused"), [("201", False), ("2000", False), ("199", True)])
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


def test_a_cap_goes_up_to_what_63_bits_hold() -> None:
    largest = 9_223_372_036_854_775_807
    assert load(edited(YUNXI, ("max: 200", f"max: {largest}"))).caps[0].maximum == largest

    (finding,) = findings(edited(YUNXI, ("max: 200", f"max: {largest + 1}")))

    assert finding.pointer == "/credit/caps/0/max"
