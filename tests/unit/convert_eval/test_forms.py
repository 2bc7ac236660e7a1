"""Each declared form of a day or time is read strictly, and nothing but it."""

import re
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from gateway.convert.forms import DATE_PATTERNS, EXCHANGEABLE, TIME_PATTERNS, date_reader, instant_reader
from gateway.convert.outcome import Refusal
from gateway.convert.program import DateForm, Form, TimeForm
from gateway.model.codes import Rejection
from gateway.resources import schema
from tests.fakes.mappings import make_field
from tests.fakes.written_times import written_day, written_time

PARIS = ZoneInfo("Europe/Paris")
SHOWN: dict[DateForm, str] = {
    "YYYY-MM-DD": "2016-04-12",
    "YYYYMMDD": "20160412",
    "YYYY/M/D": "2016/4/12",
    "YYYY年M月D日": "2016年4月12日",
    "M/D/YYYY": "4/12/2016",
    "D/M/YYYY": "12/4/2016",
    "D-M-YYYY": "12-4-2016",
    "D.M.YYYY": "12.4.2016",
}


def read_day(text: str, form: DateForm, *, exchangeable: bool = True) -> str:
    """Give the day as ISO 8601 writes it, or why there is none."""
    field = make_field("day", role="day", type="date", form=Form(form, "hh:mm:ss", exchangeable))
    found = date_reader(field)(text)
    return found.code if isinstance(found, Refusal) else date.fromordinal(found).isoformat()


def read_time(text: str, form: TimeForm, zone: ZoneInfo = PARIS) -> str:
    """Give the local time of an instant of the fifteenth of March 2016, or why there is none."""
    field = make_field("start", role="start", type="instant", zone=zone, form=Form("D/M/YYYY", form, True))
    found = instant_reader(field)(f"15/3/2016 {text}")
    return found.code if isinstance(found, Refusal) else f"{datetime.fromtimestamp(found, zone):%H:%M:%S}"


def test_the_lists_of_forms_are_one() -> None:
    properties = schema("mapping")["$defs"]["field"]["properties"]

    assert properties["date_form"]["enum"] == list(get_args(DateForm)) == list(DATE_PATTERNS) == list(SHOWN)
    assert properties["time_form"]["enum"] == list(get_args(TimeForm)) == list(TIME_PATTERNS)


@pytest.mark.parametrize("form", SHOWN)
def test_a_form_reads_its_own_days_and_no_others(form: DateForm) -> None:
    taken = {other for other, text in SHOWN.items() if read_day(text, form) != "malformed-row"}

    assert read_day(SHOWN[form], form) == "2016-04-12"
    assert taken == ({form} if "/YYYY" not in form else {"M/D/YYYY", "D/M/YYYY"})


@pytest.mark.parametrize("form", SHOWN)
@pytest.mark.parametrize("bad", [" {}", "{} ", "{}\n", "{}Z", "{} 00:00:00", "-{}"])
def test_nothing_may_stand_around_a_day(form: DateForm, bad: str) -> None:
    assert read_day(bad.format(SHOWN[form]), form) == "malformed-row"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("13/1/2016", "M/D/YYYY"),
        ("1/13/2016", "D/M/YYYY"),
        ("2/30/2016", "M/D/YYYY"),
        ("29/2/2015", "D/M/YYYY"),
        ("0/1/2016", "M/D/YYYY"),
        ("004/12/2016", "M/D/YYYY"),
        ("4/12/16", "M/D/YYYY"),
        ("4/12/1969", "M/D/YYYY"),
        ("4/12/2200", "M/D/YYYY"),
        ("４/12/2016", "M/D/YYYY"),
        ("12 APR 2016", "D/M/YYYY"),
        ("2016412", "YYYYMMDD"),
        ("2016-4-12", "YYYY-MM-DD"),
        ("", "D/M/YYYY"),
    ],
)
def test_what_no_calendar_has_is_refused(text: str, form: DateForm) -> None:
    assert read_day(text, form) == "malformed-row"


