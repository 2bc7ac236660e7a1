"""Positions on the earth, and how far apart two of them are at least: exact, the same on every machine.

The straight line is the great circle on a sphere, by the haversine formula:

    h = sin²((φ₂ - φ₁) / 2) + cos φ₁ · cos φ₂ · sin²((λ₂ - λ₁) / 2),   d = 2 · R · arcsin √h

rounded down to whole metres. With R = 6,335,000 m it is a lower bound of every way on the ground. The
smallest radius of curvature of the WGS 84 ellipsoid is a · (1 - e²) = 6,335,439 m (north to south, at the
equator), so a small step of latitude and longitude is longer on the ellipsoid than on this sphere, and
so is every way that is made of such steps; the 439 m left over allow for land below the ellipsoid.

Everything is an integer: a number x stands as ⌊x · 2^bits⌋. For two different places d is no whole number
of metres: degrees with finitely many digits have algebraic sines, so h is algebraic, while the squared
sine of a rational angle other than 0 is transcendental (Lindemann). Hence more bits always decide.
"""

import re
from functools import lru_cache
from math import isqrt
from typing import Final, NamedTuple

from gateway.model.codes import Rejection

__all__ = ["EARTH_RADIUS_M", "BadPosition", "Position", "read_position", "straight_line_m"]

EARTH_RADIUS_M: Final = 6_335_000

_DECIMALS: Final = 18  # binary floating point printed in full has up to 17
_UNIT: Final = 10**_DECIMALS
_DEGREES: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,2})(?:\.([0-9]+))?")
_BITS: Final = 256  # enough for all but one pair of places in 10^26
_PLACES_KEPT: Final = 1 << 14  # rides repeat: several networks' stations
_PAIRS_KEPT: Final = 1 << 16  # and a network of 1,000 stations has few pairs in use


class Position(NamedTuple):
    """A place on the earth (WGS 84), in units of 10^-18 degrees."""

    latitude_e18: int
    longitude_e18: int


class BadPosition(NamedTuple):
    """Why two texts are no position; ``detail`` repeats nothing of them."""

    code: Rejection
    detail: str


@lru_cache(maxsize=_PLACES_KEPT)
def read_position(latitude: str, longitude: str) -> Position | BadPosition:
    """Read two plain decimals of degrees, at most 90 and 180 either way."""
    found = []
    for name, text, largest in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        match = _DEGREES.fullmatch(text)
        if match is None:
            return BadPosition(Rejection.NOT_A_DECIMAL, f"{name}: expected a decimal of degrees")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        if len(fraction) > _DECIMALS:
            return BadPosition(Rejection.EXCESS_DIGITS, f"{name}: expected at most {_DECIMALS} decimals")
        value = int(whole + fraction.ljust(_DECIMALS, "0"))
        if value > largest * _UNIT:
            hint = "; are latitude and longitude exchanged?" if name == "latitude" else ""
            return BadPosition(Rejection.OUT_OF_BOUNDS, f"{name}: expected -{largest} to {largest}{hint}")
        found.append(-value if sign else value)
    return Position(*found)


def straight_line_m(origin: Position, destination: Position, *, bits: int = _BITS) -> int:
    """Return how far apart two places are at least, in whole metres, rounded down.

    ``bits`` is the precision to begin with, at least 64; it is doubled until the metre is certain and
    does not change the result.
    """
    return 0 if origin == destination else _whole_metres(*sorted((origin, destination)), bits=bits)


@lru_cache(maxsize=_PAIRS_KEPT)
def _whole_metres(origin: Position, destination: Position, *, bits: int) -> int:
    while True:
        metres = _great_circle(origin, destination, bits=bits)
        # Each of the steps is off by a few units of 2^-bits, h by less than 2^(10 - bits). A root halves
        # the digits at worst (at places that coincide or lie opposite), and 2 R is less than 2^24.
        margin = 1 << (bits // 2 + 40)
        low, high = max(metres - margin, 0) >> bits, (metres + margin) >> bits
        if low == high:
            return low
        bits *= 2


def _great_circle(origin: Position, destination: Position, *, bits: int) -> int:
    north = _half_sine(destination.latitude_e18 - origin.latitude_e18, bits)
    east = _half_sine(destination.longitude_e18 - origin.longitude_e18, bits)
    cosines = _cosine(origin.latitude_e18, bits) * _cosine(destination.latitude_e18, bits) >> bits
    haversine = (north * north >> bits) + (cosines * (east * east >> bits) >> bits)
    return 2 * EARTH_RADIUS_M * _arcsine_of_root(min(haversine, 1 << bits), bits)


def _half_sine(degrees_e18: int, bits: int) -> int:
    return _sine(_radians(degrees_e18, bits) // 2, bits)


def _cosine(degrees_e18: int, bits: int) -> int:
    return _sine(_radians(90 * _UNIT - abs(degrees_e18), bits), bits)


def _radians(degrees_e18: int, bits: int) -> int:
    return degrees_e18 * _pi(bits) // (180 * _UNIT)


@lru_cache(maxsize=8)
def _pi(bits: int) -> int:
    """Return π by Machin's formula, 4 · (4 · arctan 1/5 - arctan 1/239)."""
    guard = 16
    return 4 * (4 * _arctangent(5, bits + guard) - _arctangent(239, bits + guard)) >> guard


def _arctangent(inverse: int, bits: int) -> int:
    power, total, n = (1 << bits) // inverse, 0, 1
    while power:
        total += power // n if n % 4 == 1 else -(power // n)
        power //= inverse * inverse
        n += 2
    return total


def _sine(angle: int, bits: int) -> int:
    """Return the sine of -π to π by its series."""
    square = angle * angle >> bits
    term, total, n = abs(angle), 0, 1
    while term:
        total += term if n % 4 == 1 else -term
        term = (term * square >> bits) // ((n + 1) * (n + 2))
        n += 2
    return total if angle >= 0 else -total


def _arcsine_of_root(square: int, bits: int) -> int:
    """Return arcsin √h for h from 0 to 1: the angle is halved until the series is short."""
    halvings = 0
    while square >> (bits - 8):  # sin²(x/2) = (1 - cos x) / 2
        square = ((1 << bits) - isqrt(((1 << bits) - square) << bits)) >> 1
        halvings += 1
    term, total, n = isqrt(square << bits), 0, 1
    while term:
        total += term // n
        term = (term * square >> bits) * n // (n + 1)
        n += 2
    return total << halvings
