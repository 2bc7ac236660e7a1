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
    mg, points, text = BEIJING.mg, BEIJING.points, exact_text
    movable = text(Fraction(mg * points) / BEIJING.exact)
    now, whole = steps(1000), steps(points)
    rate = text(Fraction(WUHAN.mg, mg) * FACTOR)
    lost, dust = now.used_mg - now.recognised_mg, text(now.exact - now.points_in)
    issued = f"⌊{text(WUHAN.exact)} × {now.recognised_mg} ÷ {WUHAN.mg}⌋ = ⌊{text(now.exact)}⌋"
    worked = [
        f"| R_S, P, P\\* | {mg} mg, {points} points, {text(BEIJING.exact)} |",
        f"| R_B = R_D, P_D | {WUHAN.mg} mg, {text(WUHAN.exact)} points |",
        f"| movable | {mg} × {points} ÷ {text(BEIJING.exact)} = {movable} mg |",
        f"| used, for 1000 points | ⌊{movable} × 1000 ÷ {points}⌋ = {now.used_mg} mg |",
        f"| burned | ⌈{points} × {now.used_mg} ÷ {movable}⌉ = {now.burned} points |",
        f"| recognised of 1 mg | {WUHAN.mg} × 0.9 ÷ {mg} = {rate} |",
        f"| recognised | ⌊{now.used_mg} × {rate}⌋ = {now.recognised_mg} mg |",
        f"| not recognised | {now.used_mg} - {now.recognised_mg} = {lost} mg |",
        f"| points in | {issued} = {now.points_in} points |",
        f"| dust | {dust} points |",
    ]
    later = [
        f"| {name} | {first} | {at_once - first} | {at_once} |"
        for name, first, at_once in (
            ("points burned", now.burned, whole.burned),
            ("used mg", now.used_mg, whole.used_mg),
            ("recognised mg", now.recognised_mg, whole.recognised_mg),
            ("points in", now.points_in, whole.points_in),
        )
    ]
    return worked, [*later, f"| dust of the lot | {dust} | | {text(whole.exact - whole.points_in)} |"]
