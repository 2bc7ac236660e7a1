"""Acts of many days, persons and versions are given the caps that they count against, each named once."""

from datetime import UTC, date, datetime

import pytest

from gateway.convert import Program, Refusal
from gateway.model.codes import Rejection
from gateway.service.acts.capping import Amounts, CapColumns, CapLedger, cap_columns
from gateway.service.acts.recording import ActColumns
from gateway.signing import KeyedIndex
from tests.fakes.mappings import make_cap, yunxi

INDEX = KeyedIndex(bytes(32))
NOON = datetime(2025, 3, 16, 4, tzinfo=UTC)  # in Shanghai
DAY = date(2025, 3, 16).toordinal()
A, B, HOME = b"\x0a" * 4, b"\x0b" * 4, b"\x0c" * 4
Who = tuple[bytes, bytes | None]


def columns(who: list[Who]) -> ActColumns:
    """Make acts of some persons and households; nothing else of them counts."""
    none = [""] * len(who)
    numbers = [0] * len(who)
    claims: list[int | None] = [None] * len(who)
    return ActColumns(
        none, none, none, none, none, none, numbers, numbers, claims, claims, none,
        [person for person, _ in who], [household for _, household in who],
    )  # fmt: skip


def counted(*programs: Program, who: list[Who], days: list[int] | None = None) -> CapColumns:
    """Name what metro rides of some persons count against, by the first program and at noon."""
    kinds = [(0, "TRV-METRO", day) for day in days or [DAY] * len(who)]
    return cap_columns(programs, kinds, acts=columns(who), accepted=NOON, index=INDEX)


def named(program: Program, *keys: tuple[str, str, str]) -> bytes:
    return INDEX.caps(program.id, keys)


@pytest.mark.parametrize(
    ("whom", "names"), [("person", [A.hex(), B.hex()]), ("household", [HOME.hex()]), ("platform", [""])]
)
def test_a_cap_counts_for_whom_it_is(whom: str, names: list[str]) -> None:
    program = yunxi(caps=(make_cap(whom=whom),))

    found = counted(program, who=[(A, HOME), (B, HOME), (A, HOME)])

    assert found.keys == [(0, "daily", "2025-03-16")] * len(names)
    assert found.acts == [(0,), (len(names) - 1,), (0,)]
    assert found.names == named(program, *(("daily", name, "2025-03-16") for name in names))


def test_an_act_without_the_household_that_a_cap_is_per_is_refused() -> None:
    found = counted(yunxi(caps=(make_cap(whom="household"),)), who=[(A, None), (A, HOME)])

    refused, kept = found.acts
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.field, kept) == (Rejection.MISSING_FIELD, "household", (0,))


def test_an_act_that_comes_too_late_for_its_period_is_refused_and_the_others_count() -> None:
    found = counted(yunxi(caps=(make_cap(late="reject"),)), who=[(A, None)] * 3, days=[DAY, DAY - 1, DAY - 1])

    assert found.acts[0] == (0,)
    assert {act.code for act in found.acts if isinstance(act, Refusal)} == {Rejection.LATE}
    assert found.acts[1] == found.acts[2]


def test_several_caps_are_named_in_their_order() -> None:
    caps = (make_cap(), make_cap(name="monthly", period="month", maximum=900))

    found = counted(yunxi(caps=caps), who=[(A, None), (A, None)], days=[DAY, DAY - 1])

    assert found.acts == [(0, 1), (2, 1)]
    assert [key[1:] for key in found.keys] == [
        ("daily", "2025-03-16"), ("monthly", "2025-03"), ("daily", "2025-03-15")
    ]  # fmt: skip


def test_acts_count_against_nothing_where_no_version_has_caps() -> None:
    free, capped = yunxi(caps=()), yunxi()

    assert counted(free, who=[(A, None)] * 2) == CapColumns([], b"", [(), ()])
    assert counted(free, capped, who=[(A, None)] * 2) == CapColumns([], b"", [(), ()])


@pytest.mark.parametrize(("used", "granted"), [(0, 100), (100, 100), (101, 99), (200, 0), (250, 0)])
def test_what_is_used_beyond_a_cap_takes_nothing_from_an_act(used: int, granted: int) -> None:
    """A version may allow less than the one before it did."""
    program = yunxi()
    caps = counted(program, who=[(A, None)])
    ledger = CapLedger([program], caps, amounts=Amounts([100], [1000], [100], [1]), used=[used])

    assert ledger.grant(0) == granted
    assert list(ledger.changed().values()) == ([used + granted] if granted else [])
