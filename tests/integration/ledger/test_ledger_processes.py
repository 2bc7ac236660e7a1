"""Several processes on one database, and processes that are killed in the middle of what they write."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

import pytest

from gateway.ledger import Decision, Pair, Reservation, Verdict
from gateway.store.ledger.books import SqlLedger, SqlLedgerReader
from gateway.store.sql.database import Database
from tests.fakes.ledger_writer import TOGETHER
from tests.fakes.ledgers import A, B, limited
from tests.integration.ledger.rebuilding import require_rebuilt

pytestmark = pytest.mark.xdist_group("servers")
ROOT: Final = Path(__file__).resolve().parents[3]
KILLS: Final = int(os.environ.get("TANQIAO_LEDGER_KILLS", "4"))


@pytest.fixture
def reader(database: Database) -> SqlLedgerReader:
    return SqlLedgerReader(database)


def started(address: str, folder: Path, *, name: str, groups: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.fakes.ledger_writer", address, str(folder), name, str(groups)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def set_limit(database: Database, cap: int) -> None:
    with SqlLedger(database) as ledger:
        ledger.limit(limited(cap))


def test_processes_side_by_side_use_a_limit_up_and_never_pass_it(
    database: Database, reader: SqlLedgerReader, address: str, tmp_path: Path
) -> None:
    set_limit(database, 62)

    processes = [started(address, tmp_path, name=f"p{n}", groups=6) for n in range(3)]
    lines = [line.split() for process in processes for line in process.communicate()[0].splitlines()]

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(len(names) for kind, *names in lines if kind == "committed") == 62
    assert reader.standing().book.positions[Pair(A, B)].committed_out == 62
    require_rebuilt(reader)


def test_a_process_that_is_killed_leaves_each_group_whole_or_not_at_all(
    database: Database, reader: SqlLedgerReader, address: str, tmp_path: Path
) -> None:
    set_limit(database, 10**6)
    random = Random(7)
    said: dict[str, set[str]] = {"reserved": set(), "committed": set()}
    for round_ in range(KILLS):
        process = started(address, tmp_path, name=f"k{round_}", groups=10**6)
        assert process.stdout is not None
        for line in process.stdout:
            kind, *names = line.split()
            said[kind].update(names)
            if random.random() < 0.1:
                process.kill()
                break
        rest = process.communicate()[0].splitlines()
        for line in rest[:-1]:  # the last one may be cut
            kind, *names = line.split()
            said[kind].update(names)
        require_rebuilt(reader)

    kept = [entry.event for entry in reader.journal(reader.standing().head.number)]
    reserved = [event.transfer for event in kept if isinstance(event, Reservation)]
    committed = [event.transfer for event in kept if isinstance(event, Decision)]
    assert {event.verdict for event in kept if isinstance(event, Decision)} == {Verdict.COMMIT}
    for names, told in ((reserved, said["reserved"]), (committed, said["committed"])):
        assert told <= set(names), "what was told is durable"
        assert len(names) % TOGETHER == 0
        for first in range(0, len(names), TOGETHER):
            assert len({name.rpartition("_")[0] for name in names[first : first + TOGETHER]}) == 1
