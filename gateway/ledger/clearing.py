"""Clearing: windows of decisions, what each platform owes for them, and how they end.

The window of a decision is fixed by the transaction that decides, so it is known for ever what a window
holds. A closed window takes no more; a pending one is being paid for; a settled one frees the capacity that
it held. One that was aborted holds it still and may become pending again.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.errors import Refused
from gateway.ledger.book import Book, Flow
from gateway.ledger.commands import WindowState
from gateway.ledger.positions import Pair

__all__ = ["Net", "SettlementRefused", "matrix", "nets", "require_capacity", "takes_step"]


_AFTER: Final = {
    WindowState.CLOSED: (WindowState.OPEN,),
    WindowState.PENDING: (WindowState.CLOSED, WindowState.ABORTED),
    WindowState.SETTLED: (WindowState.PENDING,),
    WindowState.ABORTED: (WindowState.PENDING,),
}


_BEFORE: Final = {
    WindowState.PENDING: (WindowState.CLOSED,),
    WindowState.SETTLED: (WindowState.CLOSED, WindowState.PENDING),
    WindowState.ABORTED: (WindowState.CLOSED,),
}


class SettlementRefused(Refused):
    """A window cannot take this step now; nothing was changed."""

    code = "settlement-refused"
    remedy = "see the state of the window; windows go OPEN, CLOSED, PENDING, SETTLED or ABORTED"


class Net(NamedTuple):
    """What a platform is to pay for some windows; below zero it is paid."""

    platform: str
    mg: int


def takes_step(window: int, state: WindowState, *, to: WindowState) -> bool:
    """Tell whether a window changes its state; False where it has taken this step: steps may be repeated.

    Raises:
        SettlementRefused: its state does not lead there.
    """
    if state is to or to in _BEFORE.get(state, ()):
        return False
    if state not in _AFTER.get(to, ()):
        raise SettlementRefused(f"the window {window} is {state} and cannot become {to}", field=str(window))
    return True


def matrix(flows: Mapping[Flow, int]) -> dict[Pair, int]:
    """Return what moved from each platform to each other one in some windows: the evidence of the nets."""
    gross: dict[Pair, int] = {}
    for flow, amount in sorted(flows.items()):
        pair = Pair(flow.source, flow.destination)
        gross[pair] = gross.get(pair, 0) + amount
    return gross


def nets(flows: Mapping[Flow, int]) -> list[Net]:
    """Return what each platform is to pay for some windows, all against all.

    They sum to zero (I8): each amount is owed by one and owed to another.
    """
    totals: dict[str, int] = {}
    for pair, amount in matrix(flows).items():
        totals[pair.platform] = totals.get(pair.platform, 0) + amount
        totals[pair.other] = totals.get(pair.other, 0) - amount
    return [Net(platform, mg) for platform, mg in sorted(totals.items())]


def require_capacity(book: Book, flows: Mapping[Flow, int]) -> None:
    """Check that paying for these windows leaves no position above its limit (I4).

    A platform that is owed something in them may owe as much in later ones; paid for alone, they would
    leave it above its limit.

    Raises:
        SettlementRefused: names the position and says which windows to settle with them.
    """
    after = book.copy()
    after.settle(flows)
    for pair, position in after.positions.items():
        before = book.positions[pair]
        if position.limit is not None and position.owed > max(position.limit, before.owed):
            raise SettlementRefused(
                f"{pair.platform} would owe {pair.other or 'all'} {position.owed} mg,"
                f" at most {position.limit}",
                remedy="settle the later windows first, or together with these",
            )
