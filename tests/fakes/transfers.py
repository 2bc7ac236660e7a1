"""Transfers in every state, made by the machine itself."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from gateway.model.transfer import (
    Amounts,
    CreditId,
    HoldId,
    LotUse,
    Party,
    QuoteId,
    QuoteReference,
    TransferId,
    TransferKind,
    TransferTerms,
    Verdict,
)
from gateway.protocol import (
    Acknowledged,
    Checked,
    CheckFailed,
    Decide,
    Disputed,
    Held,
    Outcome,
    Prepared,
    Reserved,
    ReturnEnded,
    ReturnStarted,
    Ruled,
    Settled,
    Start,
    Transfer,
    step,
)

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOLD = HoldId("hd_0000000000000000000000000A")
CREDIT = CreditId("cr_0000000000000000000000000A")
RETURN = TransferId("tr_0000000000000000000000000R")
POINTS_OUT, POINTS_IN, RECOGNISED_MG = 100, 83, 83_400
TERMS = TransferTerms(
    id=TransferId("tr_0000000000000000000000000A"),
    kind=TransferKind.INTERACTIVE,
    source="cn-000000/yunxi",
    destination="cn-000000/haidong",
    source_account="a-1",
    destination_account="b-1",
    person="5" * 32,
    agreement="sha256:" + "a" * 64,
    quote=QuoteReference(
        QuoteId("qt_0000000000000000000000000A"), "sha256:" + "b" * 64, NOW + timedelta(minutes=5)
    ),
    lots=(LotUse("c" * 32, POINTS_OUT, 100_000, RECOGNISED_MG, 16_600, Fraction(417, 5)),),
    amounts=Amounts(POINTS_OUT, POINTS_IN, 100_000, RECOGNISED_MG, 16_600, Fraction(2, 5)),
)


def at(seconds: float) -> datetime:
    """Return the moment so many seconds after the beginning."""
    return NOW + timedelta(seconds=seconds)


def after(*events: object, terms: TransferTerms = TERMS) -> Transfer:
    """Return a transfer after some events, each of which must be taken."""
    transfer = Transfer(terms)
    for event in events:
        done = step(transfer, event)
        assert done.outcome is Outcome.TAKEN, (event, done)
        transfer = done.transfer
    return transfer


_TO_HELD = (Start(NOW), Checked(NOW), Held(NOW, HOLD, POINTS_OUT))
_TO_READY = (*_TO_HELD, Reserved(NOW), Prepared(NOW, CREDIT, POINTS_IN))
_TO_COMMITTED = (*_TO_READY, Decide(NOW))
_TO_COMPLETED = (*_TO_COMMITTED, *(Acknowledged(NOW, party, Verdict.COMMIT) for party in Party))
_TO_ABORTING = (*_TO_READY, Decide(at(30)))

HISTORIES: dict[str, Sequence[object]] = {
    "QUOTED": (),
    "LAPSED": (Start(at(300)),),
    "REJECTED": (Start(NOW), CheckFailed(NOW, "lot-expired")),
    "RECEIVED": (Start(NOW),),
    "RECEIVED, asked": (Start(NOW), Checked(NOW)),
    "HELD": _TO_HELD,
    "RESERVED": (*_TO_HELD, Reserved(NOW)),
    "READY": _TO_READY,
    "COMMITTED": _TO_COMMITTED,
    "COMMITTED, settled": (*_TO_COMMITTED, Settled(NOW)),
    "COMPLETED": _TO_COMPLETED,
    "SETTLED": (*_TO_COMPLETED, Settled(NOW)),
    "ABORTING": _TO_ABORTING,
    "ABORTED": (*_TO_ABORTING, *(Acknowledged(NOW, party, Verdict.ABORT) for party in Party)),
    "RETURNING": (*_TO_COMPLETED, ReturnStarted(NOW, RETURN, RECOGNISED_MG)),
    "RETURNED": (
        *_TO_COMPLETED,
        ReturnStarted(NOW, RETURN, RECOGNISED_MG),
        ReturnEnded(NOW, RETURN, Verdict.COMMIT),
    ),
    "DISPUTED": (*_TO_COMPLETED, Disputed(NOW)),
    "UPHELD": (*_TO_COMPLETED, Disputed(NOW), Ruled(NOW, upheld=True)),
    "DENIED": (*_TO_COMPLETED, Disputed(NOW), Ruled(NOW, upheld=False)),
}
"""How each state comes about."""


def in_state(name: str) -> Transfer:
    """Return a transfer in a state."""
    return after(*HISTORIES[name])
