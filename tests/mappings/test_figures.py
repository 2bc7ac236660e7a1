"""Every shipped figure says where it comes from, and none is one of those that nobody could confirm."""

import csv
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from gateway import resources
from gateway.convert import Program, load_program
from gateway.convert.exact import names_used
from gateway.convert.program import Cite
from gateway.model.codes import CONFIDENCES
from tests.real_data import shared_folder

HERE = Path(__file__).parent
SCHEMA = resources.schema("mapping")
PROGRAMS = [load_program(text, SCHEMA, name=name) for name, text in resources.shipped_mappings()]
GRAMS = {
    "mgCO2e": Fraction(1, 1000),
    "gCO2e": Fraction(1),
    "kgCO2e": Fraction(1000),
    "tCO2e": Fraction(10**6),
}
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class Figure(NamedTuple):
    mapping: str
    source: str
    behaviours: frozenset[str]
    value: Fraction
    unit: str
    cite: Cite

    @property
    def grams(self) -> Fraction | None:
        """The figure in g CO2e per unit, where it is a quantity of CO2e."""
        top = GRAMS.get(self.unit.partition("/")[0])
        return None if top is None else self.value * top


def figures(program: Program) -> Iterator[Figure]:
    """Yield each number of a program that stands for something published or assumed."""
    name = f"{program.id} version {program.version}"
    for codes, value, unit, cite in (*_of_formula(program), *_of_credit(program)):
        source = program.basis.get(cite.ref, {}).get("url", "no address")
        yield Figure(name, source, codes, value, unit, cite)


Stated = tuple[frozenset[str], Fraction, str, Cite]


def _of_formula(program: Program) -> Iterator[Stated]:
    used = {code: names_used(program.formula.steps, code) for code in program.behaviours}

    def concerned(figure: str) -> frozenset[str]:
        return frozenset(code for code, names in used.items() if figure in names)

    for factor in program.formula.factors.values():
        for dated in factor.values:
            by_key = dated.value if isinstance(dated.value, dict) else {"": dated.value}
            for key, value in by_key.items():
                codes = frozenset({key}) if factor.by == "behaviour" else concerned(factor.name)
                yield codes, value, factor.unit, dated.cite
    for table in program.formula.tables.values():
        for edition in table.values:
            for row in edition.value:
                for number, unit in ((row.at, table.of), (row.value, table.unit)):
                    if number is not None:
                        yield concerned(table.name), number, unit, edition.cite


def _of_credit(program: Program) -> Iterator[Stated]:
    every = frozenset(program.behaviours)
    for cap in program.caps:
        unit, one = ("gCO2e", Fraction(1, 1000)) if cap.of == "reduction" else (cap.of, Fraction(1))
        yield cap.behaviours or every, cap.maximum * one, unit, cap.cite
    if program.expiry is not None:
        yield every, Fraction(program.expiry.days), "d", program.expiry.cite
    window = program.source.claim_window
    for day in () if window is None else (window.opens, window.closes):
        yield every, Fraction(day), "d", window.cite


FIGURES = [figure for program in PROGRAMS for figure in figures(program)]


def test_every_shipped_figure_states_source_year_and_confidence() -> None:
    basis = {f"{program.id} version {program.version}": program.basis for program in PROGRAMS}

    assert len(FIGURES) >= 30
    for figure in FIGURES:
        assert figure.cite.ref in basis[figure.mapping], figure
        assert figure.cite.year, figure
        assert figure.cite.confidence in CONFIDENCES, figure


def gathered() -> list[dict[str, str]]:
    """Read the figures that were gathered, or skip the test and say why."""
    folder = shared_folder()
    path = None if folder is None else folder / "domain" / "factors.csv"
    if path is None or not path.is_file():
        pytest.skip("the table of gathered figures is not here: set TANQIAO_TEST_DATA to its folder")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def grams_of(row: dict[str, str]) -> Fraction:
    return Fraction(row["value"]) * (1000 if row["unit"].startswith("kg") else 1)


def per(unit: str) -> str:
    """Return what a figure is per: a kilometre of a person is a kilometre."""
    return unit.partition("/")[2].replace("pkm", "km")


def unconfirmed_in_use(rows: list[dict[str, str]], shipped: list[Figure]) -> list[str]:
    """Name the shipped figures that equal an unconfirmed one of the same act and no confirmed one."""
    unknown = {
        (row["behaviour"], grams_of(row), per(row["unit"])) for row in rows if row["confidence"] == "unknown"
    }
    confirmed = {
        (row["behaviour"], grams_of(row), per(row["unit"]))
        for row in rows
        if row["confidence"] != "unknown" and NUMBER.fullmatch(row["value"]) and "g/" in row["unit"]
    }
    return [
        f"{figure.mapping}: {float(figure.value):g} {figure.unit} for {code}"
        for figure in shipped
        for code in sorted(figure.behaviours)
        if figure.grams and (code, figure.grams, per(figure.unit)) in unknown - confirmed
    ]


@pytest.mark.real_data
def test_no_figure_of_unknown_confidence_is_shipped() -> None:
    assert unconfirmed_in_use(gathered(), FIGURES) == []


@pytest.mark.real_data
def test_a_figure_of_unknown_confidence_would_be_found() -> None:
    smuggled = Figure("m", "", frozenset({"TRV-METRO"}), Fraction("0.169"), "kgCO2e/pkm", Cite(ref="X"))

    assert unconfirmed_in_use(gathered(), [smuggled]) == ["m: 0.169 kgCO2e/pkm for TRV-METRO"]


def is_mapped(row: dict[str, str]) -> bool:
    """Tell whether all numbers of a gathered figure stand in shipped figures of the same act and source."""
    numbers = [Fraction(number) for number in NUMBER.findall(row["value"])]
    shipped = {
        number
        for figure in FIGURES
        if row["behaviour"] in {"*", *figure.behaviours}
        and (figure.source in row["source"] or ("://" not in row["source"] and figure.source == "no address"))
        for number in (figure.value, figure.grams)
    }
    return bool(numbers) and all({number, number * 1000} & shipped for number in numbers)


def key(row: dict[str, str]) -> str:
    return f"{row['platform']} / {row['behaviour']} / {row['parameter']} / {row['value']}"


@pytest.mark.real_data
def test_every_published_figure_is_mapped_or_the_reason_why_not_is_said() -> None:
    paths = sorted(HERE.glob("figures_not_mapped/*.yaml"))
    reasons = {
        entry["figure"]: entry["reason"]
        for path in paths
        for entry in yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506  # texts only
    }
    published = [row for row in gathered() if row["confidence"] == "published"]

    assert sorted(key(row) for row in published if not is_mapped(row) and key(row) not in reasons) == []
    assert sorted(reasons.keys() - {key(row) for row in gathered()}) == []
    assert [key(row) for row in published if is_mapped(row) and key(row) in reasons] == []
