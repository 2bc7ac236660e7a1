"""An act by another platform's rules, from what its record states: the same, or why not."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from gateway.app.base.mappings import Versions
from gateway.convert import CarriedEvaluator, Converted, FastEvaluator, Program, Refusal, Stated
from gateway.model.codes import Rejection
from gateway.service.receipts.replaying import recorded_inputs
from tests.fakes.claims import PLATFORMS, write_mapping

DAY = date(2025, 3, 16).toordinal()
KM: Stated = {"distance": ("10.574", "km")}
TRIP: Stated = {"trips": ("1", "trip")}


def wuhan(name: str = "travel", version: int = 2) -> Program:
    found = Versions()(f"cn-420100/wuhan/{name}")
    return next(program for program in found if program.version == version)


def test_an_act_is_worth_what_the_other_rules_give_its_inputs() -> None:
    found = CarriedEvaluator(wuhan()).convert("TRV-BIKE", KM, day=DAY)

    assert isinstance(found, Converted)
    assert (found.co2e_mg, Fraction(*found.points_exact)) == (986_554, Fraction("986.554"))


def test_what_a_mapping_s_own_record_states_gives_what_it_gave() -> None:
    program = wuhan()
    record = {"id": "0", "inputs": {"distance": {"value": "10.574", "unit": "km"}}}
    own = FastEvaluator(program).convert_inputs(
        recorded_inputs(program, "TRV-METRO", record=record),  # type: ignore[arg-type]  # a part of one
        behaviour="TRV-METRO",
        day=DAY,
    )

    assert CarriedEvaluator(program).convert("TRV-METRO", KM, day=DAY) == own


@pytest.mark.parametrize("stated", [{}, TRIP, {"trips": ("1.0", "trip")}, KM])
def test_a_constant_of_the_rules_stands_for_an_act_that_states_no_other(stated: Stated) -> None:
    found = CarriedEvaluator(wuhan()).convert("TRV-BUS", stated, day=DAY)

    assert isinstance(found, Converted)
    assert found.co2e_mg == 212_500


def test_what_is_not_needed_is_not_looked_at() -> None:
    stated = {**KM, "weather": ("rain", "class")}

    assert isinstance(CarriedEvaluator(wuhan()).convert("TRV-BIKE", stated, day=DAY), Converted)


@pytest.mark.parametrize(
    ("behaviour", "stated", "code", "field"),
    [
        ("TRV-BIKE", TRIP, Rejection.MISSING_FIELD, "distance"),
        ("TRV-BIKE", {"distance": ("10574", "m")}, Rejection.QUANTITY_UNKNOWN, "distance"),
        ("TRV-BIKE", {"distance": ("long", "class")}, Rejection.QUANTITY_UNKNOWN, "distance"),
        ("TRV-BIKE", {"distance": ("1.2345", "km")}, Rejection.EXCESS_DIGITS, "distance"),
        ("TRV-BIKE", {"distance": ("300.001", "km")}, Rejection.OUT_OF_BOUNDS, "distance"),
        ("TRV-BIKE", {"distance": ("0", "km")}, Rejection.NO_REDUCTION, "reduction"),
        ("TRV-BUS", {"trips": ("2", "trip")}, Rejection.OUT_OF_BOUNDS, "trips"),
        ("TRV-WALK", KM, Rejection.UNMAPPED, "behaviour"),
        ("FOD-CLEANPLATE", KM, Rejection.UNKNOWN_CODE, "behaviour"),
    ],
)
def test_rules_that_do_not_fit_say_why(behaviour: str, stated: Stated, code: Rejection, field: str) -> None:
    found = CarriedEvaluator(wuhan()).convert(behaviour, stated, day=DAY)

    assert isinstance(found, Refusal)
    assert (found.code, found.field) == (code, field)


def test_rules_of_another_time_give_nothing() -> None:
    found = CarriedEvaluator(wuhan()).convert("TRV-BIKE", KM, day=date(2024, 9, 1).toordinal())

    assert isinstance(found, Refusal)
    assert found.code is Rejection.MAPPING_NOT_IN_FORCE


def test_a_class_is_known_by_its_name_and_not_by_the_platform_s_code() -> None:
    program = wuhan("partner-rides", 1)
    (classes,) = [one.classes for one in program.formula.inputs.values() if one.classes]
    fits, unit = {**KM, "holder": (classes[0], "class")}, {**KM, "holder": (classes[0], "km")}
    evaluator = CarriedEvaluator(program)

    found = [
        evaluator.convert("TRV-BIKE", stated, day=DAY)
        for stated in (fits, unit, {**KM, "holder": ("nobody", "class")}, KM)
    ]

    assert isinstance(found[0], Converted) or found[0].code is Rejection.NO_REDUCTION
    assert [one.code for one in found[1:] if isinstance(one, Refusal)] == [
        Rejection.QUANTITY_UNKNOWN,
        Rejection.UNKNOWN_CODE,
        Rejection.MISSING_FIELD,
    ]


def test_what_rules_do_with_more_decimals_than_they_know_they_do_here(tmp_path: Path) -> None:
    path = write_mapping(tmp_path, PLATFORMS[0])
    text = path.read_text("utf-8")
    path.write_text(text.replace("scale: 1,", "scale: 1, excess_digits: floor,"), "utf-8")
    (program,) = Versions([path])(f"{PLATFORMS[0]}/rides")

    found = CarriedEvaluator(program).convert("TRV-BIKE", {"distance": ("7.99", "km")}, day=DAY)

    assert isinstance(found, Converted)
    assert found.co2e_mg == 790_000
