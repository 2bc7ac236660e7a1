"""Random programmes of commands: after each one the invariants hold, and the journal rebuilds the books."""

import os
from collections import Counter
from typing import Final

from gateway.ledger import (
    Clerk,
    Head,
    Replay,
    WindowState,
    nets,
    require_step,
    require_whole,
)
from tests.fakes.ledgers import Programme, run

PROGRAMMES: Final = int(os.environ.get("TANQIAO_LEDGER_PROGRAMMES", "150"))
STEPS: Final = 40
EXPECTED: Final = {
    "", "COMMIT", "ABORT", "agreement-not-in-force", "central-limit", "corridor-limit", "corridor-paused",
    "lot-disputed", "lot-expired", "lot-not-held", "lot-spent", "lot-retired", "person-limit",
    "platform-limit", "position-limit", "return-exceeds-original", "settlement-refused",
}  # fmt: skip


def test_invariants_hold_after_each_command_and_the_journal_rebuilds_the_books() -> None:
    seen: Counter[str] = Counter()
    for seed in range(PROGRAMMES):
        programme = Programme(seed)
        clerk = Clerk(programme.book, Head(), reservations={}, decisions={}, windows={1: WindowState.OPEN})
        for limit in programme.limits():
            clerk.limit(limit)
        for _ in range(STEPS):
            before = programme.book.copy()
            seen[run(clerk, programme.command(window=clerk.head.window))] += 1
            require_step(before, programme.book)
        require_whole(programme.book)
        assert sum(net.mg for net in nets(programme.book.flows)) == 0
        replay = Replay()
        for entry in clerk.entries:
            assert replay.apply(entry.event) == entry.postings, f"seed {seed}"
        assert replay.book == programme.book, f"seed {seed}"

    assert seen.keys() >= EXPECTED
