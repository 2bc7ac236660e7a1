"""Rows of one day become one act, and every row of a group has one fate, in whatever order the rows come."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from gateway.bulk.assembly import sort_rows
from gateway.contract import Assembly
from gateway.convert import DayGroups, Program, load_program
from gateway.model.codes import Rejection
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceRow
from gateway.resources import schema
from tests.fakes.exports import export_mapping

MEMORY = 1 << 20


def program(*edits: tuple[str, str]) -> Program:
    text = export_mapping("steps_hourly").read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return load_program(text.encode(), schema("mapping"))


def hour(row: int, text: str, steps: str = "10", *, person: str = "0001", file: str = "a.csv") -> SourceRow:
    return SourceRow(Place(file, row), {"Id": person, "ActivityHour": text, "StepTotal": steps, "other": "x"})


def grouped(rows: list[SourceRow | RefusedRow], folder: Path, *, rules: Program) -> list[Outcome]:
    groups = DayGroups(rules)
    stage = Assembly(group_by=groups.group_by, order_by=groups.order_by, assemble=groups.assemble)
    return list(sort_rows(groups.keyed(rows), stage, folder=folder, memory=MEMORY))


def test_the_rows_of_a_person_and_day_are_added_up(tmp_path: Path) -> None:
    rows: list[SourceRow | RefusedRow] = [
        hour(1, "4/12/2016 11:00:00 PM", "3"),
        hour(2, "4/12/2016 12:00:00 AM", "1"),
        hour(3, "4/13/2016 12:00:00 AM", "5"),
        hour(4, "4/12/2016 12:00:00 AM", "7", person="1"),
    ]

    found = grouped(rows, tmp_path, rules=program())

    assert found == [
        SourceRow(Place("a.csv", 2), {"Id": "0001", "day": "2016-04-12", "steps": "4", "rows": "2"},
                  (Place("a.csv", 1),)),
        SourceRow(Place("a.csv", 3), {"Id": "0001", "day": "2016-04-13", "steps": "5", "rows": "1"}),
        SourceRow(Place("a.csv", 4), {"Id": "1", "day": "2016-04-12", "steps": "7", "rows": "1"}),
    ]  # fmt: skip


def test_the_outcome_does_not_depend_on_the_order_of_the_rows(tmp_path: Path) -> None:
    rng = Random(3)
    rows: list[SourceRow | RefusedRow] = [
        hour(n, f"4/{1 + n % 3}/2016 {1 + n % 11}:00:00 AM", "9" if n == 80 else "1", person=str(n % 2))
        for n in range(90)
    ]
    first = grouped(rows, tmp_path, rules=program())

    for _ in range(3):
        rng.shuffle(rows)
        assert grouped(rows, tmp_path, rules=program()) == first
    assert {type(outcome) for outcome in first} == {SourceRow, RefusedRow, RepeatedRow}


def test_the_same_hour_again_is_a_repetition_and_another_value_of_it_is_refused(tmp_path: Path) -> None:
    nine = "4/12/2016 9:00:00 AM"
    rows: list[SourceRow | RefusedRow] = [hour(1, nine), hour(2, nine, file="b.csv"), hour(3, nine, "11")]

    act, other, again = sorted(grouped(rows, tmp_path, rules=program()), key=lambda one: one.place.row % 2)[
        ::-1
    ]

    found = {type(one): one for one in (act, other, again)}
    assert found[RepeatedRow] == RepeatedRow(Place("b.csv", 2), Place("a.csv", 1))
    refused = found[RefusedRow]
    assert isinstance(refused, RefusedRow)
    assert (refused.place, refused.code) == (Place("a.csv", 3), Rejection.DUPLICATE_EVENT)
    assert found[SourceRow].place == Place("a.csv", 1)


@pytest.mark.parametrize(
    ("row", "code", "says"),
    [
        (hour(1, "4/12/2016 9:30:00 AM"), Rejection.MALFORMED_ROW, "start: expected times that are a"),
        (hour(1, "2016-04-12 09:00:00"), Rejection.MALFORMED_ROW, "start: expected a day M/D/YYYY"),
        (hour(1, ""), Rejection.MISSING_FIELD, "start: expected a value"),
        (hour(1, "4/12/2016 9:00:00 AM", "x"), Rejection.NOT_A_DECIMAL, "steps: expected a decimal"),
        (hour(1, "4/12/2016 9:00:00 AM", "1.5"), Rejection.EXCESS_DIGITS, "steps: expected at most 0"),
        (hour(1, "4/12/2016 9:00:00 AM", "20001"), Rejection.OUT_OF_BOUNDS, "steps: expected from 0 to"),
        (hour(1, "4/12/2016 9:00:00 AM", ""), Rejection.MISSING_FIELD, "steps: expected a value"),
        (hour(1, "4/12/2016 9:00:00 AM", person=""), Rejection.MISSING_FIELD, "Id: expected a text"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_refused_alone(
    tmp_path: Path, *, row: SourceRow, code: Rejection, says: str
) -> None:
    good = hour(2, "4/12/2016 8:00:00 AM")

    refused, act = grouped([row, good], tmp_path, rules=program())

    assert isinstance(refused, RefusedRow)
    assert (refused.place, refused.code, refused.fields) == (row.place, code, row.fields)
    assert refused.detail.startswith(says)
    assert act.place == good.place


def test_what_the_reader_refused_passes_through(tmp_path: Path) -> None:
    broken = RefusedRow(Place("a.csv", 1), Rejection.MALFORMED_ROW, "cut off", {"": "x"})

    assert grouped([broken], tmp_path, rules=program()) == [broken]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", "3/27/2016", 24),
        ("Europe/Paris", "3/27/2016", 23),
        ("Europe/Paris", "10/30/2016", 25),
        ("America/Sao_Paulo", "10/16/2016", 23),  # where midnight itself is skipped
    ],
)
def test_a_day_is_whole_with_the_hours_that_it_has(
    tmp_path: Path, *, zone: str, day: str, hours: int
) -> None:
    strict = program(("partial: keep", "partial: reject"), ("zone: UTC", f"zone: {zone}"))
    texts = [f"{day} {(n + 11) % 12 + 1}:00:00 {'AM' if n < 12 else 'PM'}" for n in range(24)]
    found = grouped([hour(n, text) for n, text in enumerate(texts)], tmp_path, rules=strict)

    acts = [outcome for outcome in found if isinstance(outcome, SourceRow)]
    partial = [one for one in found if isinstance(one, RefusedRow) and one.code == Rejection.QUANTITY_UNKNOWN]

    assert (len(acts), len(partial)) == ((0, 1) if hours == 25 else (1, 0))
    assert all(act.fields["rows"] == str(hours) for act in acts)
    assert all(f"expected {hours} rows" in one.detail for one in partial)


def test_times_are_counted_from_the_start_of_the_local_day(tmp_path: Path) -> None:
    halves = program(("every: PT1H", "every: PT12H"), ("zone: UTC", "zone: Asia/Shanghai"))
    texts = ["12:00:00 AM", "8:00:00 AM", "12:00:00 PM", "4:00:00 PM"]

    found = grouped([hour(n, f"4/12/2016 {text}") for n, text in enumerate(texts)], tmp_path, rules=halves)

    assert {one.place.row for one in found if isinstance(one, RefusedRow)} == {1, 3}


@pytest.mark.parametrize(("rows", "whole"), [(12, True), (11, False)])
def test_a_short_day_has_a_row_for_its_last_part_too(tmp_path: Path, rows: int, *, whole: bool) -> None:
    """23 hours of the day on which clocks go forward, a row every second hour."""
    edits = (
        ("every: PT1H", "every: PT2H"),
        ("partial: keep", "partial: reject"),
        ("zone: UTC", "zone: Europe/Paris"),
    )
    local = [0, *range(3, 24, 2)][:rows]
    texts = [f"3/27/2016 {(n + 11) % 12 + 1}:00:00 {'AM' if n < 12 else 'PM'}" for n in local]

    (act,) = grouped([hour(n, text) for n, text in enumerate(texts)], tmp_path, rules=program(*edits))

    assert isinstance(act, SourceRow) is whole


def test_sums_are_exact_to_the_last_decimal(tmp_path: Path) -> None:
    fine = program(('column: StepTotal, type: decimal, min: "0", max: "20000"',
                    'column: StepTotal, type: decimal, scale: 3, min: "-1", max: "20000"'))  # fmt: skip
    texts = ["0.1", "0.2", "-0.001", "19999.999", "3"]
    rows: list[SourceRow | RefusedRow] = [
        hour(n, f"4/12/2016 {n + 1}:00:00 AM", text) for n, text in enumerate(texts)
    ]

    (act,) = grouped(rows, tmp_path, rules=fine)

    assert isinstance(act, SourceRow)
    assert act.fields["steps"] == "20003.298"


def test_json_rows_are_grouped_by_pointer(tmp_path: Path) -> None:
    text = export_mapping("steps_hourly").read_text("utf-8")
    for old, new in (("  format: {kind: csv}\n", ""), ("by: [Id]", "by: [/Id]"), ("column: ", "path: /"),
                     ("given: {day:", "given: {/day:"), (", steps: ", ", /steps: ")):  # fmt: skip
        text = text.replace(old, new)
    text = text.partition("\ntests:")[0] + "\ntests: [{name: none, given: {}, reject: missing-field}]\n"
    rules = load_program(text.encode(), schema("mapping"))
    row = SourceRow(Place("a", 1), {"/Id": "1", "/ActivityHour": "4/12/2016 1:00:00 AM", "/StepTotal": "2"})

    (act,) = grouped([row], tmp_path, rules=rules)

    assert act == SourceRow(row.place, {"/Id": "1", "/day": "2016-04-12", "/steps": "2", "/rows": "1"})


def test_a_mapping_without_a_group_has_no_groups() -> None:
    with pytest.raises(ValueError, match="declares no group"):
        DayGroups(load_program(export_mapping("charging").read_bytes(), schema("mapping")))


def test_an_unread_group_would_be_noticed(tmp_path: Path) -> None:
    """The sort stage counts what a group accounts for, so a row can never be dropped on the way."""
    groups = DayGroups(program())

    def forgetful(rows: Iterator[SourceRow]) -> Iterator[Outcome]:
        yield next(iter(groups.assemble(rows)))._replace(also=())

    stage = Assembly(group_by=groups.group_by, order_by=groups.order_by, assemble=forgetful)
    rows = [hour(1, "4/12/2016 1:00:00 AM"), hour(2, "4/12/2016 2:00:00 AM")]
    with pytest.raises(Exception, match="accounts for 1 of the 2 rows"):
        list(sort_rows(groups.keyed(rows), stage, folder=tmp_path, memory=MEMORY))
