"""A day statement covers the batches since the one before it, and only its platform and its day."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gateway.errors import Refused
from gateway.model.packed import cut
from gateway.model.strict import read_strict_object
from gateway.ports import BatchRow, ClaimState, DayClosed, Journal, PrivateRow, RecordFile, RecordFiles
from gateway.service.days import UNREADABLE, Cell, Closing, close_day, totals_of
from tests.unit.signing.signers import SeededSigner

DAY = "2025-03-16"
OURS, OTHERS = "cn-420100/wuhan", "cn-440300/shenzhen"


def row(
    person: bytes | None, *, points: int = 1, behaviour: str = "TRV-BUS", leaf: bytes = b"leaf"
) -> PrivateRow:
    """Make a record of 1000 mg a point."""
    values: dict[str, Any] = dict.fromkeys(PrivateRow._fields)
    values |= {
        "id": "00" * 16,
        "leaf": leaf,
        "behaviour": behaviour,
        "mapping": "sha256:00",
        "person": person,
    }
    return PrivateRow(**(values | {"co2e_mg": 1000 * points, "points": points}))


@dataclass
class Home:
    """Batches, each with its platform and its rows by day, and statements; a journal and files in one."""

    kept: list[tuple[str, dict[str, list[PrivateRow]]]]
    statements: list[DayClosed] = field(default_factory=list)
    unstated: dict[str | None, dict[str, int]] = field(default_factory=dict)
    sealed: list[bytes] = field(default_factory=list)
    state: bytes = b""

    @property
    def claims(self) -> "Home":
        return self

    def states(self, records: bytes) -> dict[bytes, bytes]:
        return dict.fromkeys(cut(records, 16), self.state) if self.state else {}

    def batches(self) -> Iterator[BatchRow]:
        for number, (platform, _) in enumerate(self.kept):
            yield BatchRow(number, platform, "conversion", number, "", bytes([number]) * 32, 1, "s", 0, 0, "")

    def files(self, batch: int) -> list[RecordFile]:
        return [RecordFile(str(batch), "", day, len(rows)) for day, rows in self.kept[batch][1].items()]

    def read(self, file: RecordFile) -> list[PrivateRow]:
        return self.kept[int(file.path)][1][file.day]

    def rejected(self, platform: str, day: str | None, *, supplement: int | None) -> dict[str, int]:
        return self.unstated.get(day, {}) if supplement is None and platform == OURS else {}

    def days_closed(self, platform: str) -> list[DayClosed]:
        return [closed for closed in self.statements if closed.platform == platform]

    def close_day(self, closed: DayClosed, entry: bytes) -> None:
        self.statements.append(closed)
        self.sealed.append(entry)

    def now(self) -> datetime:
        return datetime(2025, 3, 20, tzinfo=UTC)

    def close(self, day: str = DAY) -> DayClosed:
        """Close a day of our platform."""
        journal, records = cast("Journal", self), cast("RecordFiles", self)
        signers = [SeededSigner("day")]
        parts = Closing(issuer="gw.example", journal=journal, records=records, signers=signers, clock=self)
        return close_day(OURS, day, parts=parts)

    def body(self) -> dict[str, Any]:
        """Read the last statement."""
        body: dict[str, Any] = read_strict_object(self.sealed[-1])["body"]  # type: ignore[assignment]  # an object
        return body


def four_batches() -> Home:
    """Make a home with four batches, the third of them another platform's."""
    return Home(
        [
            (OURS, {DAY: [row(b"a")], "2025-03-17": [row(b"a", points=50)]}),
            (OURS, {DAY: [row(b"b", points=2)]}),
            (OTHERS, {DAY: [row(b"c", points=4)]}),
            (OURS, {"2025-03-17": [row(b"d", points=60)]}),
        ]
    )


def closed(after: int, through: int, *, day: str = DAY, supplement: int = 0) -> DayClosed:
    """Name a statement."""
    return DayClosed(OURS, day, supplement, after, through, -1)


