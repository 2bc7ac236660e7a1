"""Positions and the straight line between them: to the metre, by programs that are not ours as well."""

import math
import random
import shutil
import subprocess
from decimal import Decimal

import pytest

from gateway.contract import EARTH_RADIUS_M, BadPosition, Position, read_position, straight_line_m
from tests.platforms.bikeshare import recompute

DEGREE = 10**18
BOSTON = ("42.361780439606044", "-71.10809952020645")
LONDON = ("51.5033", "-0.1195")
SYDNEY = ("-33.8568", "151.2153")

# Haversine in the language of bc, whose s, c and a are sine, cosine and arc tangent.
BC = """scale = 60
r = 6335000
k = a(1) / 45
p = ({0}) * k
q = ({2}) * k
n = s((q - p) / 2)
e = s((({3}) - ({1})) * k / 2)
x = sqrt(n * n + c(p) * c(q) * e * e)
d = 2 * r * a(x / sqrt(1 - x * x))
scale = 0
d / 1
"""


def position(latitude: str, longitude: str) -> Position:
    found = read_position(latitude, longitude)
    assert isinstance(found, Position)
    return found


def random_places(count: int, *, seed: int, apart: int) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Make pairs of places at most ``apart`` millionths of a degree from each other."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        north, east = chance.randrange(-70_000_000, 70_000_000), chance.randrange(-179_000_000, 179_000_000)
        step_north, step_east = chance.randrange(-apart, apart), chance.randrange(-apart, apart)
        one = (str(Decimal(north).scaleb(-6)), str(Decimal(east).scaleb(-6)))
        made.append(
            (one, (str(Decimal(north + step_north).scaleb(-6)), str(Decimal(east + step_east).scaleb(-6))))
        )
    return [(a, b) for a, b in made if "E" not in "".join((*a, *b))]


NEAR = random_places(60, seed=1, apart=300_000)
FAR = random_places(20, seed=2, apart=1_000_000)


@pytest.mark.parametrize(
    ("origin", "destination", "metres"),
    [
        pytest.param(("0", "0"), ("0", "90"), math.floor(math.pi * EARTH_RADIUS_M / 2), id="a quarter"),
        pytest.param(("0", "0"), ("0", "180"), math.floor(math.pi * EARTH_RADIUS_M), id="half around"),
        pytest.param(("90", "0"), ("-90", "77"), math.floor(math.pi * EARTH_RADIUS_M), id="pole to pole"),
        pytest.param(("90", "10"), ("90", "-10"), 0, id="one pole under two names"),
        pytest.param(("5", "180"), ("5", "-180"), 0, id="one place under two names"),
        pytest.param(("5", "179.9999"), ("5", "-179.9999"), 22, id="across the date line"),
        pytest.param(("45", "7"), ("45.000009", "7"), 0, id="just under a metre"),
        pytest.param(("45", "7"), ("45.00001", "7"), 1, id="just over a metre"),
        pytest.param(BOSTON, BOSTON, 0, id="where it began"),
    ],
)
def test_known_lengths_come_out(origin: tuple[str, str], destination: tuple[str, str], metres: int) -> None:
    one, other = position(*origin), position(*destination)

    assert straight_line_m(one, other) == straight_line_m(other, one) == metres


@pytest.mark.parametrize(
    "pairs", [NEAR, FAR, [(BOSTON, LONDON), (LONDON, SYDNEY)]], ids=["near", "far", "round"]
)
def test_metres_are_those_of_a_decimal_program_with_another_formula(
    pairs: list[tuple[tuple[str, str], tuple[str, str]]],
) -> None:
    assert recompute.RADIUS_M == EARTH_RADIUS_M
    for one, other in pairs:
        assert straight_line_m(position(*one), position(*other)) == recompute.straight_line_m(*one, *other)


def test_metres_are_those_of_a_desk_calculator() -> None:
    if shutil.which("bc") is None:
        pytest.skip("bc is not installed (make test-deps)")
    pairs = [*NEAR, (BOSTON, LONDON), (LONDON, SYDNEY)]
    script = "".join(BC.format(*one, *other) for one, other in pairs)

    done = subprocess.run(["bc", "-l"], input=script, capture_output=True, text=True, check=True, timeout=60)

    assert [int(line) for line in done.stdout.split()] == [
        straight_line_m(position(*one), position(*other)) for one, other in pairs
    ]


