"""Kinds of acts: what is compared with what, and declarations that mean nothing."""

from typing import Any

import pytest
import yaml

from gateway.claims import NO_KIND, Kinds, KindsRefused
from gateway.errors import MalformedDocument
from gateway.model.behaviour import read_behaviours
from gateway.model.shape import Shape
from gateway.resources import behaviour_table, schema, shipped_kinds


def declared(*kinds: dict[str, Any]) -> Kinds:
    plain = {"by": "interval", "tolerance_s": 60, "assumed_s": 60, "behaviours": []}
    document = {"kinds": [{**plain, **kind} for kind in kinds], "unclaimed": []}
    Shape(schema("kinds")).require(document, "kinds")
    return Kinds.of(document)


def test_a_kind_is_compared_with_those_around_it_and_not_with_its_siblings() -> None:
    kinds = declared(
        {"kind": "public"},
        {"kind": "metro", "within": "public"},
        {"kind": "bus", "within": "public"},
        {"kind": "night-bus", "within": "bus"},
        {"kind": "bicycle"},
    )
    compared = {(a, b) for a in range(5) for b in range(5) if kinds.comparable(a, b)}

    one_way = {(0, 1), (0, 2), (0, 3), (2, 3)}
    assert compared == {(n, n) for n in range(5)} | one_way | {(b, a) for a, b in one_way}
    assert [kinds.root(number) for number in range(5)] == ["public"] * 4 + ["bicycle"]


def test_the_smaller_tolerance_of_two_kinds_holds() -> None:
    kinds = declared({"kind": "public", "tolerance_s": 90}, {"kind": "metro", "within": "public"})

    assert (kinds.tolerance(0, 0), kinds.tolerance(0, 1), kinds.tolerance(1, 0)) == (90, 60, 60)


def test_a_kind_compared_by_day_states_no_times() -> None:
    document = {"kinds": [{"kind": "plate", "by": "day", "behaviours": ["PUB-QUIZ"]}], "unclaimed": []}
    Shape(schema("kinds")).require(document, "kinds")

    kinds = Kinds.of(document)

    assert (kinds.kinds[0].tolerance_s, kinds.kinds[0].assumed_s) == (0, 0)
    assert (kinds.number("PUB-QUIZ"), kinds.number("TRV-BUS")) == (0, -1)


@pytest.mark.parametrize(
    "kinds",
    [
        ({"kind": "metro"}, {"kind": "metro"}),
        ({"kind": "metro", "within": "public"},),
        ({"kind": "metro", "within": "metro"},),
        ({"kind": "metro", "within": "bus"}, {"kind": "bus", "within": "metro"}),
        ({"kind": "metro", "behaviours": ["TRV-BUS"]}, {"kind": "bus", "behaviours": ["TRV-BUS"]}),
    ],
    ids=["twice", "within nothing", "within itself", "in a circle", "a behaviour of two kinds"],
)
def test_a_declaration_that_means_nothing_is_refused(kinds: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(KindsRefused) as refused:
        declared(*kinds)

    assert refused.value.code == "kinds-refused"


@pytest.mark.parametrize(
    "kind",
    [{"by": "week"}, {"tolerance_s": -1}, {"tolerance_s": 86_401}, {"assumed_s": "60"}, {"colour": "red"}],
    ids=["an unknown way", "a negative time", "more than a day", "a text", "an unknown key"],
)
def test_a_declaration_of_another_form_is_refused(kind: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        declared({"kind": "metro", **kind})


def test_an_interval_needs_its_tolerance() -> None:
    document = {"kinds": [{"kind": "metro", "by": "interval", "behaviours": []}], "unclaimed": []}

    with pytest.raises(MalformedDocument):
        Shape(schema("kinds")).require(document, "kinds")


def test_each_behaviour_of_the_taxonomy_is_in_a_kind_or_said_to_be_in_none() -> None:
    document = yaml.safe_load(shipped_kinds())
    kinds = Kinds.of(document)
    codes = read_behaviours(behaviour_table()).keys()

    assert {code for code in codes if kinds.number(code) == NO_KIND} == set(document["unclaimed"])
    assert {code for kind in kinds.kinds for code in kind.behaviours} <= codes


def test_what_saves_nothing_is_in_no_kind() -> None:
    document = yaml.safe_load(shipped_kinds())
    kinds = Kinds.of(document)

    assert {kinds.number(code) for code in document["unclaimed"]} == {NO_KIND}


def test_a_metro_ride_is_public_transport_and_no_bus_ride() -> None:
    kinds = Kinds.of(yaml.safe_load(shipped_kinds()))
    metro, bus = kinds.number("TRV-METRO"), kinds.number("TRV-BUS")

    assert kinds.root(metro) == kinds.root(bus) == "public-transport"
    assert kinds.comparable(metro, 0)
    assert not kinds.comparable(metro, bus)
