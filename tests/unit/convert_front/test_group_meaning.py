"""What a group, a form or an event made of roles may not mean: refused at the value that is wrong."""

from pathlib import Path

import pytest

from tests.unit.convert_front.documents import edited, findings, load

EXPORTS = Path(__file__).resolve().parents[2] / "mappings" / "exports"
GROUP, FIELDS = "/source/group", "/source/fields"


def export(name: str) -> str:
    return (EXPORTS / f"{name}.v1.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "edit", "found"),
    [
        ("steps_hourly", ("every: PT1H", "every: PT7H"), (f"{GROUP}/every", "field", "a whole number")),
        ("steps_hourly", ("every: PT1H", "every: PT1H40M"), (f"{GROUP}/every", "field", "a whole number")),
        ("steps_hourly", ("by: [Id]", "by: [Id, day]"), (f"{GROUP}/by/1", "name", "none of the made")),
        ("steps_hourly", ("by: [Id]", "by: [/Id]"), (f"{GROUP}/by/0", "field", "a heading")),
        ("steps_hourly", ("by: [Id]", "by: [User]"), (f"{FIELDS}/person/column", "name", "one of User, day")),
        ("steps_hourly", ("column: steps,", "column: start,"),
         (f"{FIELDS}/steps/column", "name", "one of Id")),
        ("steps_hourly", ("      steps: {column: StepTotal", "      person: {column: StepTotal"),
         (f"{GROUP}/sum/person", "name", "no meaning of its own")),
        ("steps_hourly", ("      steps: {column: StepTotal", "      rows: {column: StepTotal"),
         (f"{GROUP}/sum/rows", "name", "no meaning of its own")),
        ("steps_hourly", ("StepTotal, type: decimal,", "StepTotal, type: decimal, unit: step,"),
         (f"{GROUP}/sum/steps/unit", "field", "no unit")),
        ("steps_hourly", ("StepTotal, type: decimal, min:", "StepTotal, type: decimal, mix:"),
         (f"{GROUP}/sum/steps/mix", "schema", "expected one of")),
        ("steps_hourly", ('StepTotal, type: decimal, min: "0", max: "20000"', "StepTotal, type: decimal"),
         (f"{GROUP}/sum/steps", "bounds", "min and max")),
        ("steps_hourly", ("column: StepTotal", "path: /StepTotal"),
         (f"{GROUP}/sum/steps/path", "field", "column")),
        ("steps_hourly", ("start: {column: ActivityHour", "start: {path: /ActivityHour"),
         (f"{GROUP}/start/path", "field", "column")),
        ("steps_hourly", ('time_form: "h:mm:ss AM/PM", zone: UTC', 'time_form: "h:mm:ss AM/PM"'),
         (f"{GROUP}/start/date_form", "zone", "a zone beside")),
        ("steps_hourly", ("ActivityHour, type: instant", "ActivityHour, type: date"),
         (f"{GROUP}/start/type", "type", "instant")),
        ("steps_hourly", ("  format: {kind: csv}", "  adapter: shenzhen_transit"),
         (GROUP, "field", "for the adapter common only")),
        ("steps_hourly", ("of: [person, day]", "of: [person, evidence]"),
         (f"{FIELDS}/event/of/1", "role", "one of")),
        ("steps_hourly", ("of: [person, day]", "of: [household, day]"),
         (f"{FIELDS}/event/of/0", "role", "has a field")),
        ("steps_hourly", ("of: [person, day]", "of: [person, day], column: Id"),
         (f"{FIELDS}/event", "field", "expected one of path")),
        ("steps_hourly", ("day: {column: day, type: date}", "day: {of: [start], type: date}"),
         (f"{FIELDS}/day/of", "field", "for event only")),
        ("steps_5min", ("status: illustrative", "status: press"),
         (f"{FIELDS}/person/value", "role", "a column for")),
        ("steps_daily", ("date_form: M/D/YYYY", "date_form: MM/DD/YY"),
         (f"{FIELDS}/day/date_form", "schema", "one of")),
        ("steps_daily", ("date_form: M/D/YYYY", "time_form: hmm"),
         (f"{FIELDS}/day/time_form", "field", "instant")),
        ("steps_daily", ("date_form: M/D/YYYY", "date_form: YYYYMMDD, ambiguous: reject"),
         (f"{FIELDS}/day/ambiguous", "field", "M/D/YYYY")),
        ("steps_daily", ("StepTotal, type: decimal,", "StepTotal, type: decimal, date_form: M/D/YYYY,"),
         (f"{FIELDS}/steps/date_form", "field", "a date or an instant")),
        ("steps_daily",
         ("StepTotal, type: decimal,", "StepTotal, type: decimal, date_form: D/M/YYYY, time_form: hmm,"),
         (f"{FIELDS}/steps/date_form", "field", "expected date_form for a date")),
        ("charging", ("start: {column: ConnectionStartDateTime", "start: {columns: [a, b, c]"),
         (f"{FIELDS}/start/columns", "field", "that of the time")),
    ],
)  # fmt: skip
def test_a_wrong_group_form_or_event_is_found_at_its_place(
    name: str, edit: tuple[str, str], found: tuple[str, str, str]
) -> None:
    pointer, code, says = found

    matching = [
        finding
        for finding in findings(edited(export(name), edit))
        if (finding.pointer, finding.code) == (pointer, code)
    ]

    assert [finding.message for finding in matching if says in finding.message], findings(
        edited(export(name), edit)
    )


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("steps_hourly", ("every: PT1H", "every: PT24H")),
        ("steps_hourly", ("every: PT1H", "every: PT1H30M")),
        ("steps_hourly", ("of: [person, day]", "of: [person, day, behaviour]")),
        ("steps_daily", ("date_form: M/D/YYYY", "date_form: M/D/YYYY, ambiguous: reject")),
        ("charging", ("start: {column: ConnectionStartDateTime", "start: {columns: [Day, Time]")),
    ],
)
def test_the_nearest_thing_that_makes_sense_is_taken(name: str, edit: tuple[str, str]) -> None:
    text = edited(export(name), edit)
    head, _, _ = text.partition("\ntests:")

    assert load(head + "\ntests: [{name: none, given: {}, reject: missing-field}]\n").source is not None


@pytest.mark.parametrize(
    ("said", "exchangeable"), [("", True), (", ambiguous: accept", True), (", ambiguous: reject", False)]
)
def test_a_day_may_be_another_one_unless_the_document_says_otherwise(
    said: str, *, exchangeable: bool
) -> None:
    source = load(edited(export("steps_daily"), ("date_form: M/D/YYYY", f"date_form: M/D/YYYY{said}"))).source

    assert [field.form.exchangeable for field in source.fields if field.form is not None] == [exchangeable]