def test_precision_to_begin_with_changes_nothing() -> None:
    """64 bits leave hundreds of metres open, so the precision is doubled until the metre is certain."""
    for one, other in [*NEAR, (LONDON, SYDNEY)]:
        places = position(*one), position(*other)

        assert straight_line_m(*places, bits=64) == straight_line_m(*places, bits=1024)


def test_line_is_never_longer_than_the_way_on_the_ellipsoid_and_hardly_shorter() -> None:
    for one, other in [*NEAR, *FAR]:
        on_the_ground = vincenty_m(*map(float, (*one, *other)))

        assert 0.988 * on_the_ground - 1 < straight_line_m(position(*one), position(*other)) <= on_the_ground


def test_radius_lies_below_every_curvature_of_the_ellipsoid() -> None:
    flattening = 1 / Decimal("298.257223563")
    smallest = 6_378_137 * (1 - flattening * (2 - flattening))

    assert EARTH_RADIUS_M + 400 < smallest < EARTH_RADIUS_M + 500


@pytest.mark.parametrize(
    ("latitude", "longitude", "code", "said"),
    [
        pytest.param("121.5", "31.3", "out-of-bounds", "exchanged", id="exchanged"),
        pytest.param(
            "31.3", "180.000000000000000001", "out-of-bounds", "-180 to 180", id="beyond the date line"
        ),
        pytest.param("-90.1", "0", "out-of-bounds", "-90 to 90", id="south of the pole"),
        pytest.param("1e-05", "0", "not-a-decimal", "latitude", id="exponent"),
        pytest.param("0", "+1", "not-a-decimal", "longitude", id="plus sign"),
        pytest.param("0", "١", "not-a-decimal", "longitude", id="another script's digit"),
        pytest.param("", "0", "not-a-decimal", "latitude", id="nothing"),
        pytest.param("0.1234567890123456789", "0", "excess-digits", "18 decimals", id="19 decimals"),
    ],
)
def test_what_is_no_position_is_refused_with_its_code(
    latitude: str, longitude: str, code: str, said: str
) -> None:
    refused = read_position(latitude, longitude)

    assert isinstance(refused, BadPosition)
    assert refused.code == code
    assert said in refused.detail


def test_position_is_exact() -> None:
    assert position("-0.0", "180") == (0, 180 * DEGREE)
    assert position("-33.8568", "0.000000000000000001") == (-33_856_800_000_000_000_000, 1)


def vincenty_m(latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float) -> float:
    """Return the way on the WGS 84 ellipsoid by Vincenty's inverse formula (to under a millimetre)."""
    a, f = 6_378_137.0, 1 / 298.257223563
    b = a * (1 - f)
    u1, u2 = (math.atan((1 - f) * math.tan(math.radians(each))) for each in (latitude_1, latitude_2))
    difference = lam = math.radians(longitude_2 - longitude_1)
    for _ in range(100):
        sin_sigma = math.hypot(
            math.cos(u2) * math.sin(lam),
            math.cos(u1) * math.sin(u2) - math.sin(u1) * math.cos(u2) * math.cos(lam),
        )
        if sin_sigma == 0:
            return 0.0
        cos_sigma = math.sin(u1) * math.sin(u2) + math.cos(u1) * math.cos(u2) * math.cos(lam)
        sigma = math.atan2(sin_sigma, cos_sigma)
        sin_alpha = math.cos(u1) * math.cos(u2) * math.sin(lam) / sin_sigma
        cos2_alpha = 1 - sin_alpha**2
        middle = cos_sigma - 2 * math.sin(u1) * math.sin(u2) / cos2_alpha if cos2_alpha else 0.0
        c = f / 16 * cos2_alpha * (4 + f * (4 - 3 * cos2_alpha))
        bracket = middle + c * cos_sigma * (2 * middle**2 - 1)
        lam = difference + (1 - c) * f * sin_alpha * (sigma + c * sin_sigma * bracket)
    square = cos2_alpha * (a**2 - b**2) / b**2
    big_a = 1 + square / 16384 * (4096 + square * (-768 + square * (320 - 175 * square)))
    big_b = square / 1024 * (256 + square * (-128 + square * (74 - 47 * square)))
    inner = cos_sigma * (2 * middle**2 - 1) - big_b / 6 * middle * (4 * sin_sigma**2 - 3) * (
        4 * middle**2 - 3
    )
    return b * big_a * (sigma - big_b * sin_sigma * (middle + big_b / 4 * inner))
