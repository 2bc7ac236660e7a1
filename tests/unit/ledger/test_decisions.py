"""One decision for each transfer, each chained to the one before; a journal that was changed is found."""

import pytest

from gateway.errors import IntegrityBroken, InvariantBroken, Refused
from gateway.ledger import (
    CO2E,
    FIRST_PREVIOUS,
    Account,
    AccountKind,
    Book,
    Clerk,
    Decision,
    Event,
    Head,
    Lot,
    NotReserved,
    Posting,
    Replay,
    Reservation,
    Verdict,
    WindowState,
    lots_digest,
    post,
    require_chain,
    require_step,
)
from gateway.model.canonical import require_profile
from tests.fakes.ledgers import A, B, limited, moving


@pytest.fixture
def clerk() -> Clerk:
    one = Clerk(Book(), Head(), reservations={}, decisions={}, windows={1: WindowState.OPEN})
    one.limit(limited(1_000))
    for n in range(4):
        assert one.reserve(moving(f"tr_{n}", 100)) is None
    for n, verdict in enumerate((Verdict.COMMIT, Verdict.ABORT, Verdict.COMMIT)):
        one.decide(f"tr_{n}", verdict, reason="", decided="2026-11-22T08:00:00Z")
    return one


def events(clerk: Clerk) -> list[Event]:
    return [entry.event for entry in clerk.entries]


def test_the_first_decision_stays_whatever_is_asked_later(clerk: Clerk) -> None:
    before, head = clerk.book.copy(), clerk.head

    late = clerk.decide("tr_0", Verdict.ABORT, reason="expired", decided="later")

    assert late.verdict is Verdict.COMMIT
    assert (clerk.book, clerk.head) == (before, head)


def test_what_was_decided_is_never_reserved_again(clerk: Clerk) -> None:
    clerk.decide("tr_9", Verdict.ABORT, reason="expired", decided="")

    for transfer in ("tr_0", "tr_3", "tr_9"):
        with pytest.raises(Refused, match="before"):
            clerk.reserve(moving(transfer, 1))


def test_nothing_is_committed_that_was_not_reserved(clerk: Clerk) -> None:
    with pytest.raises(NotReserved):
        clerk.decide("tr_none", Verdict.COMMIT, reason="", decided="")


def test_decisions_are_a_chain(clerk: Clerk) -> None:
    made = [event for event in events(clerk) if isinstance(event, Decision)]

    assert made[0].previous == FIRST_PREVIOUS
    assert require_chain(made) == clerk.head.decision
    for decision in made:
        require_profile(decision.document())
    with pytest.raises(IntegrityBroken, match="tr_2"):
        require_chain([made[0], made[2]])
    with pytest.raises(IntegrityBroken, match="tr_1"):
        require_chain([made[0]._replace(reason="other"), *made[1:]])


def test_the_amounts_of_a_commit_stand_in_its_document(clerk: Clerk) -> None:
    first = next(event for event in events(clerk) if isinstance(event, Decision))

    assert first.lots == lots_digest(moving("tr_0", 100).parts)
    assert first.document()["amounts"] == {
        "recognised_mg": "100",
        "unrecognised_mg": "0",
        "points_out": "100",
        "points_in": "10",
    }


def test_a_journal_that_was_changed_is_refused(clerk: Clerk) -> None:
    whole = events(clerk)
    Replay().all(whole)

    for number, event in enumerate(whole):
        without, other = [*whole], [*whole]
        del without[number]
        if isinstance(event, Decision):
            other[number] = event._replace(window=2)
        elif isinstance(event, Reservation):
            part = event.parts[0]._replace(recognised_mg=99)
            other[number] = event._replace(parts=(part,))
        else:
            other[number] = limited(399)
        last_without = number == len(whole) - 1 or event == whole[4]  # what nothing later rests on
        if not last_without:
            with pytest.raises(IntegrityBroken):
                Replay().all(without)
        if event != whole[4]:
            with pytest.raises(IntegrityBroken):
                Replay().all(other)
    with pytest.raises(IntegrityBroken):
        Replay().all([*whole, whole[-1]])


def account(kind: AccountKind, asset: str = CO2E) -> Account:
    return Account(A, kind, asset)


@pytest.mark.parametrize(
    ("posting", "invariant"),
    [
        (Posting(account(AccountKind.RECORDED), account(AccountKind.HELD, "points"), 1), "I1"),
        (Posting(account(AccountKind.RECORDED), account(AccountKind.HELD), 0), "I1"),
        (Posting(account(AccountKind.RECORDED), account(AccountKind.HELD), -1), "I1"),
        (Posting(account(AccountKind.HELD), account(AccountKind.IN_TRANSIT), 1), "I3"),
    ],
)
def test_a_posting_that_breaks_the_books_is_refused(posting: Posting, invariant: str) -> None:
    with pytest.raises(InvariantBroken, match=invariant):
        post({}, [posting])


def test_a_step_that_breaks_an_invariant_is_found(clerk: Clerk) -> None:
    before = clerk.book.copy()

    def broken(change: str) -> None:
        after = before.copy()
        held = Account(A, AccountKind.HELD, CO2E)
        match change:
            case "I1":
                after.balances[held] = after.balances.get(held, 0) + 1
            case "I2":
                after.balances[held] = after.balances.get(held, 0) + 1
                after.balances[account(AccountKind.RECORDED)] -= 1
            case "I3":
                after.lots["r-tr_0"] = after.lots["r-tr_0"].take(1, 0)
            case "I4":
                for pair, position in before.positions.items():
                    if position.limit is not None:
                        after.positions[pair] = position.reserve(1_001)
        require_step(before, after)

    for change in ("I1", "I2", "I3", "I4"):
        with pytest.raises(InvariantBroken, match=change):
            broken(change)
    assert isinstance(before.lots[f"r-tr_0>{B}"], Lot)
    assert before.lots[f"r-tr_0>{B}"].platform == B
