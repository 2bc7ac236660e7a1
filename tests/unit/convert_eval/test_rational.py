"""Quotients are rounded as the decimal module rounds them, whose modes have the same names."""

import decimal
from fractions import Fraction

import pytest

from gateway.convert.exact import direction
from gateway.convert.program import Rounding, RoundingMode
from gateway.convert.rational import lowest_terms, round_quotient

MODES: tuple[RoundingMode, ...] = ("floor", "ceiling", "down", "up", "half_up", "half_down", "half_even")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("denominator", [1, 2, 4, 5, 8, 10])
def test_a_quotient_is_rounded_as_the_decimal_module_does(mode: RoundingMode, denominator: int) -> None:
    """The denominators have finite decimals, so that the other side is exact too."""
    for numerator in range(-4 * denominator, 4 * denominator + 1):
        quotient = decimal.Decimal(numerator) / denominator
        expected = int(quotient.to_integral_value(rounding=f"ROUND_{mode.upper()}"))

        assert round_quotient(numerator, denominator, mode=mode) == expected, numerator


@pytest.mark.parametrize(
    ("numerator", "denominator", "lowest"),
    [(6, 4, (3, 2)), (-6, 4, (-3, 2)), (0, 7, (0, 1)), (5, 1, (5, 1)), (7, 21, (1, 3))],
)
def test_lowest_terms_share_no_divisor(numerator: int, denominator: int, lowest: tuple[int, int]) -> None:
    assert lowest_terms(numerator, denominator) == lowest


@pytest.mark.parametrize(
    ("exact", "rounded", "said"),
    [
        ("2", "2", "exact"),
        ("2.4", "2", "down"),
        ("2.6", "3", "up"),
        ("2.5", "3", "tie"),
        ("2.5", "2", "tie"),
        ("-2.4", "-2", "up"),
        ("-2.6", "-3", "down"),
    ],
)
def test_it_is_told_which_way_a_value_was_rounded(exact: str, rounded: str, said: str) -> None:
    rounding = Rounding(scale=0, mode="half_up")

    assert direction(Fraction(exact), Fraction(rounded), rounding=rounding) == said
