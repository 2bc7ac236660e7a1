"""What both platforms of a transfer answer at the same time is one step of the books."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from gateway.app.base.home import open_home
from gateway.app.transfers.moving import carrier, transferring
from gateway.model.transfer import CreditId, HoldId, Party, TransferId, TransferState, Verdict
from gateway.protocol import Acknowledged, Held, Outcome, Prepared
from gateway.service.transfers.carrying import Carrier, Make
from gateway.store.ledger.books import SqlLedger
from tests.fakes.claims import At, seen
from tests.fakes.moving import AFTER, agree, agreement, begun, moving_home, signed, versions

POINTS = 80


@pytest.fixture
def carrying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Carrier, str]]:
    """Give what carries, and a transfer that is written down and waits for its hold."""
    home = moving_home(tmp_path, monkeypatch, [seen("e-1", "an", 0, 20)])
    agree(home, signed(agreement()))
    with open_home(home) as opened, SqlLedger(opened.database) as ledger:
        parts = transferring(opened, ledger, versions=versions(tmp_path), clock=At(AFTER))
        yield carrier(opened, ledger, clock=At(AFTER)), begun(parts, points=POINTS)


def held(moment: datetime) -> object:
    return Held(moment, HoldId("hd_" + 26 * "0"), POINTS)


def prepared(moment: datetime) -> object:
    return Prepared(moment, CreditId("cr_" + 26 * "0"), POINTS)


def knows(party: Party) -> Make:
    return lambda moment: Acknowledged(moment, party, Verdict.COMMIT)


def test_the_answers_of_both_platforms_are_one_step(carrying: tuple[Carrier, str]) -> None:
    carrier, name = carrying
    carrier.happen_all([(name, held)])
    carrier.happen_all([(name, prepared)])
    before = carrier.read_all([name])[name]
    steps = carrier.happen_all([(name, knows(Party.SOURCE)), (name, knows(Party.DESTINATION))])
    after = carrier.read_all([name])[name]

    assert [step and step.outcome for step in steps] == [Outcome.TAKEN, Outcome.TAKEN]
    assert after.version == before.version + 1
    assert after.move.transfer.state is TransferState.COMPLETED


def test_what_the_gateway_has_to_do_itself_ends_a_step(carrying: tuple[Carrier, str]) -> None:
    carrier, name = carrying
    before = carrier.read_all([name])[name]
    carrier.happen_all([(name, held), (name, prepared)])
    after = carrier.read_all([name])[name]

    assert after.version == before.version + 2
    assert after.move.transfer.state is TransferState.COMMITTED


def test_a_transfer_that_is_read_too_early_is_read_again(carrying: tuple[Carrier, str]) -> None:
    carrier, name = carrying
    carrier.happen_all([(name, held)])
    early = carrier.read_all([name])
    carrier.happen_all([(name, prepared), (name, knows(Party.SOURCE))])
    carrier.happen_all([(name, prepared), (name, knows(Party.DESTINATION))], seen=early)

    assert carrier.read_all([name])[name].move.transfer.state is TransferState.COMPLETED


def test_what_happens_to_a_transfer_that_is_not_there_keeps_no_other(carrying: tuple[Carrier, str]) -> None:
    carrier, name = carrying
    nowhere = TransferId("tr_" + 26 * "9")

    first, second, third = carrier.happen_all([(nowhere, held), (name, held), (nowhere, prepared)])

    assert (first, third) == (None, None)
    assert second is not None
    assert second.outcome is Outcome.TAKEN
