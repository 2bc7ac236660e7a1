"""A home in which one person is everywhere a person can be, to be erased by tests."""

import csv
import io
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.app.records.check import receipt_of
from gateway.ports import PrivateRow
from gateway.sandbox import YUNXI_MAPPING
from tests.fakes.homes import convert, make_home, rows_of, trip, write_trips, yunxi_ride
from tests.fakes.searching import spellings, spellings_of_bytes

__all__ = ["PERSON", "WUHAN_PLATFORM", "YUNXI", "copied", "everywhere", "secrets_of", "write_csv"]

PERSON = "用户张三-041799"
YUNXI, WUHAN_PLATFORM = "cn-000000/yunxi", "cn-420100/wuhan"
HEADER = ["行程编号", "用户", "出行方式", "里程（公里）", "开始时间"]


def write_csv(path: Path, rows: Iterable[dict[str, str]], *, broken: Iterable[bytes] = ()) -> Path:
    """Write rides as Yunxi exports them, in GB18030; ``broken`` are lines as they are."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("gb18030") + b"".join(line + b"\r\n" for line in broken))
    return path


def everywhere(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Make a home by real conversions, the files of which stay beside it."""
    home = make_home(folder, patch)
    mapping = folder / "yunxi.yaml"
    mapping.write_text(YUNXI_MAPPING, "utf-8")
    rides = [
        yunxi_ride(f"YX-{number:06d}", PERSON if number % 4 == 0 else f"居民-{number % 7}-55", moment)
        for number in range(28)
        for moment in [f"2025-03-{10 + number % 3} 08:{number:02d}:00"]
    ]
    odd = [
        rides[0],  # repeated
        {**rides[4], "里程（公里）": "9"},  # contradicts what was recorded
        {**rides[1], "行程编号": rides[0]["行程编号"]},  # another person's row states this one's event
        yunxi_ride("YX-100001", PERSON, "2025-03-10 09:00:00", km="10.12345"),
        yunxi_ride("YX-100002", "居民-1-55", "2025-03-10 09:00:00", mode=f"与{PERSON}同行"),
        yunxi_ride(f"{PERSON}#7", "居民-2-55", "not a moment"),
        yunxi_ride("YX-100003", "居民-3-55", "not a moment"),
    ]
    line = f"YX-100004,{PERSON},地铁,10".encode("gb18030")  # a cell too few
    undecodable = b"YX-100005," + PERSON.encode() + b"\xff,x,10,2025-03-10 09:00:00"  # another encoding
    convert(
        home, write_csv(folder / "rides.csv", [*rides, *odd], broken=[line, undecodable]), mapping=mapping
    )
    named = write_csv(folder / f"{PERSON}.csv", [yunxi_ride("YX-200001", "居民-4-55", "never")])
    convert(home, named, mapping=mapping)
    acts = [trip(number, user_id=PERSON if number % 3 == 0 else f"user-{number}") for number in range(12)]
    bad = trip(50, user_id="user-50", distance_km="x", note=json.dumps({"with": PERSON}))
    convert(home, write_trips(folder / "acts.ndjson", [*acts, bad, trip(51, user_id=PERSON, trip_type="?")]))
    rows = rows_of(home)
    for name, private in (("theirs", True), ("another", False)):
        row = next(row for row in rows if (row.event in {"YX-000004", "YX-000005"}) and _is(row, private))
        receipt = receipt_of(home, row.id, disclose=["event", "subject"])
        (folder / f"{name}.json").write_bytes(receipt)
    return home


def _is(row: PrivateRow, private: bool) -> bool:
    return (row.event == "YX-000004") is private


def copied(home: Path, folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Copy a home with its checkpoint store and the files beside it."""
    shutil.copytree(home.parent, folder / "copy")
    patch.setenv("TANQIAO_STATE", str(folder / "copy" / "state"))
    return folder / "copy" / home.name


def secrets_of(home: Path, platform: str, person: str = PERSON) -> set[bytes]:
    """Return what must not be found once the person is erased at a platform, read while it is there."""
    from gateway.app.base.home import open_home

    with open_home(home) as opened:
        pseudonym = opened.index().pseudonym(platform, person)
    wanted, events = spellings(person) | spellings_of_bytes(pseudonym), []
    for row in rows_of(home):
        if row.person == pseudonym:
            assert row.event_salt is not None
            assert row.subject_salt is not None
            wanted |= spellings_of_bytes(row.event_salt) | spellings_of_bytes(row.subject_salt)
            wanted |= spellings(str(row.event))
            events.append(str(row.event))
    with open_home(home) as opened:
        keys = [opened.index().event(platform, event) for event in events]
        for mark in opened.journal.known_events(keys).values():
            wanted |= spellings_of_bytes(mark.content)
    return wanted
