"""What cities give for one act: the published figures come back, and a cell without a value says why."""

from datetime import date
from fractions import Fraction
from xml.etree import ElementTree

import pytest

from gateway.app.base.mappings import known_behaviours
from gateway.convert import MappingRefused
from gateway.convert.load import load_program
from gateway.resources import schema, shipped_basket, shipped_mappings
from gateway.review.basket import Basket, read_basket
from gateway.review.compare import Cell, compare_mappings, spread
from gateway.review.plot import plot
from tests.unit.convert_front.documents import YUNXI, load, shape

PROGRAMS = [load_program(text, schema("mapping"), name=name) for name, text in shipped_mappings()]
BASKET = read_basket(shipped_basket(), schema("basket"))
ON = date(2026, 11, 22)
CELLS = compare_mappings(PROGRAMS, BASKET, on=ON, which="all")


def grams(act: str, mapping: str, version: int) -> str:
    (cell,) = [
        cell
        for cell in CELLS
        if cell.act.name == act
        and cell.program
        and (cell.program.id, cell.program.version) == (mapping, version)
    ]
    return str(cell.grams) if cell.grams is None else f"{float(cell.grams):g}"


WUHAN, SHENZHEN = "cn-420100/wuhan/travel", "cn-440300/shenzhen/transport"


@pytest.mark.parametrize(
    ("act", "mapping", "version", "published"),
    [
        ("bicycle-km", WUHAN, 1, "40"),
        ("bicycle-km", WUHAN, 2, "93.3"),
        ("bus-trip", WUHAN, 1, "150"),
        ("bus-trip", WUHAN, 2, "212.5"),
        ("bus-km", SHENZHEN, 1, "26.9"),
        ("metro-km", SHENZHEN, 1, "46.7"),
        ("metro-km", WUHAN, 2, "78.4"),
        ("bicycle-km", "cn-000000/meituan/cycling", 1, "48.35"),
        ("bicycle-km", "cn-000000/ofo/cycling", 1, "220.8"),
        ("bicycle-km", "cn-140000/sanjin/acts", 1, "250"),
        ("bicycle-km", "cn-110000/maas/travel", 1, "267"),
        ("bicycle-km", "cn-110000/green-life/acts", 1, "52"),
        ("bus-trip", "cn-430000/youji/energy", 1, "98"),
        ("bus-trip", "cn-510500/lvya/acts", 1, "80"),
        ("metro-km", "cn-310000/suishenxing/travel", 1, "100"),
        ("metro-trip", "cn-110000/green-life/acts", 1, "46"),
        ("steps-1000", "cn-510500/lvya/acts", 1, "16.4"),
        ("clean-plate", "cn-110000/green-life/acts", 1, "449"),
        ("clean-plate", "cn-510500/lvya/acts", 1, "144"),
        ("no-cutlery", "cn-110000/green-life/acts", 1, "23"),
        ("no-cutlery", "cn-140000/sanjin/acts", 1, "45.72"),
        ("charging-kwh", "cn-140000/sanjin/acts", 1, "460"),
    ],
)
def test_published_figure_of_an_act_comes_back(act: str, mapping: str, version: int, published: str) -> None:
    assert grams(act, mapping, version) == published


def test_every_platform_has_a_cell_for_every_act_and_says_why_it_is_empty() -> None:
    asked = {(act.name, program.platform) for act in BASKET.acts for program in PROGRAMS}

    assert {(cell.act.name, cell.platform) for cell in CELLS} == asked
    for cell in CELLS:
        assert cell.counted != bool(cell.why.zh), cell
        assert bool(cell.why.zh) == bool(cell.why.en), cell


def test_versions_in_force_are_asked_unless_all_are_wanted() -> None:
    early = compare_mappings(PROGRAMS, BASKET, on=date(2023, 7, 1))

    bicycle = [cell for cell in early if cell.act.name == "bicycle-km" and cell.platform == "cn-420100/wuhan"]
    assert [(cell.program and cell.program.version, cell.grams) for cell in bicycle] == [(1, 40)]
    before = compare_mappings(PROGRAMS, BASKET, on=date(2020, 1, 1))
    wuhan = next(cell for cell in before if cell.platform == "cn-420100/wuhan")
    assert wuhan.why.en == "no version in force on 2020-01-01"


def test_act_that_needs_more_than_is_stated_says_what() -> None:
    cell = next(one for one in CELLS if one.act.name == "bus-trip" and one.platform == "cn-440300/shenzhen")

    assert cell.why.en == "the rule needs distance (km), which the standard act does not state"


def basket(text: str) -> Basket:
    head = "schema: basket/1\nacts:\n  - {act: a, title: {zh: 甲, en: A}, "
    return read_basket(f"{head}{text}}}\n".encode(), schema("basket"))


def cells(text: str, mapping: str) -> list[Cell]:
    return compare_mappings([load(mapping)], basket(text), on=ON)


def test_refused_act_names_the_rejection() -> None:
    (cell,) = cells('behaviour: TRV-METRO, quantities: {km: "301"}', YUNXI)

    assert not cell.counted
    assert "out-of-bounds" in cell.why.en


def test_points_without_a_reduction_have_no_grams() -> None:
    program = load(shape("engagement"))
    (act,) = program.behaviours[:1]
    found = cells(f'behaviour: {act}, quantities: {{"1": "1", day: "1", time: "1"}}', shape("engagement"))

    assert {cell.grams for cell in found if cell.counted} <= {None}


def test_spread_is_that_of_the_greatest_to_the_least() -> None:
    (cell,) = cells('behaviour: TRV-METRO, quantities: {km: "1"}', YUNXI)

    assert spread([cell._replace(grams=Fraction(40)), cell._replace(grams=Fraction(250)), cell]) == "6.3"
    assert spread([cell]) == ""


def test_standard_acts_are_of_the_taxonomy() -> None:
    assert {act.behaviour for act in BASKET.acts} <= set(known_behaviours())


def test_plot_is_one_well_formed_picture_that_asks_for_nothing() -> None:
    for lang in ("zh", "en"):
        drawn = plot(CELLS, lang)  # type: ignore[arg-type]  # both languages
        root = ElementTree.fromstring(drawn)  # noqa: S314 - our own text

        assert root.tag.endswith("svg")
        assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
        assert "93.3 g" in drawn


@pytest.mark.parametrize(
    "text",
    ["behaviour: bicycle, quantities: {}", "quantities: {}", 'behaviour: TRV-BIKE, quantities: {km: "1e3"}'],
)
def test_a_basket_that_breaks_its_schema_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(MappingRefused) as refused:
        basket(text)

    assert refused.value.findings[0].line == 3
