"""The published examples come out of the shipped mapping in force, exactly and within their tolerance.

``examples/`` has a file for each region; its form is explained at the head of ``wuhan.yaml``.
"""

import csv
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import resources
from gateway.catalog import Timeline
from gateway.convert import Interpreter, Program, Refusal, load_program
from gateway.convert.caps import CapKey, CapMeter
from gateway.convert.outcome import Converted
from gateway.convert.roles import Roles, SourceReader
from gateway.convert.selftest import source_fields
from tests.real_data import shared_folder

HERE = Path(__file__).parent


def read_examples() -> Iterator[dict[str, Any]]:
    for path in sorted(HERE.glob("examples/*.yaml")):
        for example in yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader):  # noqa: S506  # texts only
            yield example | {"file": path.name}


EXAMPLES = list(read_examples())
CONVERTED = {example["id"]: example for example in EXAMPLES if "mapping" in example}
EXPLAINED = {example["id"]: example["reason"] for example in EXAMPLES if "reason" in example}


@cache
def scheme(mapping: str) -> tuple[Program, ...]:
    schema = resources.schema("mapping")
    programs = [load_program(text, schema, name=name) for name, text in resources.shipped_mappings()]
    return tuple(sorted((one for one in programs if one.id == mapping), key=lambda one: one.version))


def in_force(mapping: str, row: dict[str, str]) -> Program:
    versions = scheme(mapping)
    roles = SourceReader(versions[-1]).read(row)
    program = Timeline(versions).on(roles.day) if isinstance(roles, Roles) else versions[-1]
    assert program is not None, f"{mapping} has no version in force on {roles.day}"
    return program


def outcome_of(example: dict[str, Any]) -> Fraction | str:
    """Convert the row of an example and return the value of the step, or the points that were granted."""
    versions = scheme(example["mapping"])
    assert versions, f"{example['mapping']} is not shipped"
    row = source_fields(versions[-1], example["given"], label="e", person="p")
    program = in_force(example["mapping"], row)
    outcome = Interpreter(program).convert(row)
    if isinstance(outcome, Refusal):
        assert outcome.code == example.get("reject"), outcome
        return Fraction(0)
    assert "reject" not in example, f"{example['id']} was converted"
    if example["of"] == "granted":
        return granted(program, row, outcome, times=int(example["times"]))
    step = next(step for step in outcome.trace if step.name == example["of"])
    return step.value if step.label is None else step.label


def granted(program: Program, row: dict[str, str], converted: Converted, *, times: int) -> Fraction:
    """Return what the caps grant for equal acts of one person, accepted on their own day."""
    meter, usage, points = CapMeter(program), dict[CapKey, int](), 0
    roles = SourceReader(program).read(row)
    assert isinstance(roles, Roles)
    keys = meter.keys(roles, date.fromordinal(roles.day))
    assert not isinstance(keys, Refusal)
    for _ in range(times):
        one = meter.grant(converted, keys, usage=usage)
        assert not isinstance(one, Refusal), one
        points += one.points
    return Fraction(points)


@pytest.mark.parametrize("name", CONVERTED)
def test_a_published_example_comes_out_exactly(name: str) -> None:
    example = CONVERTED[name]
    found = outcome_of(example)

    assert found == (example["value"] if isinstance(found, str) else Fraction(example["value"]))


def published() -> dict[str, dict[str, str]]:
    """Read the published examples by id, or skip the test and say why."""
    folder = shared_folder()
    path = None if folder is None else folder / "domain" / "worked-examples.csv"
    if path is None or not path.is_file():
        pytest.skip("the table of published examples is not here: set TANQIAO_TEST_DATA to its folder")
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["id"]: row for row in csv.DictReader(stream)}


@pytest.mark.real_data
def test_every_published_example_is_converted_or_its_reason_is_said() -> None:
    rows = published()

    assert len(EXAMPLES) == len({example["id"] for example in EXAMPLES})
    assert sorted(rows.keys() - CONVERTED.keys() - EXPLAINED.keys()) == []
    assert sorted((CONVERTED.keys() | EXPLAINED.keys()) - rows.keys()) == []


@pytest.mark.real_data
@pytest.mark.parametrize("name", CONVERTED)
def test_an_example_lies_within_the_tolerance_of_the_published_one(name: str) -> None:
    row, example = published()[name], CONVERTED[name]

    if row["kind"] == "rating":
        assert example["value"] == row["expected_value"]
        return
    ours = Fraction(example["value"]) * Fraction(example.get("per", "1"))
    assert abs(ours - Fraction(row["expected_value"])) <= Fraction(row["tolerance"])
