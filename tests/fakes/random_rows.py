"""Random source rows that go where a mapping's rules have edges."""

import random
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from gateway.convert.program import Field, Program
from gateway.convert.scalars import decimal_text
from tests.fakes.written_times import written_day, written_time

MALFORMED = (
    "",
    "１２",
    "1e3",
    "+1",
    " 1",
    "1 ",
    "01",
    ".5",
    "1.",
    "1,5",
    "NaN",
    "--1",
    "1_0",
    "0x1",
    "9" * 41,
)
PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?")
OFFSETS = (0, 480, 345, -300)


class RowMaker:
    """Makes rows for one program: near bounds, thresholds, dates, and off the rails now and then."""

    def __init__(self, program: Program, rng: random.Random) -> None:
        self.rng = rng
        self.program = program
        self.formula = program.formula
        self.inputs = [
            field for field in program.source.fields if field.role is None and field.constant is None
        ]
        self.codes = ("01", "02", "03", *(["04"] if program.unmapped else []))
        self.edges = sorted(
            {
                row.at
                for table in self.formula.tables.values()
                for dated in table.values
                for row in dated.value
            }
        )
        days = {dated.since for factor in self.formula.factors.values() for dated in factor.values}
        days |= {dated.since for table in self.formula.tables.values() for dated in table.values}
        last = program.effective_until or max({program.effective_from, *days})
        self.days = sorted(
            {day for day in days if program.effective_from <= day <= last} | {program.effective_from}
        )

    def rows(self, count: int) -> list[dict[str, str]]:
        """Make rows."""
        return [self.row(number) for number in range(count)]

    def row(self, number: int) -> dict[str, str]:
        """Make one row."""
        rng = self.rng
        person, instant = rng.randint(0, 5), self.instant()
        row = {"/event": f"e-{number}", "/person": f"p-{person}", **self.start(instant)}
        row["/behaviour"] = rng.choice(self.codes) if rng.random() < 0.97 else rng.choice(("99", "", "1"))
        for field in self.inputs:
            key = field.keys[0]
            if field.code_table is not None:
                row[key] = rng.choice("sml") if rng.random() < 0.95 else rng.choice(("x", "S", ""))
            elif rng.random() < 0.97:
                row[key] = self.decimal(field)
        if rng.random() < 0.97:
            row["/end"] = self.end(row, instant)
        if self.program.source.claim_window is not None and rng.random() < 0.95:
            row["/claimed"] = self.claim(instant)
        return row

    def claim(self, instant: str) -> str:
        """Give a time near the beginning of one of the days after an act."""
        try:
            local = datetime.fromisoformat(instant).astimezone(self.program.zone)
        except ValueError:
            return instant
        day = local.date() + timedelta(days=self.rng.randint(0, 6))
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.program.zone).astimezone(UTC)
        return (midnight + timedelta(seconds=self.rng.choice((-1, 0, 1, 40_000)))).isoformat()

    def end(self, row: dict[str, str], instant: str) -> str:
        """Give an end near the edge of a limit for the start and the quantities, or any other."""
        rng = self.rng
        seconds = rng.choice((-1, 0, 1, 60, 3600, rng.randint(0, 100_000)))
        if self.program.source.limits and rng.random() < 0.8:
            limit = rng.choice(self.program.source.limits)
            edge = rng.choice((limit.high, limit.low or limit.high)) / limit.unit_seconds
            if limit.of is None:
                exact = edge * limit.unit_seconds**2
            else:
                text = row.get(f"/{limit.of}", "")
                exact = Fraction(text if PLAIN.fullmatch(text) else "7") / edge
            seconds = min(int(exact), 2**31) + rng.choice((-1, 0, 0, 1))
        try:
            start = datetime.fromisoformat(instant)
            return (start + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S") + instant[19:]
        except ValueError:
            return "2025-03-16T07:00:00Z"

    def start(self, text: str) -> dict[str, str]:
        """Write a start as the mapping declares it, or now and then as it does not."""
        form = next(field for field in self.program.source.fields if field.role == "start").form
        if form is None:
            return {"/start": text}
        try:
            local = datetime.fromisoformat(text).astimezone(self.program.zone)
        except ValueError:
            return {"/day": text, "/time": text}
        zeros = local.day % 2 == 0
        return {"/day": written_day(local, form.date, zeros=zeros), "/time": written_time(local, form.time)}

    def instant(self) -> str:
        """Give a time near a date that matters: the first or last second of the local day, or any other."""
        rng = self.rng
        if rng.random() < 0.02:
            return rng.choice(
                ("", "2025-02-30T00:00:00Z", "2025-03-16T24:00:00Z", "2025-03-16T07:00:00", "yesterday")
            )
        day = rng.choice(self.days)
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.program.zone).astimezone(UTC)
        aside = rng.choice((0, -1, 1, 86_399, 86_400, rng.randint(0, 8_000_000), rng.randint(0, 8_000_000)))
        offset = rng.choice(OFFSETS)
        local = midnight + timedelta(seconds=aside, minutes=offset)
        sign, minutes = ("+", offset) if offset >= 0 else ("-", -offset)
        written = "Z" if offset == 0 else f"{sign}{minutes // 60:02}:{minutes % 60:02}"
        return local.strftime("%Y-%m-%dT%H:%M:%S") + written

    def decimal(self, field: Field) -> str:
        """Give a number near a bound, a threshold or a tie, or any other, or no number at all."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.03:
            return rng.choice(MALFORMED)
        if kind < 0.25:
            scaled = rng.choice((field.low, field.high)) + rng.choice((0, 0, 0, 1, -1))
        elif kind < 0.6 and self.edges:
            scaled = int(rng.choice(self.edges) * 10**field.scale) + rng.choice((0, 0, 1, -1))
        elif kind < 0.8:
            near = min(field.high, field.low + 300 * 10**field.scale)
            scaled = rng.randint(field.low, near)
        else:
            scaled = rng.randint(field.low, field.high)
        text = decimal_text(scaled, field.scale)
        return (
            text + rng.choice(("", "", "", "5", "50", "0", "49"))
            if "." in text and rng.random() < 0.2
            else text
        )