@pytest.mark.parametrize(
    ("after", "through", "points", "roots"),
    [(-1, 3, 3, [0, 1]), (-1, 0, 1, [0]), (0, 3, 2, [1]), (0, 1, 2, [1]), (1, 3, 0, []), (-1, -1, 0, [])],
)
def test_a_statement_covers_the_batches_after_one_and_through_another(
    after: int, through: int, points: int, roots: list[int]
) -> None:
    home = four_batches()
    journal, records = cast("Journal", home), cast("RecordFiles", home)

    totals = totals_of(closed(after, through), journal=journal, records=records, stated=False)

    assert sum(cell.points for cell in totals.cells.values()) == points
    assert totals.roots == [(bytes([number]) * 32).hex() for number in roots]


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize(("day", "asked"), [(DAY, DAY), (UNREADABLE, None)])
def test_rejections_are_those_of_the_statement_once_it_has_been_made(
    day: str, asked: str | None, stated: bool
) -> None:
    home = Home([], unstated={asked: {"late": 3}})
    journal, records = cast("Journal", home), cast("RecordFiles", home)

    totals = totals_of(closed(-1, -1, day=day), journal=journal, records=records, stated=stated)

    assert totals.rejected == ({} if stated else {"late": 3})


def test_a_cell_adds_up_acts_and_persons_and_takes_erased_ones_for_one_person_at_least() -> None:
    cell, other = Cell(), Cell()
    for person, leaf in ((b"a", b"1"), (b"a", b"2"), (None, b"3"), (None, b"4")):
        cell.add(row(person, points=5, leaf=leaf))
    other.add(row(b"a", points=7))
    other.add(row(b"b", points=7))
    other.add(row(None, points=1, leaf=b"5"))
    cell.merge(other)

    assert (cell.count, cell.co2e_mg, cell.points) == (7, 35_000, 35)
    assert cell.persons == {b"a", b"b"}
    assert (cell.persons_least, cell.persons_most) == (3, 5)


def test_the_first_statement_covers_all_batches_and_the_next_those_since() -> None:
    home = four_batches()

    assert home.close() == closed(-1, 3)
    assert home.body()["batches"] == {"after": -1, "through": 3}
    home.kept.append((OURS, {DAY: [row(b"e", points=8)]}))
    assert home.close() == closed(3, 4, supplement=1)
    home.kept.append((OURS, {DAY: [row(b"f", points=16)]}))
    assert home.close() == closed(4, 5, supplement=2)
    assert len(home.sealed) == 3


def test_a_statement_of_rejected_rows_alone_covers_no_batch() -> None:
    home = Home([], unstated={None: {"malformed-row": 10}})

    assert home.close(UNREADABLE) == closed(-1, -1, day=UNREADABLE)
    assert home.body()["rejected"] == [{"code": "malformed-row", "count": 10}]


def test_statements_of_other_days_and_platforms_do_not_count() -> None:
    home = four_batches()
    home.statements += [closed(-1, 3, day="2025-03-17"), DayClosed(OTHERS, DAY, 0, -1, 3, -1)]

    assert home.close() == closed(-1, 3)


@pytest.mark.parametrize("day", ["2025-03-15", UNREADABLE])
def test_a_day_without_anything_new_is_not_stated(day: str) -> None:
    home = four_batches()

    with pytest.raises(Refused, match=f"nothing new for {day}"):
        home.close(day)
    assert home.sealed == []


def test_a_day_is_closed_from_its_third_day_after_on() -> None:
    home = four_batches()

    assert home.close("2025-03-17").through == 3
    with pytest.raises(Refused, match="2025-03-18 can be closed from 2025-03-21 on"):
        home.close("2025-03-18")


@pytest.mark.parametrize(
    ("state", "reason"),
    [(ClaimState.SET_OFF, "already-claimed"), (ClaimState.WITHDRAWN, "withdrawn"), (ClaimState.HOLDS, "")],
    ids=["set off", "withdrawn", "holds"],
)
def test_records_that_do_not_count_are_counted_as_rejected(state: bytes, reason: str) -> None:
    home = four_batches()
    home.state = state
    journal, records = cast("Journal", home), cast("RecordFiles", home)

    totals = totals_of(closed(-1, 3), journal=journal, records=records, stated=False)

    assert sum(cell.points for cell in totals.cells.values()) == (0 if reason else 3)
    assert {
        code: count for code, count in totals.rejected.items() if code in ("already-claimed", "withdrawn")
    } == ({reason: 2} if reason else {})
