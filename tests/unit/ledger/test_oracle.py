"""The books beside the naive ledger, written from the rules alone, in the same random programmes.

``python -m tests.unit.ledger`` plays many and counts.
"""

import os
from typing import Final

from tests.fakes.oracle_ledger import compare_programme

SEEDS: Final = int(os.environ.get("TANQIAO_ORACLE_LEDGER_SEEDS", "40"))
FIRST: Final = int(os.environ.get("TANQIAO_ORACLE_LEDGER_FIRST", "0"))
EXPECTED: Final = {
    "", "corridor-limit", "corridor-paused", "lot-spent", "person-limit", "platform-limit",
    "platform-not-active", "position-limit", "return-exceeds-original", "settlement-refused",
}  # fmt: skip


def test_the_books_accept_and_hold_what_the_naive_ledger_does() -> None:
    found = [compare_programme(seed) for seed in range(FIRST, FIRST + SEEDS)]
    compared = [codes for codes in found if codes is not None]

    assert set().union(*compared) >= EXPECTED
    assert (len(found) - len(compared)) * 20 <= SEEDS, "nearly every programme is compared to its end"
