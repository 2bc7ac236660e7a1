"""Bounds hold every value there can be, and stay cheap to compute whatever the document says."""

from datetime import date
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.convert.bounds import Interval, combined, floored, hull, rounded, table_range
from gateway.convert.checking import bound_of
from gateway.convert.exact import row_value
from gateway.convert.program import Cite, Dated, Name, Rounding, Table, TableRow
from gateway.model.codes import Rejection
from tests.unit.convert_front.documents import YUNXI, edited, findings, load

FURTHEST = 'max: "300"'
EDGES = st.tuples(st.integers(-20, 20), st.integers(-20, 20)).map(
    lambda pair: Interval(Fraction(min(pair), 3), Fraction(max(pair), 3))
)
SHARES = st.fractions(0, 1, max_denominator=6)


def inside(interval: Interval, share: Fraction) -> Fraction:
    return interval.low + (interval.high - interval.low) * share


@given(EDGES, EDGES, SHARES, SHARES, st.sampled_from(["+", "-", "*", "/", "min", "max"]))
def test_an_operation_stays_inside_its_bounds(
    left: Interval, right: Interval, left_share: Fraction, right_share: Fraction, op: str
) -> None:
    if op == "/" and right.has(0):
        return
    a, b = inside(left, left_share), inside(right, right_share)
    value = {"+": a + b, "-": a - b, "*": a * b, "/": a / (b or 1), "min": min(a, b), "max": max(a, b)}[op]

    low, high = combined(op, left, right=right)

    assert low <= value <= high


def test_bounds_are_met_at_their_edges() -> None:
    left, right = Interval(Fraction(-2), Fraction(3)), Interval(Fraction(-5), Fraction(7))

    assert combined("+", left, right=right) == (-7, 10)
    assert combined("-", left, right=right) == (-9, 8)
    assert combined("*", left, right=right) == (-15, 21)
    assert combined("/", left, right=Interval(Fraction(2), Fraction(4))) == (-1, Fraction(3, 2))
    assert combined("min", left, right=right) == (-5, 3)
    assert combined("max", left, right=right) == (-2, 7)
    assert hull([left, right]) == (-5, 7)
    assert floored(Interval(Fraction(-1, 2), Fraction(3, 2))) == (-1, 1)
    assert rounded(Interval(Fraction(-1, 8), Fraction(1, 8)), Rounding(scale=2, mode="half_up")) == (
        Fraction(-13, 100),
        Fraction(13, 100),
    )


def table(kind: Literal["step", "marginal", "linear", "label"], rows: list[tuple[int, int]]) -> Table:
    made = tuple(TableRow(at=Fraction(at), value=Fraction(value)) for at, value in rows)
    dated = Dated(since=date(2025, 1, 1), value=made, cite=Cite(ref=""))
    return Table(name="t", unit="1", of="1", kind=kind, boundary="from", values=(dated,))


@given(
    st.sampled_from(["step", "marginal", "linear"]),
    st.dictionaries(st.integers(-9, 9), st.integers(-5, 5), min_size=1, max_size=5),
    EDGES,
    SHARES,
)
def test_a_table_stays_inside_its_bounds(
    kind: Literal["step", "marginal", "linear"], rows: dict[int, int], argument: Interval, share: Fraction
) -> None:
    made = table(kind, sorted(rows.items()))
    value = inside(argument, share)
    below = [index for index, row in enumerate(made.values[0].value) if row.at <= value]

    found = table_range(made, argument)

    if below:
        assert found is not None
        result = row_value(made, made.values[0].value, index=below[-1], argument=value)
        assert found.low <= result <= found.high


def test_bounds_of_tables_are_met() -> None:
    rows = [(0, 2), (10, -1), (20, 3)]
    wide = Interval(Fraction(-5), Fraction(30))

    assert table_range(table("step", rows), wide) == (-1, 3)
    assert table_range(table("marginal", rows), wide) == (0, 40)
    assert table_range(table("linear", rows), wide) == (-1, 3)
    assert table_range(table("step", rows), Interval(Fraction(0), Fraction(9))) == (2, 2)
    assert table_range(table("step", rows), Interval(Fraction(11), Fraction(19))) == (-1, -1)
    assert table_range(table("step", rows), Interval(Fraction(11), Fraction(30))) == (-1, 3)
    assert table_range(table("step", rows), Interval(Fraction(25), Fraction(30))) == (3, 3)
    assert table_range(table("linear", rows), Interval(Fraction(5), Fraction(5))) == (
        Fraction(1, 2),
        Fraction(1, 2),
    )
    assert table_range(table("marginal", rows), Interval(Fraction(-5), Fraction(-1))) is None


@pytest.mark.parametrize(
    ("low", "high", "inside"), [(-1, 0, True), (0, 1, True), (0, 0, True), (-2, -1, False), (1, 2, False)]
)
def test_an_interval_has_its_ends(low: int, high: int, *, inside: bool) -> None:
    assert Interval(Fraction(low), Fraction(high)).has(0) is inside


def test_an_input_goes_from_its_least_to_its_largest_decimal() -> None:
    text = edited(YUNXI, ('scale: 3, excess_digits: reject, min: "0"', 'scale: 3, min: "0.125"'))

    assert bound_of(Name("distance"), load(text).formula, behaviour="TRV-BUS", earlier={}) == (
        Fraction(1, 8),
        300,
    )


