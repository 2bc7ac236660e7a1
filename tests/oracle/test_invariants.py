"""Each invariant is seen to fail: a sound history is spoiled in one place and the breach is named."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.oracle.examples import GRAM, corridor, lot, moved, reserve, told, world
from tests.oracle.history import Back, Decision, History, Lot, Move, Posting, Use
from tests.oracle.naive_invariants import breaches
from tests.oracle.operations import CloseWindow, OpenCorridor, Part, Return


def sound() -> History:
    """Make a history with moves decided and undecided, onward, and returned in part."""
    ways = [corridor("A", "B", debit_cap_mg=100 * GRAM), corridor("B", "C")]
    ledger = world(*ways, lot("L", worths=[("B", 40), ("C", 20)]), lot("M", worths=[("B", 40)]))
    moved(ledger, reserve("t0", ("L", 250 * GRAM)))
    moved(ledger, reserve("t1", ("L>B", 20 * GRAM), way="BC"))
    told(ledger, Return("r0", "t0", (Part("L", 10 * GRAM),)), CloseWindow(1))
    told(ledger, reserve("t2", ("M", 100 * GRAM)))
    return ledger.history


def changed(kind: type[Any], **changes: int) -> Callable[[History], History]:
    """Change the first entry of a kind in the journal."""

    def spoil(history: History) -> History:
        at, entry = next((n, entry) for n, entry in enumerate(history.journal) if isinstance(entry, kind))
        history.journal[at] = entry._replace(**changes)
        return history

    return spoil


def added(*entries: Move | Decision | Use | Back) -> Callable[[History], History]:
    """Add entries to the journal."""

    def spoil(history: History) -> History:
        history.journal.extend(entries)
        return history

    return spoil


class _Posted(History):
    """Book one thing more than happened."""

    extra: tuple[Posting, ...] = ()

    def postings(self) -> list[Posting]:
        """Add the extra postings."""
        return [*super().postings(), *self.extra]


class _Netted(History):
    """Net a window wrongly."""

    def nets(self, window: int) -> dict[str, int]:
        """Give A and B one mg each, out of C."""
        nets = super().nets(window)
        return {**nets, "A": nets.get("A", 0) + 1, "B": nets.get("B", 0) - 1}


class _LongLived(History):
    """Let what arrived live longer."""

    def lots(self) -> dict[str, Lot]:
        """Lengthen every lot that has moved."""
        return {k: replace(v, expires=v.expires + (">" in k) * 500) for k, v in super().lots().items()}


def posted(*postings: Posting) -> Callable[[History], History]:
    """Book postings which nothing calls for."""

    def spoil(history: History) -> History:
        spoiled = _Posted(**vars(history))
        spoiled.extra = postings
        return spoiled

    return spoil


def lowered(history: History) -> History:
    """Lower the cap below what is owed."""
    first = history.corridors[0]
    history.corridors[0] = replace(first, debit_cap_mg=1)
    return history


def generous(history: History) -> History:
    """Recognise twice what there is."""
    way: OpenCorridor = history.corridors[1]
    worths = [replace(worth, basis_mg=10**6) for worth in history.records[0].worths]
    history.records[0] = replace(history.records[0], worths=tuple(worths))
    history.corridors[1] = replace(way, factors=(("device", 2, 1),))
    return history


def counted_again(history: History) -> History:
    """Claim the act of a lot with another one."""
    history.records.append(replace(history.records[0], lot="N"))
    return history


SPOILED: dict[str, tuple[str, Callable[[History], History]]] = {
    "one-sided posting": ("I1", posted(Posting("x", "mg", "held", "A", 1, "L"))),
    "posted to nowhere": (
        "I2",
        posted(Posting("x", "mg", "held", "A", -1, "M"), Posting("x", "mg", "lost", "A", 1, "M")),
    ),
    "booked elsewhere than held": (
        "I2",
        posted(Posting("x", "mg", "held", "A", -1, "M"), Posting("x", "mg", "held", "B", 1, "M")),
    ),
    "account below zero": (
        "I3",
        posted(
            Posting("x", "mg", "held", "C", -GRAM * 99, "L"), Posting("x", "mg", "held", "B", 99_000, "L")
        ),
    ),
    "more used than there is": ("I3", added(Use("M", "redeemed", 151 * GRAM, 0))),
    "more points used than there are": ("I3", added(Use("M", "redeemed", 1, 151))),
    "position above the cap": ("I4", lowered),
    "two decisions": ("I5", added(Decision("t0", False, 2))),
    "a point too many": ("I7", changed(Move, points_in=41)),
    "a point too few": ("I7", changed(Move, points_in=39)),
    "a mg too many": ("I7", changed(Move, recognised_mg=40_001)),
    "fewer points burned than are due": ("I13", changed(Move, points_out=249)),
    "a mg too few": ("I7", changed(Move, recognised_mg=39_999)),
    "nets that are not the bilateral sums": ("I8", lambda history: _Netted(**vars(history))),
    "more returned than moved": ("I9", added(Back("t0", "L", "L>B", 31_000, 0, 0, 31_000, 2, False))),
    "more points returned than issued": ("I3", changed(Back, points_out=41)),
    "more points given back than burned": ("I13", changed(Back, points_in=251)),
    "returned before it was decided": ("I9", added(Back("t2", "M", "L>B", 1, 0, 0, 1, 2, False))),
    "a longer life": ("I11", lambda history: _LongLived(**vars(history))),
    "worth more than where it came from": ("I13", generous),
    "more points at home than were earned": ("I13", changed(Move, points_out=1)),
    "an act claimed twice": ("I14", counted_again),
}


def test_a_sound_history_breaks_nothing() -> None:
    """The history that the other cases spoil is sound."""
    assert breaches(sound()) == []


@pytest.mark.parametrize("case", SPOILED)
def test_a_spoiled_history_breaks_the_invariant_it_is_about(case: str) -> None:
    """The breach is named."""
    invariant, spoil = SPOILED[case]

    assert invariant in {said.split(":")[0] for said in breaches(spoil(sound()))}
