"""A record is recomputed from what it states, and whatever it states otherwise is told."""

from datetime import date
from typing import Any

import pytest

from gateway.convert import Program
from gateway.service.receipts.replaying import QuantityDiffers, Replayer, recorded_inputs
from tests.fakes.mappings import constant, decimal_field, make_field, yunxi

DIGEST = "sha256:" + "00" * 32
INPUTS = {"distance": {"value": "10.186", "unit": "km"}}


def record(**changes: Any) -> dict[str, Any]:
    """Make the members of a record that a recomputation reads: 10.186 km by metro, with what differs."""
    made: dict[str, Any] = {
        "id": "r-1",
        "mapping": mapping(),
        "behaviour": "TRV-METRO",
        "day": "2025-03-16",
        "inputs": INPUTS,
        "reduction": {"co2e_mg": "1465480"},
        "points": points(),
    }
    return made | changes


def replayer(program: Program | None = None) -> Replayer:
    """Make a replayer that knows one mapping."""
    found = yunxi() if program is None else program
    return Replayer({DIGEST: found}.__getitem__)


def points(**changes: str) -> dict[str, str]:
    """Make the points of a record, with what differs."""
    return {"unit": "cn-000000/yunxi-point", "kind": "gram", "uncapped": "146", "amount": "146"} | changes


def mapping(**changes: Any) -> dict[str, Any]:
    """Make the mapping that a record names, with what differs."""
    return {"id": "cn-000000/yunxi/travel", "version": 1, "digest": DIGEST} | changes


def test_a_true_record_is_recomputed() -> None:
    converted = replayer().recompute(record())

    assert (converted.co2e_mg, converted.points) == (1_465_480, 146)
    assert converted.inputs == {"distance": 10_186}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reduction": {"co2e_mg": "1465481"}}, "states co2e_mg 1465481, its mapping gives 1465480"),
        ({"reduction": {"co2e_mg": "1465479"}}, "states co2e_mg"),
        ({"reduction": {"co2e_mg": 1465480}}, "states co2e_mg"),
        ({"points": points(uncapped="147")}, "states uncapped 147, its mapping gives 146"),
        ({"points": points(unit="cn-000000/other-point")}, "another unit of points"),
        ({"points": points(kind="award")}, "another unit of points"),
        ({"mapping": mapping(version=2)}, "names a mapping that its digest does not belong to"),
        ({"mapping": mapping(id="cn-000000/yunxi/food")}, "names a mapping"),
        ({"behaviour": "TRV-WALK"}, "has behaviour TRV-WALK, unknown to its mapping"),
        ({"day": "2025-02-28"}, "its mapping refuses the act"),
        ({"day": "2025-02-30"}, "names a day that there is not"),
        ({"day": "2025-07-01"}, "states co2e_mg 1465480, its mapping gives 1509820"),
        ({"behaviour": "TRV-BUS"}, "states co2e_mg"),
    ],
)
def test_a_record_that_states_anything_else_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(QuantityDiffers, match=told) as refused:
        replayer().recompute(record(**changes))

    assert "record r-1" in str(refused.value)


MARCH = date(2025, 3, 16).toordinal()
WRITTEN = '{"distance":{"unit":"km","value":"10.186"}}'


def test_inputs_are_converted_as_they_are_written_down() -> None:
    converted = replayer().convert_text(DIGEST, "TRV-METRO", day=MARCH, inputs=WRITTEN)

    assert (converted.co2e_mg, converted.points) == (1_465_480, 146)
    for other in (WRITTEN.replace(":", ": "), '{"distance":{"value":"10.186","unit":"km"}}'):
        with pytest.raises(QuantityDiffers, match="is not canonical"):
            replayer().convert_text(DIGEST, "TRV-METRO", day=MARCH, inputs=other)
    with pytest.raises(QuantityDiffers, match="the mapping refuses the act"):
        replayer().convert_text(DIGEST, "TRV-METRO", day=MARCH - 16, inputs=WRITTEN)


@pytest.mark.parametrize(
    ("day", "since"),
    [
        (date(2025, 3, 1), date(2025, 3, 1)),
        (date(2025, 6, 30), date(2025, 3, 1)),
        (date(2025, 7, 1), date(2025, 7, 1)),
        (date(2026, 7, 1), date(2025, 7, 1)),
    ],
)
def test_the_rules_of_a_day_have_a_first_day(day: date, since: date) -> None:
    assert replayer().first_day(DIGEST, "TRV-METRO", day=day.toordinal()) == since.toordinal()


