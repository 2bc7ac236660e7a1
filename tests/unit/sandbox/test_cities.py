"""The sandbox cities: their mappings hold their own tests, their points are what a gateway grants."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.app.base.mappings import Reading, known_behaviours
from gateway.app.records.convert import convert_files
from gateway.convert import Converted, FastEvaluator, Program, Refusal, SourceReader, load_program
from gateway.convert.selftest import run_tests
from gateway.errors import UsageError
from gateway.resources import schema
from gateway.sandbox.city import CITIES, Book, FaultBoard, FaultSwitch, Trouble, city_named, read_switch
from gateway.sandbox.city.residents import rides_file, settle_residents, shown_residents
from tests.fakes.homes import make_home

FIGURES = {"qinglan": "40", "yuewan": "93.3", "songling": "250"}


def program(name: str) -> Program:
    return load_program(CITIES[name].mapping.encode(), schema("mapping"), behaviours=known_behaviours())


@pytest.mark.parametrize("name", CITIES)
def test_a_city_s_mapping_is_illustrative_and_holds_its_tests(name: str) -> None:
    made = program(name)
    reader, evaluator = SourceReader(made), FastEvaluator(made)

    def evaluate(fields: Mapping[str, str]) -> Converted | Refusal:
        roles = reader.read(fields)
        return roles if isinstance(roles, Refusal) else evaluator.convert_traced(fields, roles)

    assert made.status == "illustrative"
    assert made.id == f"cn-000000/{name}/travel"
    assert [result.faults for result in run_tests(made, evaluate)] == [()]


def test_a_cycled_kilometre_is_worth_six_times_more_in_one_city() -> None:
    assert {name: CITIES[name].bike for name in FIGURES} == FIGURES
    assert len({city.mapping for city in CITIES.values()}) == len(CITIES) >= 6


@pytest.mark.parametrize("name", ["yunxi", "xingdu", "songling"])
def test_residents_have_the_points_that_a_gateway_grants_for_their_rides(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, book = CITIES[name], Book(tmp_path / "city.db")
    settle_residents(book, city, program=program(name), residents=3, rides=8, seed=1)
    file, content = rides_file(book, city)
    (tmp_path / file).write_bytes(content)
    (tmp_path / "mapping.yaml").write_text(city.mapping, "utf-8")
    home = make_home(tmp_path, monkeypatch)
    summary = convert_files(
        home, [tmp_path / file], reading=Reading("common", [str(tmp_path / "mapping.yaml")])
    )
    points = sum(int(one["points"]) for one in shown_residents(book))
    book.close()

    assert summary.counts.accepted == 24
    assert summary.counts.points == points > 0


def test_the_same_seed_settles_the_same_residents_and_another_one_others(tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate((1, 1, 2)):
        book = Book(tmp_path / str(number) / "city.db")
        settle_residents(book, CITIES["qinglan"], program=program("qinglan"), residents=2, rides=2, seed=seed)
        found.append(shown_residents(book))
        book.close()

    assert found[0] == found[1] != found[2]


def test_there_is_no_other_city() -> None:
    assert city_named("cn-000000/yunxi") is CITIES["yunxi"]
    with pytest.raises(UsageError) as refused:
        city_named("atlantis")
    assert "qinglan" in refused.value.remedy


@pytest.mark.parametrize(
    ("kind", "times", "seconds"), [("nothing", 1, 1), ("slow", -1, 1), ("slow", 1, 10**6)]
)
def test_a_fault_that_is_none_is_refused(kind: str, times: int, seconds: float) -> None:
    with pytest.raises(UsageError):
        read_switch(kind, times=times, seconds=seconds)


def test_a_fault_is_met_so_many_times_and_only_where_it_is_asked() -> None:
    board = FaultBoard([FaultSwitch(Trouble.LOST, times=2, only="holds")])
    met = [board.trouble(path) for path in ("/v1/credits", "/v1/holds", "/v1/holds:batch", "/v1/holds")]

    assert [one is not None for one in met] == [False, True, True, False]
    assert board.shown() == []
