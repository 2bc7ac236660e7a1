"""The books beside the naive ledger, written from the rules alone, in the same random programmes."""

import os
from typing import Final

from tests.fakes.oracle_ledger import WITHOUT, BeyondAPartError, Compared, PureBooks
from tests.oracle.programmes import programme

SEEDS: Final = int(os.environ.get("TANQIAO_ORACLE_LEDGER_SEEDS", "40"))
FIRST: Final = int(os.environ.get("TANQIAO_ORACLE_LEDGER_FIRST", "0"))
EXPECTED: Final = {
    "", "corridor-limit", "corridor-paused", "lot-spent", "person-limit", "platform-limit",
    "platform-not-active", "position-limit", "return-exceeds-original", "settlement-refused",
}  # fmt: skip


def test_the_books_accept_and_hold_what_the_naive_ledger_does() -> None:
    codes: set[str] = set()
    beyond = 0
    for seed in range(FIRST, FIRST + SEEDS):
        compared = Compared(PureBooks())
        try:
            for operation in programme(seed, without=WITHOUT):
                compared.apply(operation)
        except BeyondAPartError:
            beyond += 1
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {operation}") from error
        compared.compare()
        codes |= compared.codes

    assert codes >= EXPECTED
    assert beyond * 20 <= SEEDS, "nearly every programme is compared to its end"
