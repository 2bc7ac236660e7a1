"""Play many random programmes on the books and on the naive ledger: how many agree, and which do not.

python -m tests.unit.ledger --seeds 100000 --first 0
"""

import argparse
import sys
import traceback

from tests.fakes.oracle_ledger import compare_programme

TOLD_EVERY = 500


def main() -> int:
    """Play the programmes that were asked for; whatever does not agree is printed with its seed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=1000)
    options.add_argument("--first", type=int, default=0)
    asked = options.parse_args()
    agreed = beyond = failed = 0
    for number in range(1, asked.seeds + 1):
        try:
            codes = compare_programme(asked.first + number - 1)
        except AssertionError:
            failed += 1
            traceback.print_exc(file=sys.stdout)
        else:
            agreed, beyond = agreed + (codes is not None), beyond + (codes is None)
        if number % TOLD_EVERY == 0 or number == asked.seeds:
            last = asked.first + number - 1
            print(
                f"{asked.first}-{last}: {agreed} agree, {beyond} beyond a part, {failed} differ", flush=True
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
