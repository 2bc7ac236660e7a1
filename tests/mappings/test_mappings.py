"""Every mapping that is shipped or tried here keeps its word: tests, coverage, and no change unnoticed."""

import random
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

import pytest

from gateway import resources
from gateway.convert.coverage import measure
from gateway.convert.document import Document, from_canonical, value_at
from gateway.convert.interpret import Interpreter
from gateway.convert.load import check_scheme, load_program, program_from_canonical, program_from_document
from gateway.convert.outcome import Refusal
from gateway.convert.program import Program
from gateway.convert.selftest import run_tests, source_fields
from gateway.convert.survivors import Fate, fates

HERE = Path(__file__).parent
SCHEMA = resources.schema("mapping")
SHIPPED = dict(resources.shipped_mappings())
SHAPES = {f"shapes/{path.name}": path.read_bytes() for path in sorted(HERE.glob("shapes/*.yaml"))}
RIDES = {f"rides/{path.name}": path.read_bytes() for path in sorted(HERE.glob("rides/*.yaml"))}
EXPORTS = {path.name: path.read_bytes() for path in sorted(HERE.glob("exports/*.yaml"))}
DOCUMENTS = {f"documents/{path.name}": path.read_bytes() for path in sorted(HERE.glob("documents/*.yaml"))}
TRIED = {
    "shenzhen-2018.v1.yaml": (HERE / "shenzhen-2018.v1.yaml").read_bytes(),
    **SHAPES,
    **RIDES,
    **EXPORTS,
    **DOCUMENTS,
}
ALL = SHIPPED | TRIED
WUHAN_1, WUHAN_2 = "cn-420100-wuhan/travel.v1.yaml", "cn-420100-wuhan/travel.v2.yaml"
SHENZHEN = "cn-440300-shenzhen/transport.v1.yaml"
REAL_STATUSES = {"unmapped": "press", "unpublished": "unpublished", "no_points": "study"}


@cache
def load(name: str) -> Program:
    return load_program(ALL[name], SCHEMA, name=name)


@cache
def fates_of(name: str) -> list[Fate]:
    return list(fates(load(name), SCHEMA))


def test_no_shipped_mapping_claims_to_be_official() -> None:
    assert {WUHAN_1, WUHAN_2, SHENZHEN} <= SHIPPED.keys()
    assert {load(name).status for name in SHIPPED} <= {"press", "study", "unpublished"}
    stated = {f"shapes/{name}.v1.yaml": status for name, status in REAL_STATUSES.items()}
    assert {name: load(name).status for name in TRIED} == dict.fromkeys(TRIED, "illustrative") | stated


@pytest.mark.parametrize("name", ALL)
def test_the_embedded_tests_pass(name: str) -> None:
    program = load(name)

    results = run_tests(program, Interpreter(program).convert)

    assert {result.name: result.faults for result in results if result.faults} == {}
    assert len(results) == len(program.tests) > 0


@pytest.mark.parametrize("name", ALL)
def test_the_embedded_tests_touch_every_rule(name: str) -> None:
    coverage = measure(load(name))

    assert [str(rule) for rule in coverage.untouched] == []
    assert {"factor", "rejection", "rounding"} & {rule.kind for rule in coverage.rules}


@pytest.mark.parametrize("name", ALL)
def test_no_changed_figure_rounding_threshold_cap_or_day_goes_unnoticed(name: str) -> None:
    survived = [fate.mutant.description for fate in fates_of(name) if fate.fate == "survived"]

    assert survived == []


@pytest.mark.parametrize("name", ALL)
def test_a_program_is_rebuilt_from_its_canonical_bytes(name: str) -> None:
    program = load(name)

    assert program_from_canonical(program.canonical, SCHEMA) == program


@pytest.mark.parametrize("name", ALL)
def test_mutants_called_equivalent_give_what_the_original_gives(name: str) -> None:
    program = load(name)
    chance = random.Random(name)
    rows = [row for _ in range(12) for row in _varied_rows(program, chance)]
    wanted = [_result(program, row) for row in rows]
    equivalent = [fate.mutant for fate in fates_of(name) if fate.fate == "equivalent"]

    for mutant in equivalent:
        changed = program_from_document(Document(mutant.document, {}), SCHEMA)
        assert [_result(changed, row) for row in rows] == wanted, mutant.description


def _varied_rows(program: Program, chance: random.Random) -> Iterator[dict[str, str]]:
    """Yield the rows of the embedded tests with their decimals changed at random."""
    for test in program.tests:
        if "given" in test:
            row = source_fields(program, test["given"], label="e", person="p")
            yield {key: _varied(text, chance) for key, text in row.items()}


def _varied(text: str, chance: random.Random) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    places = -int(number.as_tuple().exponent)
    return f"{number * chance.randrange(1, 40) / 10:.{places}f}" if number and places >= 0 else text


def _result(program: Program, row: dict[str, str]) -> object:
    outcome = Interpreter(program).convert(row)
    if isinstance(outcome, Refusal):
        return outcome.code
    return outcome.co2e_mg, outcome.points, outcome.trace


def test_wuhans_versions_follow_each_other() -> None:
    assert check_scheme([load(WUHAN_2), load(WUHAN_1)]) == ()


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ("mapping: cn-420100/wuhan/travel", "mapping: cn-420100/wuhan/other", "/mapping"),
        ("  from: 2024-09-02\n", "  from: 2023-06-02\n", "/effective/from"),
        ("path: /trip_id", "path: /ride_id", "/source"),
        ("{code: bus, behaviour: TRV-BUS}", "{code: tram, behaviour: TRV-BUS}", "/code_tables/trip_type"),
    ],
)
def test_versions_that_do_not_follow_are_found(old: str, new: str, pointer: str) -> None:
    text = SHIPPED[WUHAN_2].decode()
    assert text.count(old) == 1

    found = check_scheme([load(WUHAN_1), load_program(text.replace(old, new).encode(), SCHEMA)])

    assert [finding.pointer for finding in found] == [pointer]


def test_a_skipped_version_is_found() -> None:
    text = SHIPPED[WUHAN_2].decode()
    skipped = text.replace("version: 2\n", "version: 3\n").replace("supersedes: 1", "supersedes: 2")

    (finding,) = check_scheme([load(WUHAN_1), load_program(skipped.encode(), SCHEMA)])

    assert finding.message == "expected supersedes 1 in version 3, got 2"


def test_a_code_may_be_added_but_keeps_its_meaning() -> None:
    text = SHIPPED[WUHAN_2].decode()
    added = text.replace("{code: bus,", "{code: tram, behaviour: TRV-BUS}\n    - {code: bus,")

    assert check_scheme([load(WUHAN_1), load_program(added.encode(), SCHEMA)]) == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_assumed_is_said_in_the_document_itself(name: str) -> None:
    note = value_at(from_canonical(load(name).canonical).value, "/note")

    assert isinstance(note, str)
    assert "not official" in note
    assert "Assumed" in note
    assert SHIPPED[name].startswith(b"#")