def test_there_are_no_rules_before_the_first_day_of_a_mapping() -> None:
    with pytest.raises(QuantityDiffers, match="the mapping refuses the act"):
        replayer().first_day(DIGEST, "TRV-METRO", day=MARCH - 16)


def test_a_mapping_is_compiled_once() -> None:
    asked: list[str] = []

    def program_of(digest: str) -> Program:
        asked.append(digest)
        return yunxi()

    once = Replayer(program_of)
    once.recompute(record())
    once.recompute(record())

    assert once.program(DIGEST) == yunxi()
    assert asked == [DIGEST]


def read(inputs: object, *, low: int = -1000) -> dict[str, int]:
    """Read inputs back: three decimals of km from -1 to 300."""
    program = yunxi(fields=(decimal_field("distance", low=low),))
    return recorded_inputs(program, "TRV-METRO", record=record(inputs=inputs))


@pytest.mark.parametrize(
    ("text", "scaled"), [("0.000", 0), ("300.000", 300_000), ("-1.000", -1000), ("-0.001", -1), ("0.001", 1)]
)
def test_an_input_is_read_back_as_it_was_written(text: str, scaled: int) -> None:
    assert read({"distance": {"value": text, "unit": "km"}}) == {"distance": scaled}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("300.001", "beyond its bounds"),
        ("-1.001", "beyond its bounds"),
        ("10.18", "otherwise than in km with 3 places"),
        ("10.1860", "otherwise than"),
        ("010.186", "otherwise than"),
        ("10186", "otherwise than"),
        ("-0.000", "otherwise than"),
        ("--1.000", "otherwise than"),
        ("1..000", "otherwise than"),
        ("1.0.00", "otherwise than"),
        ("1e3", "otherwise than"),
        ("１.000", "otherwise than"),
        ("²", "otherwise than"),
        ("", "otherwise than"),
        ("-", "otherwise than"),
        ("1" * 57 + ".000", "beyond its bounds"),
        ("1" * 58 + ".000", "otherwise than"),
    ],
)
def test_an_input_written_in_any_other_way_is_refused(value: str, told: str) -> None:
    with pytest.raises(QuantityDiffers, match=told):
        read({"distance": {"value": value, "unit": "km"}})


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        INPUTS | {"steps": {"value": "1", "unit": "1"}},
        {"steps": INPUTS["distance"]},
        [],
        "distance",
        {"distance": "10.186"},
        {"distance": {"value": 10186, "unit": "km"}},
        {"distance": {"value": "10.186", "unit": "m"}},
        {"distance": {"value": "10.186"}},
    ],
)
def test_inputs_are_exactly_those_that_the_formula_needs(inputs: object) -> None:
    with pytest.raises(QuantityDiffers):
        read(inputs)


def classed() -> Program:
    """Make a program whose figure goes by a class of the vehicle."""
    vehicle = make_field("vehicle", type="code", code_table="vehicle")
    return yunxi(
        fields=(decimal_field("distance"), vehicle),
        factors=(
            constant("baseline", {"small": "180.125", "large": "90"}, by="vehicle"),
            constant("act", "36.253"),
        ),
        codes={
            "mode": {"01": "TRV-METRO", "02": "TRV-BUS", "03": "TRV-EBIKE"},
            "vehicle": {"1": "small", "2": "large"},
        },
    )


@pytest.mark.parametrize(("name", "index"), [("small", 0), ("large", 1)])
def test_a_class_is_read_back_by_its_name(name: str, index: int) -> None:
    stated = INPUTS | {"vehicle": {"value": name, "unit": "class"}}

    found = recorded_inputs(classed(), "TRV-METRO", record=record(inputs=stated))

    assert found == {"distance": 10_186, "vehicle": index}


@pytest.mark.parametrize(("name", "unit"), [("huge", "class"), ("small", "km"), ("1", "class")])
def test_a_class_that_the_mapping_has_not_is_refused(name: str, unit: str) -> None:
    stated = INPUTS | {"vehicle": {"value": name, "unit": unit}}

    with pytest.raises(QuantityDiffers, match="no known class of vehicle"):
        recorded_inputs(classed(), "TRV-METRO", record=record(inputs=stated))
