"""Activity files of three sandbox cities, made from a seed: the same seed gives the same bytes.

Every person, ride and card number is invented. The files are messy on purpose, in ways that real
exports are:

- Wuhan (its shipped mapping, both versions): one JSON object per line, gzip; repeated lines, an event
  that comes again in a second file, a distance in full-width digits, an unknown kind of trip.
- Yunxi (an invented city): CSV in GB18030 with Chinese headers, a daily cap, missing cells, a row
  cut short.
- Shenzhen (its shipped mapping): transit-card taps as CSV, Zstandard; entries without an exit, bus rides
  without a distance, taps in no order.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

import zstandard

__all__ = ["SandboxFile", "sandbox_files"]

BAD_ROW_SHARE = 0.03
REPEATED_SHARE = 0.04


class SandboxFile(NamedTuple):
    """One file of a sandbox city: its name, its bytes, and which adapter and mapping read it."""

    name: str
    data: bytes
    adapter: str
    mapping: str


def sandbox_files(seed: int, rides: int) -> list[SandboxFile]:
    """Make the files of all cities, with about ``rides`` rides in each city."""
    random = Random(seed)
    wuhan = list(_wuhan_lines(random, rides))
    again = random.sample(wuhan, max(1, rides // 50))
    return [
        _wuhan_file("wuhan-2024.ndjson.gz", wuhan),
        _wuhan_file("wuhan-late.ndjson.gz", again),
        SandboxFile("yunxi-出行.csv", _yunxi_csv(random, rides).encode("gb18030"), "common", "yunxi"),
        SandboxFile(
            "shenzhen-taps.csv.zst",
            zstandard.compress(_shenzhen_csv(random, rides).encode()),
            "shenzhen_transit",
            "cn-440300/shenzhen/transport",
        ),
    ]


def _wuhan_file(name: str, lines: list[str]) -> SandboxFile:
    data = gzip.compress("".join(line + "\n" for line in lines).encode(), mtime=0)
    return SandboxFile(name, data, "common", "cn-420100/wuhan/travel")


def _wuhan_lines(random: Random, rides: int) -> Iterator[str]:
    """Yield trips around 2024-09-02, when the rules changed: bus, bicycle, metro from then on."""
    for number in range(rides):
        start = _moment(random, date(2024, 8, 5), days=56)
        trip: dict[str, str] = {
            "trip_id": f"WH{number:08d}",
            "user_id": f"u{random.randrange(rides // 6 + 1):05d}",
            "trip_type": random.choice(("metro", "bus", "bicycle")),
            "start_time": start.strftime("%Y-%m-%dT%H:%M:%S+08:00"),
        }
        if trip["trip_type"] != "bus":
            trip["distance_km"] = _kilometres(random)
        if random.random() < BAD_ROW_SHARE:
            _spoil(random, trip)
        line = json.dumps(trip, ensure_ascii=False)
        yield line
        if random.random() < REPEATED_SHARE:
            yield line
    yield '{"trip_id": "WH-cut-off", "user_id": "u0'


def _spoil(random: Random, trip: dict[str, str]) -> None:
    match random.randrange(4):
        case 0:
            trip["trip_type"] = "tram"
        case 1:
            trip["distance_km"] = "１２.５"
            trip["trip_type"] = "bicycle"
        case 2:
            del trip["user_id"]
        case _:
            trip["start_time"] = trip["start_time"].replace("T", " at ")


def _yunxi_csv(random: Random, rides: int) -> str:
    """Write rides with Chinese headers; a few persons ride so much that they meet the daily cap."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("行程编号", "用户", "出行方式", "里程（公里）", "开始时间"))
    for number in range(rides):
        start = _moment(random, date(2025, 3, 1), days=31)
        person = f"云{random.randrange(rides // 8 + 1):05d}"
        row = [f"YX{number:07d}", person, random.choice(("地铁", "公交", "电单车")), _kilometres(random)]
        row.append(start.strftime("%Y-%m-%d %H:%M:%S"))
        if random.random() < BAD_ROW_SHARE:
            row[random.randrange(1, 5)] = ""
        writer.writerow(row)
        if random.random() < REPEATED_SHARE:
            writer.writerow(row)
    out.write("YX-cut-off,云00001\r\n")
    return out.getvalue()


def _shenzhen_csv(random: Random, rides: int) -> str:
    """Write taps in the order in which gates happened to upload them."""
    columns = [
        "card_no",
        "deal_date",
        "deal_type",
        "deal_money",
        "deal_value",
        "equ_no",
        "company_name",
        "station",
        "car_no",
        "conn_mark",
        "close_date",
    ]
    taps: list[list[str]] = []
    for number in range(rides):
        card = f"SBX{random.randrange(rides // 2 + 1):06d}"
        entered = _moment(random, date(2025, 4, 1), days=14)
        fare = str(random.choice((200, 300, 300, 400, 400, 500, 600, 700, 900)))
        if number % 5 == 0:
            taps.append(_tap(card, entered, kind="巴士", fare=fare, gate=f"23{number:07d}"))
            continue
        left = entered + timedelta(minutes=random.randrange(6, 70))
        taps.append(_tap(card, entered, kind="地铁入站", fare="0", gate=f"26{random.randrange(900):07d}"))
        if random.random() > BAD_ROW_SHARE:
            taps.append(_tap(card, left, kind="地铁出站", fare=fare, gate=f"26{random.randrange(900):07d}"))
    random.shuffle(taps)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(taps)
    return out.getvalue()


def _tap(card: str, moment: datetime, *, kind: str, fare: str, gate: str) -> list[str]:
    when = moment.strftime("%Y-%m-%d %H:%M:%S")
    paid = str(int(fare) * 95 // 100)
    closed = (moment + timedelta(days=1)).strftime("%Y-%m-%d 00:00:00")
    return [card, when, kind, paid, fare, gate, "沙盒公司", "沙盒站", "-", "0", closed]


def _moment(random: Random, first: date, *, days: int) -> datetime:
    midnight = datetime(first.year, first.month, first.day)  # noqa: DTZ001 - a city's local time
    return midnight + timedelta(seconds=random.randrange(days * 86_400))


def _kilometres(random: Random) -> str:
    metres = random.randrange(300, 24_000)
    return f"{metres // 1000}.{metres % 1000:03d}"
