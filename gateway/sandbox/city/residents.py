"""The residents of a sandbox city, all invented, and their points by the city's own mapping."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from gateway.convert import (
    CapKey,
    CapMeter,
    Converted,
    FastEvaluator,
    Program,
    Refusal,
    SourceReader,
    expires_on,
)
from gateway.errors import InvariantBroken
from gateway.sandbox.city.book import Book
from gateway.sandbox.city.rules import City

__all__ = ["rides_file", "settle_residents", "shown_residents", "shown_samples"]

LAST_DAY: Final = date(2026, 9, 30)
Json = dict[str, Any]


def settle_residents(
    book: Book, city: City, *, program: Program, residents: int, rides: int, seed: int
) -> None:
    """Fill an empty city: persons who live in every city under the same identity, each with some rides."""
    random = Random(f"{seed} {city.name}")
    with book.transaction() as db:
        if db.execute("SELECT 1 FROM residents LIMIT 1").fetchone():
            return
        for number in range(1, residents + 1):
            account = user = f"{city.name}-{number:05d}"  # the gateway knows accounts by what acts name
            values = (account, user, f"sandbox-person-{number:05d}", f"{city.name.upper()}-{number:05d}")
            db.execute("INSERT INTO residents (account, user, identity, code) VALUES (?, ?, ?, ?)", values)
            made = [_ride(random, city, user=user, number=one) for one in range(rides)]
            _grant(db, account, program=program, rows=made, city=city)


def rides_file(book: Book, city: City) -> tuple[str, bytes]:
    """Return the name and bytes of the file that the city would send to a gateway: all rides."""
    with book.transaction() as db:
        rows = [json.loads(row["fields"]) for row in db.execute("SELECT fields FROM rides ORDER BY event")]
    if city.columns.ride == "ride":
        return "rides.ndjson", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    text = io.StringIO()
    writer = csv.DictWriter(text, list(city.columns[:5]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return "rides.csv", text.getvalue().encode()


def shown_residents(book: Book) -> list[Json]:
    """Return the residents with what they can spend."""
    with book.transaction() as db:
        rows = db.execute(
            "SELECT residents.account, user, code, coalesce(sum(left_points), 0) AS points"
            " FROM residents LEFT JOIN grants USING (account) GROUP BY residents.account ORDER BY user"
        )
        return [dict(row) | {"points": str(row["points"])} for row in rows]


def shown_samples(book: Book, city: City) -> Json:
    """Return what a conformance run may use: an account with its untouched rides, and codes of others."""
    with book.transaction() as db:
        last = db.execute("SELECT account FROM residents ORDER BY user DESC LIMIT 1").fetchone()
        query = "SELECT event, points FROM grants WHERE account = ? AND event <> '' AND left_points = points"
        lots = db.execute(query + " ORDER BY number", (last["account"],)).fetchall()
        codes = db.execute("SELECT code FROM residents WHERE substr(code, 1, 1) <> '-' ORDER BY user DESC")
        return {
            "platform": city.platform,
            "account": last["account"],
            "unit": city.unit,
            "lots": [{"event": lot["event"], "points": str(lot["points"])} for lot in lots],
            "codes": [row["code"] for row in codes],
        }


def _ride(random: Random, city: City, *, user: str, number: int) -> dict[str, str]:
    """Return a ride as the city's files have it, one a day."""
    columns, metres = city.columns, random.randrange(800, 24_000)
    start = datetime.combine(LAST_DAY, datetime.min.time()) + timedelta(
        days=-number, seconds=random.randrange(86_400)
    )
    return {
        columns.ride: f"{user}-{number:04d}",
        columns.user: user,
        columns.mode: random.choice(columns.modes),
        columns.km: f"{metres // 1000}.{metres % 1000:03d}",
        columns.start: start.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _grant(
    db: sqlite3.Connection, account: str, *, program: Program, rows: list[dict[str, str]], city: City
) -> None:
    for row, grant in zip(rows, _granted(program, rows), strict=True):
        event = row[city.columns.ride]
        db.execute(
            "INSERT INTO rides VALUES (?, ?, ?)", (event, account, json.dumps(row, ensure_ascii=False))
        )
        db.execute(
            "INSERT INTO grants (account, event, points, left_points, co2e_mg, valid_through)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (account, event, grant[0], grant[0], grant[1], grant[2]),
        )


def _granted(program: Program, rows: Iterable[dict[str, str]]) -> Iterator[tuple[int, int, str]]:
    """Yield points after caps, mg of CO2e and the last day of each ride of one person."""
    reader, evaluator, meter = SourceReader(program), FastEvaluator(program), CapMeter(program)
    usage: dict[CapKey, int] = {}
    for row in rows:
        roles = reader.read(_as_source(row, program))
        if isinstance(roles, Refusal):
            raise InvariantBroken(f"a sandbox ride is refused: {roles}")
        converted, day = evaluator.convert(_as_source(row, program), roles), date.fromordinal(roles.day)
        keys = meter.keys(roles, day)
        if not isinstance(converted, Converted) or isinstance(keys, Refusal):
            raise InvariantBroken(f"a sandbox ride is refused: {converted}")
        granted = meter.grant(converted, keys, usage=usage)
        if isinstance(granted, Refusal):
            raise InvariantBroken(f"a sandbox ride is refused: {granted}")
        last = expires_on(program.expiry, day)
        yield granted.points, converted.co2e_mg, "" if last is None else last.isoformat()


def _as_source(row: dict[str, str], program: Program) -> dict[str, str]:
    """Return a ride under the names that the mapping's source has for its members."""
    return {
        f"/{name}" if program.source.format.kind == "ndjson" else name: text for name, text in row.items()
    }
