"""Every operator, rounding and table, by hand, through all evaluators."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from gateway.bulk.columns import ColumnEvaluator
from gateway.bulk.kernel import fits
from gateway.convert.exact import round_exact
from gateway.convert.fast import FastEvaluator
from gateway.convert.interpret import Interpreter
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.program import Binary, Call, Expr, Factor, Floor, MinMax, Name, Number, Program, Rounding
from gateway.convert.rational import lowest_terms, round_quotient
from gateway.convert.roles import Roles, SourceReader
from gateway.errors import InvariantBroken
from gateway.model.codes import Rejection
from tests.fakes.mappings import (
    act,
    constant,
    dated,
    decimal_field,
    make_field,
    make_program,
    make_table,
    step,
    yunxi,
)

X, Y = Name("x"), Name("y")
HUGE = 10**22


def number(text: str) -> Number:
    """Make a literal."""
    return Number(Fraction(text))


def outcomes(program: Program, row: dict[str, str]) -> Converted | Refusal:
    """Convert with every evaluator and give the one answer."""
    expected = Interpreter(program).convert(row)
    roles = SourceReader(program).read(row)
    assert isinstance(roles, Roles)
    fast = FastEvaluator(program).convert_traced(row, roles)
    rows = [row, row]
    columns = ColumnEvaluator(program).convert_batch(
        rows, SourceReader(program).read_columns(rows), traced=True
    )
    if isinstance(expected, Refusal):
        assert isinstance(fast, Refusal)
        assert fast[:2] == columns.refusals[1][:2] == expected[:2]
        return expected
    first, second = columns.outcomes()
    assert fast == first == second == expected._replace(touched=frozenset())
    return expected


def value_of(expr: Expr, x: str, y: str = "1", *, huge: bool = False, **changes: Any) -> Fraction | Rejection:
    """Evaluate one expression of x and y as an unrounded step, with numbers that fit 64 bits or not."""
    high = HUGE if huge else 300_000
    fields = (
        decimal_field("x", low=-high, high=high),
        decimal_field("y", low=changes.pop("y_low", 1), high=changes.pop("y_high", high)),
    )
    result = step("result", expr, scale=None)
    program = make_program([result, step("points", number("1"))], kind="engagement", fields=fields, **changes)
    assert all(fits(made.block) is not huge for made in FastEvaluator(program).blocks["TRV-METRO"])
    found = outcomes(program, act(x=x, y=y))
    return found.code if isinstance(found, Refusal) else found.trace[0].value


@pytest.mark.parametrize(
    ("op", "x", "y", "value"),
    [
        ("+", "2.5", "0.125", "2.625"),
        ("-", "2.5", "3", "-0.5"),
        ("*", "-2.5", "3", "-7.5"),
        ("/", "-2.5", "3", "-5/6"),
        ("/", "2.5", "0.001", "2500"),
    ],
)
def test_the_four_operations_are_exact(op: Any, x: str, y: str, value: str) -> None:
    assert value_of(Binary(op, X, Y), x, y) == Fraction(value)


def test_a_divisor_may_be_negative_throughout() -> None:
    assert value_of(Binary("/", X, Y), "1", "-3", y_low=-9000, y_high=-1) == Fraction(-1, 3)
    assert value_of(Binary("/", X, Binary("-", Y, number("1000"))), "1", "1") == Fraction(-1, 999)
    assert value_of(Floor(Binary("/", X, number("-2"))), "3") == -2


def test_sums_over_unlike_divisors_are_exact() -> None:
    third = Binary("/", X, Y)
    seventh = Binary("/", number("1"), Binary("+", Y, number("4")))

    assert value_of(Binary("+", third, seventh), "2", "3") == Fraction(2, 3) + Fraction(1, 7)
    assert value_of(Binary("-", third, seventh), "2", "3") == Fraction(2, 3) - Fraction(1, 7)
    assert value_of(Binary("/", third, seventh), "2", "3") == Fraction(14, 3)
    assert value_of(MinMax("max", (third, seventh)), "-2", "3") == Fraction(1, 7)


@pytest.mark.parametrize(
    ("op", "x", "y", "value"),
    [
        ("min", "2", "1", "1"),
        ("min", "-2", "1", "-2"),
        ("max", "2", "1", "2"),
        ("max", "-2", "1", "1"),
        ("max", "1", "1", "1"),
    ],
)
def test_the_smallest_and_the_largest_are_found(op: Any, x: str, y: str, value: str) -> None:
    assert value_of(MinMax(op, (X, Y)), x, y) == Fraction(value)
    third = Binary("/", number("1"), number("3"))
    assert value_of(MinMax(op, (X, third, Y)), "0.333", "1") == {"min": Fraction("0.333"), "max": 1}[op]


@pytest.mark.parametrize(("x", "value"), [("1.999", 1), ("2", 2), ("-0.001", -1), ("-2", -2), ("-2.001", -3)])
def test_the_floor_goes_towards_minus_infinity(x: str, value: int) -> None:
    assert value_of(Floor(X), x) == value
    assert value_of(Floor(Binary("/", X, Y)), x) == value


@pytest.mark.parametrize("huge", [False, True])
def test_numbers_beyond_64_bits_give_the_same_as_small_ones(huge: bool) -> None:
    expr = Binary("*", Binary("+", X, Y), MinMax("min", (X, number("7"))))

    assert value_of(expr, "2.5", "4", huge=huge) == Fraction("16.25")
    assert value_of(Floor(Binary("/", X, Y)), "-7", "2", huge=huge) == -4


def test_a_product_beyond_64_bits_is_exact() -> None:
    assert value_of(Binary("*", X, Y), "9999999999999999.999", "9999999999999999.999", huge=True) == (
        Fraction("9999999999999999.999") ** 2
    )


@pytest.mark.parametrize(("low", "high"), [(0, 5), (-5, 0), (-5, 5), (0, 0)])
def test_a_divisor_that_may_be_zero_is_a_broken_invariant(low: int, high: int) -> None:
    fields = (decimal_field("x", low=low, high=high),)
    with pytest.raises(InvariantBroken, match="may be zero"):
        FastEvaluator(
            make_program([step("points", Binary("/", number("1"), X))], kind="engagement", fields=fields)
        )


MODES = {
    #            -2.5 -1.5 -1.4 -1.6  0.4  0.5  1.5  2.5  1.6
    "half_up":   (-3, -2, -1, -2, 0, 1, 2, 3, 2),
    "half_down": (-2, -1, -1, -2, 0, 0, 1, 2, 2),
    "half_even": (-2, -2, -1, -2, 0, 0, 2, 2, 2),
    "floor":     (-3, -2, -2, -2, 0, 0, 1, 2, 1),
    "ceiling":   (-2, -1, -1, -1, 1, 1, 2, 3, 2),
    "down":      (-2, -1, -1, -1, 0, 0, 1, 2, 1),
    "up":        (-3, -2, -2, -2, 1, 1, 2, 3, 2),
}  # fmt: skip
WHOLE = (-2, 0, 2)  # nothing to round, whatever the mode
TENTHS = (-25, -15, -14, -16, 4, 5, 15, 25, 16, *(10 * value for value in WHOLE))
CASES = [
    (mode, tenths, value)
    for mode, values in MODES.items()
    for tenths, value in zip(TENTHS, (*values, *WHOLE), strict=True)
]


@pytest.mark.parametrize(("mode", "tenths", "value"), CASES)
def test_every_rounding_goes_its_way_on_both_signs_and_on_ties(mode: Any, tenths: int, value: int) -> None:
    assert round_quotient(tenths, 10, mode=mode) == value
    assert round_quotient(tenths * 3, 30, mode=mode) == value
    assert round_exact(Fraction(tenths, 10), Rounding(scale=0, mode=mode)) == value
    assert round_exact(Fraction(tenths, 1000), Rounding(scale=2, mode=mode)) == Fraction(value, 100)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("huge", [False, True])
def test_a_rounded_step_is_rounded_alike_by_every_evaluator(mode: str, huge: bool) -> None:
    high = HUGE if huge else 10_000
    for low in (-high, 0):
        fields = (decimal_field("x", 1, low=low, high=high), decimal_field("y", low=1, high=high))
        constant_divisor = step("a", X, mode=mode)
        variable_divisor = step("b", Binary("/", X, Y), mode=mode)
        points = step("points", number("1"))
        program = make_program([constant_divisor, variable_divisor, points], kind="engagement", fields=fields)
        for tenths, value in zip(TENTHS, (*MODES[mode], *WHOLE), strict=True):
            if low == 0 and tenths < 0:
                continue
            found = outcomes(program, act(x=str(tenths / 10), y="1.000"))
            assert isinstance(found, Converted)
            assert [trace.value for trace in found.trace[:2]] == [value, value]


@pytest.mark.parametrize("mode", MODES)
def test_the_smallest_remainder_counts(mode: Any) -> None:
    fields = (decimal_field("x", 0, low=-9, high=9), decimal_field("y", 0, low=1, high=9))
    quotient = step("a", Binary("/", X, Y), mode=mode)
    program = make_program([quotient, step("points", number("1"))], kind="engagement", fields=fields)

    for x in (-4, -3, -2, -1, 1, 2, 3, 4):
        found = outcomes(program, act(x=str(x), y="3"))
        assert isinstance(found, Converted)
        assert found.trace[0].value == round_quotient(x, 3, mode=mode)


@pytest.mark.parametrize("value", [0, 7, -7])
@pytest.mark.parametrize("mode", MODES)
def test_a_whole_number_is_not_moved_by_rounding(mode: Any, value: int) -> None:
    assert round_quotient(value * 10, 10, mode=mode) == value


def test_quotients_are_reduced_with_their_sign() -> None:
    assert lowest_terms(-6, 4) == (-3, 2)
    assert lowest_terms(0, 4) == (0, 1)


STEP_ROWS = [("1", "10"), ("2.5", "20"), ("4", Rejection.QUANTITY_UNKNOWN), ("5", "50")]
TABLES: list[tuple[str, Any, str, Any]] = [
    ("step", STEP_ROWS, "from", [
        ("0.999", Rejection.OUT_OF_BOUNDS), ("1", 10), ("2.499", 10), ("2.5", 20), ("3.999", 20),
        ("4", Rejection.QUANTITY_UNKNOWN), ("4.999", Rejection.QUANTITY_UNKNOWN), ("5", 50), ("300", 50)]),
    ("step", STEP_ROWS, "above", [
        ("0.999", Rejection.OUT_OF_BOUNDS), ("1", 10), ("2.5", 10), ("2.501", 20), ("4", 20),
        ("4.001", Rejection.QUANTITY_UNKNOWN), ("5", Rejection.QUANTITY_UNKNOWN), ("5.001", 50)]),
    ("marginal", [("0", "0.5"), ("10", "2"), ("20", "0.1")], "from", [
        ("-0.001", Rejection.OUT_OF_BOUNDS), ("0", 0), ("4", 2), ("10", 5), ("10.5", 6),
        ("20", 25), ("30", 26)]),
    ("marginal", [("2", "0.5"), ("10", "2")], "above", [
        ("1.999", Rejection.OUT_OF_BOUNDS), ("2", 0), ("10", 4), ("11", 6)]),
    ("linear", [("0", "10"), ("3", "20"), ("4", "-1")], "from", [
        ("0", 10), ("1", "40/3"), ("3", 20), ("3.5", "9.5"), ("4", -1), ("300", -1)]),
    ("linear", [("0", "10"), ("3", "20")], "above", [("0", 10), ("1.5", 15), ("3", 20), ("3.001", 20)]),
    ("label", [("0", "gold"), ("10", "silver"), ("20", Rejection.IMPLAUSIBLE)], "from", [
        ("9.999", 0), ("10", 1), ("20", Rejection.IMPLAUSIBLE)]),
]  # fmt: skip
TABLE_CASES = [
    (kind, rows, boundary, argument, value)
    for kind, rows, boundary, cases in TABLES
    for argument, value in cases
]


@pytest.mark.parametrize(("kind", "rows", "boundary", "argument", "value"), TABLE_CASES)
@pytest.mark.parametrize("divided", [False, True])
def test_a_table_gives_its_row_at_and_beside_every_boundary(
    kind: str, rows: Any, boundary: str, argument: str, value: Any, divided: bool
) -> None:
    table = make_table("t", kind, rows, boundary=boundary)
    expr = Call("t", Binary("/", X, Y) if divided else X)

    expected = value if isinstance(value, Rejection) else Fraction(value)
    assert value_of(expr, argument, tables=(table,)) == expected


def test_a_label_is_told_in_the_trace() -> None:
    table = make_table("t", "label", [("0", "gold"), ("10", "silver")])
    program = make_program(
        [step("rating", Call("t", X), scale=None), step("points", number("3"))],
        kind="engagement",
        tables=(table,),
    )

    found = outcomes(program, act(x="10"))

    assert isinstance(found, Converted)
    assert [trace.label for trace in found.trace] == ["silver", None]


def test_a_table_that_has_no_value_for_any_argument_refuses_every_act() -> None:
    table = make_table("t", "step", [("301", "1")])

    assert value_of(Binary("/", X, Call("t", X)), "1", tables=(table,)) is Rejection.OUT_OF_BOUNDS
    rejecting = make_table("t", "step", [("-900", Rejection.IMPLAUSIBLE)])
    assert value_of(Call("t", X), "1", tables=(rejecting,)) is Rejection.IMPLAUSIBLE


def test_a_table_may_be_asked_for_one_fixed_argument() -> None:
    table = make_table("t", "step", [("0", "10"), ("5", "20")])

    assert value_of(Call("t", number("4")), "1", tables=(table,)) == 10
    assert value_of(Call("t", number("5")), "1", tables=(table,)) == 20
    assert value_of(Call("t", number("-1")), "1", tables=(table,)) is Rejection.OUT_OF_BOUNDS


def test_the_refusal_of_a_table_names_the_table() -> None:
    program = make_program(
        [step("points", Call("fare", X))],
        kind="engagement",
        tables=(make_table("fare", "step", [("1", "1")]),),
    )

    found = outcomes(program, act(x="0.999"))

    assert isinstance(found, Refusal)
    assert (found.code, found.field) == (Rejection.OUT_OF_BOUNDS, "fare")


def by_class(values: dict[str, str]) -> Program:
    """Make a program whose factor differs by the class input ``size``."""
    size = make_field("size", code_table="sizes")
    expr = Binary("*", X, Name("f"))
    codes = {"sizes": {"s": "small", "m": "middle", "M": "middle", "l": "large"}}
    return make_program(
        [step("points", expr, mode="half_up")],
        kind="engagement",
        fields=(decimal_field("x"), size),
        factors=(constant("f", values, by="size"),),
        codes=codes,
    )


def test_a_factor_by_class_is_looked_up_and_a_class_without_one_has_no_figure() -> None:
    program = by_class({"small": "0.5", "large": "1.25"})

    small, large = outcomes(program, act(x="2", size="s")), outcomes(program, act(x="2", size="l"))
    middle = outcomes(program, act(x="2", size="M"))

    assert isinstance(small, Converted)
    assert isinstance(large, Converted)
    assert (small.points, large.points) == (1, 3)
    assert (small.inputs, large.inputs) == ({"x": 2000, "size": 0}, {"x": 2000, "size": 2})
    assert isinstance(middle, Refusal)
    assert (middle.code, middle.field) == (Rejection.NO_FIGURE, "f")


@pytest.mark.parametrize(
    ("size", "found"), [(-1, Rejection.OUT_OF_BOUNDS), (0, 2), (2, 10), (3, Rejection.OUT_OF_BOUNDS)]
)
def test_a_recorded_class_is_one_of_the_classes(size: int, found: int | Rejection) -> None:
    program = by_class({"small": "1", "middle": "3", "large": "5"})
    inputs = {"size": size, "x": 2000}

    outcome = FastEvaluator(program).convert_inputs(inputs, behaviour="TRV-METRO", day=739_326)

    assert (outcome.code if isinstance(outcome, Refusal) else outcome.points) == found


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ({"size": "s"}, Rejection.MISSING_FIELD, "x"),
        ({"x": "2"}, Rejection.MISSING_FIELD, "size"),
        ({"x": "2", "size": "xl"}, Rejection.UNKNOWN_CODE, "size"),
        ({"x": "", "size": "xl"}, Rejection.MISSING_FIELD, "x"),
        ({"x": "two", "size": "xl"}, Rejection.NOT_A_DECIMAL, "x"),
        ({"x": "0.0001", "size": "s"}, Rejection.EXCESS_DIGITS, "x"),
        ({"x": "300.001", "size": "s"}, Rejection.OUT_OF_BOUNDS, "x"),
        ({"x": "two", "size": "m"}, Rejection.NOT_A_DECIMAL, "x"),
    ],
)
def test_inputs_are_refused_in_their_order_before_any_figure(
    row: dict[str, str], code: Rejection, field: str
) -> None:
    found = outcomes(by_class({"small": "1", "large": "1"}), act(**row))

    assert isinstance(found, Refusal)
    assert (found.code, found.field) == (code, field)


def test_an_input_of_other_behaviours_counts_as_absent() -> None:
    field = decimal_field("x", behaviours=frozenset({"TRV-BUS"}), missing=Rejection.QUANTITY_UNKNOWN)
    program = make_program([step("points", X)], kind="engagement", fields=(field,))

    bus, metro = outcomes(program, act(behaviour="02", x="2")), outcomes(program, act(x="2"))

    assert isinstance(bus, Converted)
    assert isinstance(metro, Refusal)
    assert (metro.code, metro.field) == (Rejection.QUANTITY_UNKNOWN, "x")


def test_an_input_may_be_a_constant_of_the_mapping() -> None:
    field = decimal_field("x", constant="2.5", keys=())
    program = make_program([step("points", Binary("*", X, number("2")))], kind="engagement", fields=(field,))

    found = outcomes(program, act())

    assert isinstance(found, Converted)
    assert (found.points, found.inputs) == (5, {"x": 2500})


def test_a_behaviour_is_asked_only_for_the_inputs_that_it_uses() -> None:
    steps = [step("points", {"TRV-METRO": X, "TRV-BUS": number("3")})]
    program = make_program(steps, kind="engagement")

    bus = outcomes(program, act(behaviour="02"))

    assert isinstance(bus, Converted)
    assert (bus.points, bus.inputs) == (3, {})
    assert isinstance(outcomes(program, act()), Refusal)


def test_a_behaviour_that_only_another_version_knows_is_refused() -> None:
    program = make_program([step("points", X)], kind="engagement")
    roles = SourceReader(program).read(act())
    assert isinstance(roles, Roles)
    other, row = roles._replace(behaviour="TRV-WALK"), act(x="1")
    columns = SourceReader(program).read_columns([row])._replace(behaviour=["TRV-WALK"])

    found = [
        Interpreter(program).convert(row, other),
        FastEvaluator(program).convert(row, other),
        FastEvaluator(program).convert_traced(row, other),
        *ColumnEvaluator(program).convert_batch([row], columns).outcomes(),
    ]

    assert {outcome[:2] for outcome in found} == {(Rejection.UNKNOWN_CODE, "behaviour")}


def edition(since: date, value: str) -> Any:
    """Make one edition of a factor."""
    return dated(Fraction(value), since)


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("2025-02-28T23:59:59+08:00", Rejection.MAPPING_NOT_IN_FORCE),
        ("2025-03-01T00:00:00+08:00", Rejection.NO_FIGURE),
        ("2025-03-31T15:59:59Z", Rejection.NO_FIGURE),
        ("2025-03-31T16:00:00Z", 2),
        ("2025-06-30T23:59:59+08:00", 2),
        ("2025-07-01T00:00:00+08:00", 7),
        ("2025-12-31T23:59:59+08:00", 7),
        ("2026-01-01T00:00:00+08:00", Rejection.MAPPING_NOT_IN_FORCE),
    ],
)
def test_a_figure_holds_from_its_first_to_its_last_second(start: str, found: int | Rejection) -> None:
    values = (edition(date(2025, 4, 1), "2"), edition(date(2025, 7, 1), "7"))
    factor = Factor(name="f", unit="1", by=None, values=values)
    program = make_program(
        [step("points", Name("f"))],
        kind="engagement",
        fields=(),
        factors=(factor,),
        effective_until=date(2026, 1, 1),
    )

    outcome = outcomes(program, act(start=start))

    assert (outcome.code if isinstance(outcome, Refusal) else outcome.points) == found


def test_a_table_holds_from_its_day_and_before_it_there_is_no_figure() -> None:
    table = make_table("t", "step", [("0", "4")])
    later = make_table("t", "step", [("0", "9")])
    values = (dated(table.values[0].value, date(2025, 4, 1)), dated(later.values[0].value, date(2025, 7, 1)))
    moved = type(table)(name="t", unit="1", of="km", kind="step", boundary="from", values=values)
    program = make_program([step("points", Call("t", X))], kind="engagement", tables=(moved,))

    days = ("2025-03-31", "2025-04-01", "2025-06-30", "2025-07-01")
    found = [outcomes(program, act(x="1", start=f"{day}T12:00:00+08:00")) for day in days]

    assert [o.code if isinstance(o, Refusal) else o.points for o in found] == [Rejection.NO_FIGURE, 4, 4, 9]


def test_the_reduction_is_in_milligrams_and_the_points_keep_their_exact_value() -> None:
    found = outcomes(yunxi(), act(distance="10.186"))

    assert isinstance(found, Converted)
    assert (found.co2e_mg, found.points, found.points_exact) == (1_465_480, 146, (36_637, 250))
    assert [(trace.name, trace.exact, trace.value) for trace in found.trace] == [
        ("reduction", Fraction("1465.480192"), Fraction("1465.48")),
        ("points", Fraction("146.548"), Fraction(146)),
    ]


def test_the_reductions_last_decimal_is_worth_its_milligrams() -> None:
    steps = [step("reduction", X, scale=1, mode="half_up"), step("points", number("1"))]
    program = make_program(steps, mg_per_reduction_ulp=100)

    found = outcomes(program, act(x="2.05"))

    assert isinstance(found, Converted)
    assert found.co2e_mg == 2_100


@pytest.mark.parametrize(
    ("x", "reason"), [("0.5", None), ("0.499", "reduction"), ("0", "reduction"), ("-1", "reduction")]
)
def test_an_act_without_a_positive_reduction_is_refused(x: str, reason: str | None) -> None:
    steps = [step("reduction", X, mode="half_up"), step("points", number("5"))]
    found = outcomes(make_program(steps, fields=(decimal_field("x", low=-9000),)), act(x=x))

    if reason is None:
        assert isinstance(found, Converted)
        assert found.co2e_mg == 1
    else:
        assert isinstance(found, Refusal)
        assert (found.code, found.field) == (Rejection.NO_REDUCTION, reason)


@pytest.mark.parametrize(("x", "points"), [("3", 0), ("3.5", 1), ("2.999", None)])
def test_points_below_zero_are_refused_and_zero_points_are_not(x: str, points: int | None) -> None:
    steps = [step("reduction", X), step("points", Binary("-", X, number("3")), mode="ceiling")]
    found = outcomes(make_program(steps), act(x=x))

    if points is None:
        assert isinstance(found, Refusal)
        assert (found.code, found.field) == (Rejection.NO_REDUCTION, "points")
    else:
        assert isinstance(found, Converted)
        assert found.points == points


def test_engagement_has_points_and_no_reduction() -> None:
    found = outcomes(make_program([step("points", number("5"))], kind="engagement"), act())

    assert isinstance(found, Converted)
    assert (found.co2e_mg, found.points, found.points_exact) == (0, 5, (5, 1))


def test_what_a_result_rests_on_is_told_by_the_interpreter() -> None:
    found = outcomes(yunxi(), act(distance="0.750", behaviour="03"))

    assert isinstance(found, Converted)
    assert found.touched == {
        ("code", "mode", "03"),
        ("factor", "baseline", "2024-01-01", ""),
        ("factor", "act", "2024-01-01", "TRV-EBIKE"),
        ("rounding", "reduction", "tie"),
        ("rounding", "points", "down"),
    }
