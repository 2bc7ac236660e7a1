"""A process that appends to a log until it is killed; the tests start it and look at what it leaves.

Arguments: the root folder, the entries of each append, and the number of the step after which it ends
itself without any clean-up (0: never). Each acknowledged size is written to the standard output.
"""

import os
import sys
from pathlib import Path

from tests.unit.store_log.logs import entries, log_in


def main(root: Path, step_entries: int, kill_after: int) -> None:
    steps = 0

    def after_step(_: str) -> None:
        nonlocal steps
        steps += 1
        if steps == kill_after:
            os._exit(9)

    log = log_in(root, after_step=after_step)
    log.recover()
    size = log.size
    while True:
        log.append(entries(size + step_entries, size))
        size += step_entries
        os.write(1, f"{size}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
