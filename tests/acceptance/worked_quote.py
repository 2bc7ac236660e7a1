"""The worked example of docs/reference/quote.md, computed with nothing but fractions."""

from fractions import Fraction
from math import ceil, floor
from typing import Final, NamedTuple

from gateway.convert.explain import exact_text

__all__ = ["ACT_KM", "BEIJING", "FACTOR", "WUHAN", "City", "Step", "lines", "steps"]

ACT_KM: Final = Fraction("10.574")
FACTOR: Final = Fraction("0.9")


class City(NamedTuple):
    """What a city's rules give for the act: mg, points granted, exact points."""

    mg: int
    points: int
    exact: Fraction


def _city(per_km: str, *, tenths: bool) -> City:
    grams = ACT_KM * Fraction(per_km)
    scale = 10 if tenths else 1000
    rounded = Fraction(floor(grams * scale) if tenths else floor(grams * scale + Fraction(1, 2)), scale)
    return City(int(rounded * 1000), floor(rounded), rounded)


BEIJING: Final = _city("267", tenths=True)
WUHAN: Final = _city("93.3", tenths=False)


class Step(NamedTuple):
    """What the lot has come to in all after a move."""

    used_mg: int
    burned: int
    recognised_mg: int
    exact: Fraction
    points_in: int


def steps(points: int) -> Step:
    """Return what so many of the lot's points come to."""
    movable = Fraction(BEIJING.mg * BEIJING.points) / BEIJING.exact
    used = floor(movable * points / BEIJING.points)
    burned = ceil(BEIJING.points * used / movable)
    recognised = floor(used * min(BEIJING.mg, WUHAN.mg) * FACTOR / BEIJING.mg)
    exact = WUHAN.exact * recognised / WUHAN.mg
    return Step(used, burned, recognised, exact, floor(exact))


def lines() -> tuple[list[str], list[str]]:
    """Return the rows of the two tables of the page."""
    movable = Fraction(BEIJING.mg * BEIJING.points) / BEIJING.exact
    part, rest, whole = steps(1000), BEIJING.points - 1000, steps(BEIJING.points)
    rate = Fraction(WUHAN.mg, BEIJING.mg) * FACTOR
    worked = [
        f"| R_S, P, P\\* | {BEIJING.mg} mg, {BEIJING.points} points, {exact_text(BEIJING.exact)} |",
        f"| R_B = R_D, P_D | {WUHAN.mg} mg, {exact_text(WUHAN.exact)} points |",
        f"| movable | {BEIJING.mg} × {BEIJING.points} ÷ {exact_text(BEIJING.exact)} = {exact_text(movable)} mg |",
        f"| used, for 1000 points | ⌊{exact_text(movable)} × 1000 ÷ {BEIJING.points}⌋ = {part.used_mg} mg |",
        f"| burned | ⌈{BEIJING.points} × {part.used_mg} ÷ {exact_text(movable)}⌉ = {part.burned} points |",
        f"| recognised of 1 mg | {WUHAN.mg} × 0.9 ÷ {BEIJING.mg} = {exact_text(rate)} |",
        f"| recognised | ⌊{part.used_mg} × {exact_text(rate)}⌋ = {part.recognised_mg} mg |",
        f"| not recognised | {part.used_mg} - {part.recognised_mg} = {part.used_mg - part.recognised_mg} mg |",
        f"| points in | ⌊{exact_text(WUHAN.exact)} × {part.recognised_mg} ÷ {WUHAN.mg}⌋ = ⌊{exact_text(part.exact)}⌋"
        f" = {part.points_in} points |",
        f"| dust | {exact_text(part.exact - part.points_in)} points |",
    ]
    later = [
        f"| points burned | 1000 | {whole.burned - part.burned} | {whole.burned} |",
        f"| used mg | {part.used_mg} | {whole.used_mg - part.used_mg} | {whole.used_mg} |",
        f"| recognised mg | {part.recognised_mg} | {whole.recognised_mg - part.recognised_mg} | {whole.recognised_mg} |",
        f"| points in | {part.points_in} | {whole.points_in - part.points_in} | {whole.points_in} |",
        f"| dust of the lot | {exact_text(part.exact - part.points_in)} | | {exact_text(whole.exact - whole.points_in)} |",
    ]
    assert rest == whole.burned - part.burned
    return worked, later
