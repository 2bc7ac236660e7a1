"""Plausibility rules on real data, held against a plain recomputation that shares nothing with them."""

import csv
import gzip
import io
import json
import random
from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest

from gateway.contract import BadPosition, read_position, straight_line_m
from gateway.convert.interpret import Interpreter
from gateway.convert.outcome import Converted, Refusal
from tests.fakes.homes import audited, convert, make_home
from tests.real_data import real_data
from tests.unit.convert_front.documents import load, shape

CHARGING = Path(__file__).parent / "charging_sessions.v1.yaml"

Table = list[dict[str, str]]


def overlapping(sessions: Table) -> set[str]:
    """Choose each user's sessions by start, and name those that begin before a chosen one has ended."""
    by_user: defaultdict[str, Table] = defaultdict(list)
    for session in sessions:
        by_user[session["UserID"]].append(session)
    found = set()
    for mine in by_user.values():
        busy_until = ""
        for session in sorted(mine, key=lambda one: (one["ConnectionStartDateTime"], one["Session"])):
            start, end = session["ConnectionStartDateTime"], session["ConnectionEndDateTime"]
            if start < min(busy_until, end):
                found.add(session["Session"])
            else:
                busy_until = max(busy_until, end)
    return found


def too_strong(session: dict[str, str]) -> bool:
    start, end = (datetime.fromisoformat(session[f"Connection{name}DateTime"]) for name in ("Start", "End"))
    ulps = round(Fraction(session["Energy"]) * 1000)
    return ulps * 3600 > 4 * 1000 * (end - start).total_seconds()


def write_csv(path: Path, rows: Table) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), "utf-8")
    return path


def lines(folder: Path) -> Table:
    return [
        json.loads(line)
        for path in sorted(folder.rglob("*.ndjson"))
        for line in path.read_text("utf-8").splitlines()
    ]


@pytest.mark.real_data
def test_sessions_that_overlap_another_of_their_user_are_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = real_data("ev-charging-acn") / "ev_sessions.csv.gz"
    sessions = list(csv.DictReader(io.StringIO(gzip.decompress(packed.read_bytes()).decode("utf-8"))))
    expected = overlapping(sessions)
    assert (len(sessions), len(expected)) == (20_436, 6)
    days = {one["ConnectionStartDateTime"][:10] for one in sessions if one["Session"] in expected}
    sessions = [one for one in sessions if one["ConnectionStartDateTime"][:10] in days]  # a file for each day
    assert overlapping(sessions) == expected
    home = make_home(tmp_path, monkeypatch)
    random.Random(7).shuffle(sessions)
    half = len(sessions) // 2
    files = [
        write_csv(tmp_path / "a.csv", sessions[:half]),
        write_csv(tmp_path / "b.csv", sessions[half:]),
    ]

    counts = convert(home, *files, mapping=CHARGING)

    aside = lines(home / "quarantine")
    fields: list[dict[str, str]] = [line["fields"] for line in aside if line.get("field") == "overlap"]  # type: ignore[misc]  # a row
    strong = {session["Session"] for session in sessions if too_strong(session)}
    assert {row["Session"] for row in fields} == expected
    assert counts.rows == len(sessions) > 80
    assert counts.rejected["implausible"] == 6
    assert counts.findings["power"] == len(strong - expected) == len(lines(home / "findings"))
    assert audited(home).differences == []


def metres(trip: dict[str, str], names: tuple[str, str, str, str]) -> int:
    """Return the distance as the crow flies: no rider is faster along the streets than that says."""
    lat1, lon1, lat2, lon2 = (trip[name] for name in names)
    places = read_position(lat1, lon1), read_position(lat2, lon2)
    assert not any(isinstance(place, BadPosition) for place in places)
    return straight_line_m(*places)


DOTTED = tuple(f"{end}.station.{axis}" for end in ("start", "end") for axis in ("latitude", "longitude"))
TITLED = tuple(f"{end}.Station.{axis}" for end in ("Start", "End") for axis in ("Latitude", "Longitude"))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "start", "end", "places"),
    [
        ("trips_bo17.csv", "starttime", "stoptime", DOTTED),
        ("trips_bo18.csv", "starttime", "stoptime", DOTTED),
        ("trips_ny.csv", "Start.Time", "Stop.Time", TITLED),
    ],
)
def test_rides_of_real_bicycles_are_judged_by_their_speed(
    file: str, start: str, end: str, places: tuple[str, str, str, str]
) -> None:
    program = load(shape("plausible_times").replace("from: 2025-01-01", "from: 2015-01-01"))
    interpreter = Interpreter(program)
    text = (real_data("bikeshare-seven-operators") / file).read_text("utf-8")
    trips = list(csv.DictReader(io.StringIO(text)))
    judged = {True: 0, False: 0}
    for number, trip in enumerate(trips):
        times = [datetime.fromisoformat(trip[name]) for name in (start, end)]
        ulps = metres(trip, places) // 10  # hundredths of a kilometre
        seconds = int((times[1] - times[0]).total_seconds())
        row = {
            "/id": str(number),
            "/user": "u",
            "/kind": "B",
            "/km": f"{ulps // 100}.{ulps % 100:02}",
            "/from": f"{times[0].isoformat()}Z",
            "/to": f"{times[1].isoformat()}Z",
        }

        outcome = interpreter.convert(row)

        speed = Fraction(ulps * 36, seconds)  # km/h
        implausible = not Fraction(3, 2) <= speed <= 36
        judged[implausible] += 1
        if implausible:
            assert isinstance(outcome, Refusal)
            assert outcome.field == "ride_speed"
        else:
            assert isinstance(outcome, Converted)
            assert [one.rule for one in outcome.findings] == (["ride_length"] if seconds > 9000 else [])
    assert judged[True] + judged[False] == 134
    assert all(judged.values())  # round trips are slow as the crow flies