def test_a_table_that_only_refuses_has_no_value() -> None:
    row = TableRow(at=Fraction(0), reject=Rejection.QUANTITY_UNKNOWN)
    dated = Dated(since=date(2025, 1, 1), value=(row,), cite=Cite(ref=""))
    made = Table(name="t", unit="1", of="1", kind="step", boundary="from", values=(dated,))

    assert table_range(made, Interval(Fraction(0), Fraction(9))) is None


def squared(times: int) -> str:
    steps = "".join(
        f"  - {{name: s{n}, unit: '1', expr: s{n - 1} * s{n - 1}}}\n" for n in range(1, times + 1)
    )
    field = "    share: {path: /share, type: decimal, scale: 3, min: '0.001', max: '0.999'}\n    event:"
    first = "formula:\n  - {name: s0, unit: '1', expr: share}\n"
    return edited(YUNXI, ("    event:", field), ("formula:\n", first + steps))


def test_digits_cannot_grow_without_end() -> None:
    assert load(squared(6)).formula.steps[6].name == "s6"

    (finding,) = findings(squared(37))

    assert (finding.code, finding.pointer) == ("bounds", "/formula/7/expr")
    assert "denominators stay below 2^1024, got up to 2^1280: round an earlier step" in finding.message


def test_digits_may_grow_up_to_1024_bits_and_no_further() -> None:
    tenths = ("scale: 3, min: '0.001', max: '0.999'", "scale: 1, min: '0.1', max: '0.9'")  # 4 bits
    widest = edited(squared(8), tenths)
    assert load(widest).formula.steps[8].name == "s8"

    (finding,) = findings(edited(widest, ("expr: s7 * s7", "expr: s7 * s7 * 0.5")))

    assert "got up to 2^1025" in finding.message


def test_a_rounded_step_has_the_bits_of_its_decimals() -> None:
    rounded_first = "expr: share, round: {scale: 5, mode: half_up}}"

    (finding,) = findings(edited(squared(37), ("expr: share}", rounded_first)))

    assert "got up to 2^1088" in finding.message  # 64 times 17 bits


@pytest.mark.parametrize("factor", ["1000", "2000"])
def test_magnitudes_cannot_grow_without_end(factor: str) -> None:
    text = (
        squared(37).replace("max: '0.999'", f"max: '{factor}'").replace("scale: 3, min: '0.001'", "min: '1'")
    )

    (finding,) = findings(text)

    assert finding.code == "bounds"
    assert "within 2^200" in finding.message


def test_a_reduction_may_be_as_large_as_a_record_can_hold_and_no_larger() -> None:
    largest = (2**63 - 1) * 1000 // 169_118  # metres by electric bicycle, at 169.118 g a kilometre

    def up_to(metres: int) -> str:
        return edited(YUNXI, (FURTHEST, f'max: "{metres // 1000}.{metres % 1000:03}"'))

    assert load(up_to(largest)).formula.inputs["distance"].high == largest
    assert [finding.code for finding in findings(up_to(largest + 1))] == ["bounds"]


def largest(reduction_g: str, points: str) -> str:
    """Edit the example so that every act has this reduction and these points."""
    given = f"{{unit: gCO2e, values: [{{from: 2024-01-01, value: '{reduction_g}', cite: M1}}]}}"
    return edited(
        YUNXI,
        ("factors:\n", f"factors:\n  given: {given}\n"),
        ("expr: distance * (baseline - act)", "expr: distance * (baseline - act) * 0 + given"),
        ("expr: reduction / 10", f"expr: reduction * 0 + {points}"),
    )


def test_results_go_up_to_what_63_bits_hold() -> None:
    program = load(largest("9223372036854775.807", "9223372036854775807"))
    assert [step.name for step in program.formula.steps] == ["reduction", "points"]
    assert load(largest("-9223372036854775.807", "0")).kind == "gram"

    above = findings(largest("9223372036854775.808", "9223372036854775808"))
    below = findings(largest("-9223372036854775.808", "0"))

    assert {finding.message.split(",")[0] for finding in above} == {
        "expected a reduction below 2^63 mg",
        "expected points below 2^63",
    }
    assert {finding.message.split(",")[0] for finding in below} == {"expected a reduction below 2^63 mg"}


def test_points_go_down_to_zero_where_the_reduction_does() -> None:
    assert load(largest("0", "0")).kind == "gram"

    (finding, *_) = findings(largest("0", "(0 - 1)"))

    assert finding.message.startswith("expected points of at least 0, got down to -1")


def test_points_may_go_below_zero_where_the_reduction_does() -> None:
    assert load(largest("-0.5", "(0 - 1)")).kind == "gram"


def test_a_value_may_be_as_large_as_2_to_the_200_and_no_larger() -> None:
    def with_value(number: int) -> str:
        big = f"formula:\n  - {{name: big, unit: km, expr: distance * {number}}}\n"
        return edited(YUNXI, ("formula:\n", big), (FURTHEST, 'max: "1"'))

    assert load(with_value(2**200)).formula.steps[0].name == "big"
    assert {finding.code for finding in findings(with_value(2**200 + 1))} == {"bounds"}
