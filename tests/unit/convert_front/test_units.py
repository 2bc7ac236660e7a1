"""Units are products of symbols."""

import pytest

from gateway.convert.units import CO2E_MG, DIMENSIONLESS, UnitError, divided, parse_unit, shown, times

POINT = "cn-000000/yunxi-point"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("km", "km"),
        ("gCO2e/km", "gCO2e/km"),
        ("kWh*h/day", "h*kWh/day"),
        ("km/km", "1"),
        ("1", "1"),
        ("1/h", "1/h"),
        ("m/s/s", "m/s/s"),
        ("m*m", "m*m"),
        (POINT, POINT),
        (f"{POINT}/gCO2e", f"{POINT}/gCO2e"),
        (f"gCO2e/{POINT}", f"gCO2e/{POINT}"),
        (f"{POINT}s", "cn-000000/yunxi-points"),
        ("次", "次"),
    ],
)
def test_a_unit_is_read(text: str, read: str) -> None:
    assert shown(parse_unit(text, credit=POINT)) == read


@pytest.mark.parametrize("text", ["", "/km", "km/", "km//h", "km**2", "2", "10km", "k m", "(km)"])
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        parse_unit(text, credit=POINT)


def test_products_and_quotients_cancel() -> None:
    gram, km = parse_unit("gCO2e", credit=""), parse_unit("km", credit="")
    per_km = divided(gram, km)

    assert times(km, per_km) == gram
    assert divided(gram, gram) == DIMENSIONLESS
    assert times(per_km, per_km) == parse_unit("gCO2e*gCO2e/km/km", credit="")
    assert divided(gram, times(km, km)) == parse_unit("gCO2e/km/km", credit="")
    assert parse_unit("kgCO2e", credit="") != gram


def test_units_of_reduction_are_powers_of_a_thousand_milligrams() -> None:
    assert CO2E_MG == {"mgCO2e": 1, "gCO2e": 1000, "kgCO2e": 1_000_000, "tCO2e": 1_000_000_000}
