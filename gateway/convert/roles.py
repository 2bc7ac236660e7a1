"""From a source row to what every act has: its event, person, time, day, behaviour and claims.

Rows are read column by column, so that one implementation serves a single act and a batch of
thousands: each text is parsed once, each check is one pass.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from gateway.convert.claiming import claim_check
from gateway.convert.forms import date_reader, instant_reader
from gateway.convert.identity import events_of_roles
from gateway.convert.instants import LocalDays
from gateway.convert.outcome import Refusal, quoted
from gateway.convert.program import Field, Program
from gateway.convert.scalars import DecimalReader, Memo
from gateway.convert.units import CO2E_MG
from gateway.model.canonical import DISCLOSED_CHARACTERS_MAX, may_be_disclosed
from gateway.model.codes import EVIDENCE_GRADES, OWNERSHIPS, Rejection
from gateway.model.columns import RowTable, picked, table_of

__all__ = ["Roles", "SourceReader", "column_texts"]

Row = Mapping[str, str]
Reader = Callable[[str], "str | int | Refusal"]
Values = list["str | int | None"]

_COLUMNS: Final = (
    "person", "household", "start", "end", "day",
    "behaviour", "evidence", "ownership", "claimed_reduction", "claimed_points",
)  # fmt: skip  # roles in the order of the fields of Roles, after the event
_NO_ID: Final = (
    f"expected an id of at most {DISCLOSED_CHARACTERS_MAX} characters, in Unicode form NFC and without"
    " control or bidirectional characters: a receipt could not show it"
)
_REQUIRED: Final = frozenset({"event", "person", "behaviour", "evidence", "ownership"})


class Roles(NamedTuple):
    """What an act is, apart from the inputs of the formula.

    ``start`` and ``end`` are seconds since 1970 (UTC); ``day`` is the ordinal number of the act's day in
    the mapping's zone.
    """

    event: tuple[str, ...]
    person: str | None
    household: str | None
    start: int | None
    end: int | None
    day: int
    behaviour: str
    evidence: str
    ownership: str
    claimed_mg: int | None
    claimed_points: int | None


class RoleColumns(NamedTuple):
    """The roles of many rows, column by column: the members of :class:`Roles`.

    ``refusals`` are by place; what the columns hold at these places means nothing.
    """

    event: list[tuple[str, ...]]
    person: list[str | None]
    household: list[str | None]
    start: list[int | None]
    end: list[int | None]
    day: list[int]
    behaviour: list[str]
    evidence: list[str]
    ownership: list[str]
    claimed_mg: list[int | None]
    claimed_points: list[int | None]
    refusals: dict[int, Refusal]

    def roles(self) -> list[Roles | Refusal]:
        """Return the roles row by row."""
        rows: list[Roles | Refusal] = list(map(Roles._make, zip(*self[:-1], strict=True)))
        for place, refusal in self.refusals.items():
            rows[place] = refusal
        return rows


def column_texts(
    field: Field, rows: RowTable, *, missing: frozenset[str], places: Sequence[int] | None = None
) -> list[str | None]:
    """Give the field's text in each row or at some places, or its constant; None where it is absent.

    The texts of a day and of a time that stand apart are joined by a space.
    """
    if field.constant is not None:
        return [field.constant] * len(rows if places is None else places)
    whole = map(rows.column, field.keys)
    columns = [_present(texts if places is None else picked(texts, places), missing) for texts in whole]
    if len(columns) == 1:
        return columns[0]
    return [None if None in texts else " ".join(map(str, texts)) for texts in zip(*columns, strict=True)]


def _present(texts: list[str | None], missing: frozenset[str]) -> list[str | None]:
    """Replace what stands for an absent value by None; usually there is nothing of that kind."""
    return texts if missing.isdisjoint(texts) else [None if text in missing else text for text in texts]


class SourceReader:
    """Reads the roles of source rows as one mapping declares them.

    Fields are checked in the order of the document and the first refusal stands; then that there is
    a day, that the act does not end before it starts, and that it was claimed in time.
    """

    def __init__(self, program: Program) -> None:
        self._missing = program.source.format.missing
        self._fields = {field.role: field for field in program.source.fields if field.role is not None}
        self._days = LocalDays(program.zone)
        self._window = claim_check(program)
        self._readers = {role: self._reader(field, program) for role, field in self._fields.items()}
        dated = [role for role in ("start", "day") if role in self._fields]
        self._required = _REQUIRED | set(dated if len(dated) == 1 else ())

    def read(self, fields: Row) -> Roles | Refusal:
        """Read one row."""
        return self.read_batch((fields,))[0]

    def read_batch(self, rows: Sequence[Row]) -> list[Roles | Refusal]:
        """Read many rows; row by row the same as :meth:`read`."""
        return self.read_columns(rows).roles()

    def read_columns(self, rows: Sequence[Row] | RowTable) -> RoleColumns:
        """Read many rows column by column."""
        rows = table_of(rows)
        refusals: dict[int, Refusal] = {}
        columns: dict[str, Values] = {}
        events: list[tuple[str, ...]] = []
        for role, field in self._fields.items():
            if role == "event":
                events = [] if field.of else self._events(rows, refusals)
            else:
                columns[role] = self._column(field, rows, refusals=refusals)
        absent: Values = [None] * len(rows)
        starts, ends = columns.get("start", absent), columns.get("end", absent)
        columns["day"] = self._local_days(starts, columns.get("day", absent), refusals=refusals)
        self._check_ends(starts, ends, refusals=refusals)
        if self._window is not None:
            claims = zip(columns["claimed_at"], columns["day"], columns["behaviour"], strict=True)
            self._window.hold(claims, refusals)
        if self._fields["event"].of:
            events = events_of_roles(self._fields["event"], columns, refusals=refusals)
        found = [columns.get(role, absent) for role in _COLUMNS]
        return RoleColumns._make((events, *found, refusals))

    def _events(self, rows: RowTable, refusals: dict[int, Refusal]) -> list[tuple[str, ...]]:
        field = self._fields["event"]
        columns = [_present(rows.column(key), self._missing) for key in field.keys]
        for key, texts in zip(field.keys, columns, strict=True):
            if None in texts:
                for index in _absent(texts):
                    refusals.setdefault(
                        index, Refusal(field.missing, field.name, f"expected a text in {key}")
                    )
            refusal = Refusal(Rejection.MALFORMED_ROW, field.name, _NO_ID)
            refusals.update((index, refusal) for index in _not_disclosed(texts) if index not in refusals)
        told = [["" if t is None else t for t in texts] if None in texts else texts for texts in columns]
        return list(zip(*told, strict=True))

    def _column(self, field: Field, rows: RowTable, *, refusals: dict[int, Refusal]) -> Values:
        role = field.role or ""
        texts = column_texts(field, rows, missing=self._missing)
        read = self._readers[role]
        if None in texts:
            values = [None if text is None else read(text) for text in texts]
        else:
            values = list(map(read, texts))  # type: ignore[arg-type]  # just seen: no None among them
        kinds = set(map(type, values))
        if type(None) in kinds and role in self._required:
            refusal = Refusal(field.missing, field.name, "expected a value, there is none")
            for index in _absent(texts):
                refusals.setdefault(index, refusal)
        if Refusal not in kinds:
            return values  # type: ignore[return-value]  # just seen: no refusal among them
        for index, value in enumerate(values):
            if isinstance(value, Refusal):
                refusals.setdefault(index, value)
        return [None if isinstance(value, Refusal) else value for value in values]

    def _local_days(self, starts: Values, days: Values, *, refusals: dict[int, Refusal]) -> Values:
        local: dict[str | int | None, int] = {
            start: self._days.day(start) for start in set(starts) if isinstance(start, int)
        }
        found = [local.get(start) if day is None else day for start, day in zip(starts, days, strict=True)]
        if None in found:
            field = self._fields.get("start") or self._fields["day"]
            refusal = Refusal(
                field.missing, field.name, "expected the time or the day of the act, there is none"
            )
            for index in _absent(found):
                refusals.setdefault(index, refusal)
        return found

    def _check_ends(self, starts: Values, ends: Values, *, refusals: dict[int, Refusal]) -> None:
        if "end" not in self._fields:
            return
        refusal = Refusal(
            Rejection.IMPLAUSIBLE, self._fields["end"].name, "expected an end not before the start"
        )
        for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if isinstance(start, int) and isinstance(end, int) and end < start:
                refusals.setdefault(index, refusal)

    def _reader(self, field: Field, program: Program) -> Reader:
        match field.role:
            case "behaviour":
                return Memo(
                    _code_reader(field, program, known=(*program.behaviours, *program.unmapped))
                ).__getitem__
            case "evidence":
                return Memo(_code_reader(field, program, known=EVIDENCE_GRADES)).__getitem__
            case "ownership":
                return Memo(_code_reader(field, program, known=OWNERSHIPS)).__getitem__
            case "start" | "end" | "claimed_at":
                return Memo(instant_reader(field)).__getitem__  # acts of one day share their seconds
            case "day":
                return self._day_reader(field)
            case "claimed_reduction":
                return _claim_reader(field, CO2E_MG[field.unit])
            case "claimed_points":
                return _claim_reader(field, 1)
            case _:
                return str

    def _day_reader(self, field: Field) -> Reader:
        if field.type == "date":
            return Memo(date_reader(field)).__getitem__
        instant = instant_reader(field)

        def day(text: str) -> int | Refusal:
            value = instant(text)
            return value if isinstance(value, Refusal) else self._days.day(value)

        return day


def _not_disclosed(texts: Sequence[str | None]) -> list[int]:
    """Find the texts that could not stand in a receipt: usually none, and that can be told at once."""
    joined = "".join([text for text in texts if text is not None])
    if (
        joined.isascii()
        and joined.isprintable()
        and max(map(len, filter(None, texts)), default=0) <= DISCLOSED_CHARACTERS_MAX
    ):
        return []
    return [index for index, text in enumerate(texts) if text is not None and not may_be_disclosed(text)]


def _absent(values: Sequence[object]) -> list[int]:
    return [index for index, value in enumerate(values) if value is None]


def _code_reader(field: Field, program: Program, *, known: tuple[str, ...]) -> Reader:
    """Read a code through its table, if it has one, to one of the known values."""
    if field.code_table is None:
        table = {value: value for value in known}
    else:
        rows = program.source.code_tables[field.code_table]
        table = {row.code: row.value for row in rows if row.value in known}
    expected = f"expected one of the {len(table)} codes of {field.code_table or field.name}"

    def read(text: str) -> str | Refusal:
        value = table.get(text)
        if value is None:
            return Refusal(Rejection.UNKNOWN_CODE, field.name, f"{expected}, not {quoted(text)}")
        return value

    return read


def _claim_reader(field: Field, per_unit: int) -> Reader:
    """Read what the platform claims, in whole mg or points."""
    decimal = DecimalReader(field)
    ulps: int = 10**field.scale

    def read(text: str) -> int | Refusal:
        value = decimal(text)
        if isinstance(value, Refusal):
            return value
        whole, rest = divmod(value * per_unit, ulps)
        if rest:
            detail = f"expected whole mg or points, not {quoted(text)}"
            return Refusal(Rejection.EXCESS_DIGITS, field.name, detail)
        return whole

    return read
