"""Taking the rows of one day together: steps by the hour, power by the minute, as a mapping declares.

The stage stands where an adapter's assembly stands, between the rows and the acts, and works the
same way: each row is keyed on its own, the keyed rows are sorted, each group is gone through once.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from gateway.convert.forms import instant_reader
from gateway.convert.instants import LocalDays, start_of_day
from gateway.convert.outcome import Refusal
from gateway.convert.program import Field, Program
from gateway.convert.roles import column_texts
from gateway.convert.scalars import DecimalReader, Memo, decimal_text
from gateway.model.codes import Rejection
from gateway.model.columns import table_of
from gateway.model.source import Outcome, Place, RefusedRow, RepeatedRow, SourceRow

__all__ = ["DayGroups"]


class DayGroups:
    """Makes acts of the rows of one mapping: one for each local day and what ``group.by`` tells apart."""

    def __init__(self, program: Program) -> None:
        group = program.source.group
        if group is None:
            raise ValueError(f"mapping {program.id} declares no group")
        self._group = group
        self._zone: ZoneInfo = program.zone
        self._missing = program.source.format.missing
        self._days = LocalDays(program.zone)
        self._midnights: Memo[str, int] = Memo(
            lambda day: start_of_day(date.fromisoformat(day).toordinal(), program.zone)
        )
        self._start = instant_reader(group.start)
        self._sums = {field: Memo(DecimalReader(field)) for field in group.sums}
        self._day_key, self._start_key, self._rows_key = map(group.made, ("day", "start", "rows"))

    @property
    def group_by(self) -> tuple[str, ...]:
        """The places of a keyed row in which the rows of one act agree."""
        return (*self._group.by, self._day_key)

    @property
    def order_by(self) -> tuple[str, ...]:
        """The place of a keyed row by which :meth:`assemble` needs them in order."""
        return (self._start_key,)

    def keyed(self, rows: Iterable[SourceRow | RefusedRow]) -> Iterator[SourceRow | RefusedRow]:
        """Read of each row what the act needs; a row that cannot be read is refused on its own."""
        for row in rows:
            if isinstance(row, RefusedRow):
                yield row
                continue
            found = self._key(row.fields)
            if isinstance(found, Refusal):
                yield RefusedRow(
                    row.place, found.code, f"{found.field}: {found.detail}", row.fields, row.also
                )
            else:
                yield SourceRow(row.place, found, row.also)

    def assemble(self, rows: Iterator[SourceRow]) -> Iterator[Outcome]:
        """Add up one group, ordered by time.

        1. A row that states again what another one of the same time has stated is a repetition.
        2. A row that states something else of that time is refused: the first one stands.
        3. What is left is one act, or refused as a whole where some of the day is not known.
        """
        taken: list[SourceRow] = []
        for row in rows:
            before = taken[-1] if taken else None
            if before is None or before.fields[self._start_key] != row.fields[self._start_key]:
                taken.append(row)
            elif before.fields == row.fields:
                yield RepeatedRow(row.place, before.place, row.also)
            else:
                where = f"{before.place.file}:{before.place.row}"
                detail = f"the same time stands in {where} with another value; the first one stands"
                yield RefusedRow(row.place, Rejection.DUPLICATE_EVENT, detail, row.fields, row.also)
        yield self._act(taken)

    def _key(self, fields: Mapping[str, str]) -> dict[str, str] | Refusal:
        """Return the keyed row: the places ``by``, the day, the start, and each value to be added up."""
        keyed = {}
        for key in self._group.by:
            if (text := fields.get(key)) is None or text in self._missing:
                return Refusal(Rejection.MISSING_FIELD, key, "expected a text, there is none")
            keyed[key] = text
        start = self._read(self._group.start, fields)
        if isinstance(start, Refusal):
            return start
        day = date.fromordinal(self._days.day(start)).isoformat()
        if (start - self._midnights[day]) % self._group.every:
            expected = (
                f"expected times that are a multiple of {self._group.every} s from the start of the day"
            )
            return Refusal(Rejection.MALFORMED_ROW, self._group.start.name, expected)
        keyed[self._day_key] = day
        keyed[self._start_key] = datetime.fromtimestamp(
            start, UTC
        ).isoformat()  # in the order of the instants
        for field in self._group.sums:
            value = self._read(field, fields)
            if isinstance(value, Refusal):
                return value
            keyed[self._group.made(field.name)] = decimal_text(value, field.scale)
        return keyed

    def _read(self, field: Field, fields: Mapping[str, str]) -> int | Refusal:
        (text,) = column_texts(field, table_of((fields,)), missing=self._missing)
        if text is None:
            return Refusal(field.missing, field.name, "expected a value, there is none")
        return self._start(text) if field is self._group.start else self._sums[field][text]

    def _act(self, taken: list[SourceRow]) -> SourceRow | RefusedRow:
        first = taken[0]
        also: tuple[Place, ...] = (
            *first.also,
            *(place for row in taken[1:] for place in (row.place, *row.also)),
        )
        fields = {key: first.fields[key] for key in self.group_by}
        for field in self._group.sums:
            key = self._group.made(field.name)
            total = sum(int(row.fields[key].replace(".", "")) for row in taken)  # all of one scale
            fields[key] = decimal_text(total, field.scale)
        fields[self._rows_key] = str(len(taken))
        day = fields[self._day_key]
        expected = self._rows_of_day(day)
        if self._group.partial == "reject" and len(taken) != expected:
            detail = f"expected {expected} rows for the whole of {day}, found {len(taken)}"
            return RefusedRow(first.place, Rejection.QUANTITY_UNKNOWN, detail, fields, also)
        return SourceRow(first.place, fields, also)

    def _rows_of_day(self, day: str) -> int:
        """Return how many rows the day should have: more or fewer on a day on which the clocks change."""
        after = start_of_day(date.fromisoformat(day).toordinal() + 1, self._zone)
        return -((self._midnights[day] - after) // self._group.every)
