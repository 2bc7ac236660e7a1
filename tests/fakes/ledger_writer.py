"""A process that moves amounts in groups until it is killed: python -m tests.fakes.ledger_writer --help."""

import sys
from pathlib import Path

from gateway.store.ledger.books import SqlLedger
from tests.fakes.ledger_stores import commit, reserve
from tests.fakes.ledgers import moving
from tests.integration.ledger.conftest import open_database

TOGETHER = 5


def main(address: str, folder: str, name: str, groups: str) -> None:
    """Reserve and commit groups of amounts of 1 mg, and say after each commit what is durable."""
    database = open_database(address, Path(folder))
    with SqlLedger(database) as ledger:
        for group in range(int(groups)):
            names = [f"tr_{name}_{group}_{n}" for n in range(TOGETHER)]
            taken = ledger.run([reserve(moving(one, 1)) for one in names])
            accepted = [one for one, how in zip(names, taken, strict=True) if how.refusal is None]
            say("reserved", *accepted)
            ledger.run([commit(one) for one in accepted])
            say("committed", *accepted)
    database.close()


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