@pytest.mark.parametrize("form", sorted(EXCHANGEABLE))
def test_a_day_that_may_be_another_is_refused_where_the_mapping_says_so(form: DateForm) -> None:
    for month in range(1, 13):
        for day in range(1, 29):
            text = written_day(datetime(2018, month, day, tzinfo=UTC), form)
            ambiguous = day <= 12 and day != month

            assert read_day(text, form) == f"2018-{month:02}-{day:02}"
            assert (read_day(text, form, exchangeable=False) == "malformed-row") == ambiguous


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        ("12:00:00 AM", "h:mm:ss AM/PM", "00:00:00"),
        ("12:59:59 AM", "h:mm:ss AM/PM", "00:59:59"),
        ("1:00:00 AM", "h:mm:ss AM/PM", "01:00:00"),
        ("01:00:00 AM", "h:mm:ss AM/PM", "01:00:00"),
        ("12:00:00 PM", "h:mm:ss AM/PM", "12:00:00"),
        ("11:59:59 PM", "h:mm:ss AM/PM", "23:59:59"),
        ("0:00:00 AM", "h:mm:ss AM/PM", "malformed-row"),
        ("13:00:00 PM", "h:mm:ss AM/PM", "malformed-row"),
        ("1:00:00 am", "h:mm:ss AM/PM", "malformed-row"),
        ("1:00:00", "h:mm:ss AM/PM", "malformed-row"),
        ("0", "hmm", "00:00:00"),
        ("5", "hmm", "00:05:00"),
        ("55", "hmm", "00:55:00"),
        ("100", "hmm", "01:00:00"),
        ("2355", "hmm", "23:55:00"),
        ("60", "hmm", "malformed-row"),
        ("2400", "hmm", "malformed-row"),
        ("055", "hmm", "malformed-row"),
        ("00", "hmm", "malformed-row"),
        ("17:24", "hh:mm", "17:24:00"),
        ("7:24", "hh:mm", "malformed-row"),
        ("17:24:00", "hh:mm", "malformed-row"),
        ("17:24:00", "hh:mm:ss", "17:24:00"),
        ("17:24:00+01:00", "hh:mm:ss", "malformed-row"),
        ("24:00:00", "hh:mm:ss", "malformed-row"),
        ("", "hh:mm:ss", "malformed-row"),
    ],
)
def test_a_time_is_read_in_its_form_alone(text: str, form: TimeForm, found: str) -> None:
    assert read_time(text, form) == found


@pytest.mark.parametrize("form", get_args(TimeForm))
def test_what_is_written_is_read_back(form: TimeForm) -> None:
    rng = Random(7)
    for _ in range(200):
        moment = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(10**9))
        day_form = rng.choice(list(SHOWN))
        field = make_field("start", type="instant", zone=ZoneInfo("UTC"), form=Form(day_form, form, True))
        text = f"{written_day(moment, day_form, zeros=rng.random() < 0.5)} {written_time(moment, form)}"
        kept = moment if "ss" in form else moment.replace(second=0)

        assert instant_reader(field)(text) == kept.timestamp(), text


def test_a_time_that_the_zone_skips_is_refused_and_one_it_has_twice_is_the_earlier() -> None:
    field = make_field("start", type="instant", zone=PARIS, form=Form("D/M/YYYY", "hh:mm", True))
    read = instant_reader(field)

    skipped, twice = read("27/3/2016 02:30"), read("30/10/2016 02:30")
    assert isinstance(skipped, Refusal)
    assert skipped.code == Rejection.MALFORMED_ROW
    assert twice == datetime.fromisoformat("2016-10-30T02:30:00+02:00").timestamp()


@pytest.mark.parametrize("day", ["1/1/1970", "31/12/2199"])
def test_the_first_and_the_last_day_are_read(day: str) -> None:
    assert read_day(day, "D/M/YYYY").endswith(day[-4:] + ("-01-01" if day[0] == "1" else "-12-31"))


def test_an_instant_whose_day_cannot_be_read_is_refused_for_its_day() -> None:
    field = make_field("start", type="instant", zone=PARIS, form=Form("D/M/YYYY", "hh:mm", True))

    found = instant_reader(field)("31/2/2016 10:00")

    assert isinstance(found, Refusal)
    assert found.detail.startswith("expected a day D/M/YYYY from 1970 to 2199, not ")


def test_without_a_form_an_instant_is_written_as_iso_8601_says() -> None:
    local = instant_reader(make_field("start", type="instant", zone=PARIS))
    stated = instant_reader(make_field("start", type="instant"))

    assert local("2016-01-01T12:00:00") == stated("2016-01-01T11:00:00Z")


def test_a_refusal_shows_the_form_and_not_the_text() -> None:
    field = make_field("day", type="date", form=Form("D/M/YYYY", "hh:mm:ss", False))

    for text in ("29 MAR 2018", "03/04/2018"):
        found = date_reader(field)(text)
        assert isinstance(found, Refusal)
        assert "D/M/YYYY" in found.detail
        assert not re.search("MAR|03|2018", found.detail)
