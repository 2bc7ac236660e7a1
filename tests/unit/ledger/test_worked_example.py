"""The worked example of docs/reference/ledger.md."""

from pathlib import Path
from typing import Final

from gateway.ledger import (
    CO2E,
    Book,
    Clerk,
    Head,
    Kind,
    Limit,
    Lot,
    Pair,
    Part,
    Posting,
    Reservation,
    Verdict,
    WindowState,
)

WUHAN, SHENZHEN = "cn-420100/wuhan", "cn-440300/shenzhen"
PAGE: Final = Path(__file__).resolve().parents[3] / "docs/reference/ledger.md"


def row(posting: Posting) -> str:
    unit = "mg" if posting.debit.asset == CO2E else "points"
    ends = [f"{one.platform.partition('/')[2]} `{one.kind}`" for one in (posting.debit, posting.credit)]
    return f"| {ends[0]} | {ends[1]} | {posting.amount:,} {unit} |"


def test_the_example_in_the_reference_is_what_is_posted() -> None:
    clerk = Clerk(Book(), Head(), reservations={}, decisions={}, windows={1: WindowState.OPEN})
    clerk.limit(Limit(Pair(WUHAN, SHENZHEN), 10**9, 10**9))
    facts = Lot(WUHAN, "record", "wuhan-point", 829_002, 829_002, 829)
    part = Part("record", 400_000, 400, 250_000, 250, facts=facts)
    wanted = Reservation("tr_1", Kind.MOVE, WUHAN, SHENZHEN, "shenzhen-point", 739_000, (part,))

    assert clerk.reserve(wanted) is None
    clerk.decide("tr_1", Verdict.COMMIT, reason="", decided="2026-11-22T08:00:00Z")

    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.endswith((" mg |", " points |"))]
    told = [line for line in rows if line.count("|") == 5]
    posted = [row(posting) for entry in clerk.entries for posting in entry.postings]
    assert [line.split("|", 2)[2] for line in told] == [line[1:] for line in posted]
    assert clerk.book.positions[Pair(WUHAN, SHENZHEN)].owed == 250_000
