"""Decisions of the ledger beside pgbench on the same PostgreSQL: ``python -m benchmarks.ledger --help``.

A transfer of ours is two durable transactions: the reservation (checks of lots, of four day limits and of two
positions, the lot's first use, postings, a message) and the decision (compare-and-set, postings, the lot that
arrives, chain and window, two messages). Each group of them is one commit. pgbench's transaction is that
of TPC-B: three updates, a select and an insert. Runs of both alternate, and the best of each counts.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.measure import machine
from gateway.app.base.collecting import collect_seldom
from gateway.ledger import Cap, Kind, Limit, Lot, Pair, Part, Reservation, Verdict
from gateway.ports import Decide, OutboxMessage, TransferChange, TransferStep
from gateway.store.ledger.books import SqlLedger
from gateway.store.ledger.rows import text_of
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import postgres_url
from tests.fakes.servers import postgres_server

__all__ = ["main", "preload"]

PLATFORMS = tuple(f"cn-{number:06}/city" for number in range(10))
PAIRS = tuple((a, b) for a in PLATFORMS for b in PLATFORMS if a != b)
DAY = 739_000
AT = 1_795_334_400
RESERVED = TransferChange("RESERVED", "{}", AT + 30, (OutboxMessage("to", "credit"),))
COMMITTED = TransferChange(
    "COMMITTED", "{}", None, (OutboxMessage("from", "decision"), OutboxMessage("to", "decision"))
)
ABORTED = TransferChange("ABORTED")
_PRELOADING = (
    b"INSERT INTO transfers SELECT 'tr_old_' || n, 2, 'COMPLETED', NULL, '{}'"
    b" FROM generate_series(1, %(stored)s) AS n",
    b"INSERT INTO reservations SELECT 'tr_old_' || n, 2 * n - 1, %(reservation)s"
    b" FROM generate_series(1, %(stored)s) AS n",
    b"INSERT INTO decisions SELECT 'tr_old_' || n, 2 * n, %(decision)s"
    b" FROM generate_series(1, %(stored)s) AS n",
    b"INSERT INTO postings SELECT 2 * n - line %% 2, line, %(account)s, %(account)s, 829002"
    b" FROM generate_series(1, %(stored)s) AS n, generate_series(0, 7) AS line",
    b"INSERT INTO lots SELECT 'rec_old_' || n, %(platform)s, 'rec_old_' || n, 'p', 829002, 829002, 829,"
    b" NULL, 0, 0, 829002, 829, 0, 0, 0, 0, false, '', '', 0 FROM generate_series(1, %(stored)s) AS n",
    b"INSERT INTO lots SELECT 'tr_old_' || n || '/0', %(platform)s, 'rec_old_' || n, 'p', 700000, 700000,"
    b" 700, NULL, 0, 0, 0, 0, 0, 0, 0, 0, false, 'rec_old_' || n, '', 829002"
    b" FROM generate_series(1, %(stored)s) AS n",
    b"INSERT INTO counters SELECT 'person/old_' || n, 829002 FROM generate_series(1, %(stored)s) AS n",
    b"UPDATE ledger_head SET number = 2 * %(stored)s",
)
SCALE = 10  # of pgbench: as many branches, so that its clients need not wait for each other
ROUNDS = 3


class Rates(NamedTuple):
    """What a second of the clock holds, and microseconds of all processors, the server's too, for each."""

    reserved: float
    decided: float
    whole: float
    reserving_us: float
    deciding_us: float


class Meter:
    """Processor seconds of this process, its children that have ended, and a server."""

    def __init__(self, server: int | None) -> None:
        self._server = server

    def seconds(self) -> float:
        """Return what was used so far; without the server's where it is not ours to look at."""
        mine = os.times()
        used = mine.user + mine.system + mine.children_user + mine.children_system
        if self._server is not None:
            asked = ["pgrep", "-P", str(self._server)]
            listed = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
            used += sum(_of_process(number) for number in map(int, listed.split()))
            used += _of_process(self._server, children=True)
        return used


def _of_process(number: int, *, children: bool = False) -> float:
    try:
        fields = Path(f"/proc/{number}/stat").read_text("ascii").rpartition(")")[2].split()
    except (OSError, ProcessLookupError):
        return 0.0
    last = 15 if children else 13  # utime, stime, and those of children that were waited for
    return sum(map(int, fields[11:last])) / os.sysconf("SC_CLK_TCK")


def main(arguments: list[str]) -> int:
    """Print the machine and a line for each number of stored transfers, and for pgbench."""
    parser = argparse.ArgumentParser(prog="benchmarks.ledger", description=__doc__)
    parser.add_argument("--transfers", type=int, default=10_000, help="transfers of a run (%(default)s)")
    parser.add_argument("--group", type=int, default=500, help="steps of a transaction (%(default)s)")
    parser.add_argument("--stored", type=int, nargs="+", default=[10_000], help="transfers that are there")
    parser.add_argument("--seconds", type=int, default=5, help="of each run of pgbench (%(default)s)")
    parser.add_argument("--clients", type=int, default=8, help="of pgbench (%(default)s)")
    parser.add_argument("--server", help="a PostgreSQL server's URL; default: one is started in memory")
    options = parser.parse_args(arguments)
    print(json.dumps(machine(), ensure_ascii=False))
    if options.server:
        _measure(options, options.server, meter=Meter(None))
        return 0
    with postgres_server() as server:
        _measure(options, server.url("postgres"), meter=Meter(server.server.process.pid))
    return 0


def _measure(options: argparse.Namespace, server: str, *, meter: Meter) -> None:
    print(f"{'stored':>10}{'reserved/s':>12}{'decided/s':>12}{'transfers/s':>13}", end="")
    print(f"{'µs reserving':>14}{'µs deciding':>13}{'load':>7}")
    tps, peer_us = 0.0, float("inf")
    best: Rates | None = None
    with _new_database(server, "bench_pgbench") as url:
        pgbench = _pgbench(url, options)
        for stored in sorted(options.stored):
            with _new_database(server, "bench_ledger") as ours, tempfile.TemporaryDirectory() as folder:
                database = Database(postgres_url(ours, setting="--server"), folder=Path(folder))
                preload(ours, stored)
                runs = []
                for number in range(ROUNDS):
                    before = meter.seconds()
                    found = pgbench()
                    if found:
                        tps = max(tps, found)
                        used = meter.seconds() - before
                        peer_us = min(peer_us, used / (found * options.seconds) * 1e6)
                    runs.append(_ours(database, options, name=f"{stored}_{number}", meter=meter))
                database.close()
            best = _best(runs)
            print(f"{stored:>10,}{best.reserved:>12,.0f}{best.decided:>12,.0f}{best.whole:>13,.0f}", end="")
            print(
                f"{best.reserving_us:>14,.0f}{best.deciding_us:>13,.0f}{os.getloadavg()[0]:>7.1f}", flush=True
            )
    if tps and best is not None:
        whole_us = best.reserving_us + best.deciding_us
        print(f"pgbench, TPC-B-like, {options.clients} clients: {tps:,.0f}/s, {peer_us:,.0f} µs each")
        print(
            f"by the clock {best.decided / tps:.2f} decisions, {best.whole / tps:.2f} transfers for one; ",
            end="",
        )
        print(f"by processor time {peer_us / best.deciding_us:.2f} and {peer_us / whole_us:.2f}")


def _best(runs: list[Rates]) -> Rates:
    """Take the best of each: other work on the machine can only make a run slower."""
    return Rates(
        max(run.reserved for run in runs),
        max(run.decided for run in runs),
        max(run.whole for run in runs),
        min(run.reserving_us for run in runs),
        min(run.deciding_us for run in runs),
    )


def _ours(database: Database, options: argparse.Namespace, *, name: str, meter: Meter) -> Rates:
    """Run transfers through the store, a group at a time, and return what a second holds."""
    wanted = [_reservation(f"tr_{name}_{number}", number) for number in range(options.transfers)]
    reserving = [TransferStep(one.transfer, 0, AT, RESERVED, one, ABORTED) for one in wanted]
    deciding = [TransferStep(one.transfer, 1, AT, COMMITTED, Decide(Verdict.COMMIT)) for one in wanted]
    with SqlLedger(database) as ledger:
        for pair in PAIRS:
            ledger.limit(Limit(Pair(*pair), 10**17, 10**17))
        collect_seldom()  # as the processes that serve do
        marks = [meter.seconds()]
        first = _seconds(ledger, reserving, group=options.group)
        marks.append(meter.seconds())
        second = _seconds(ledger, deciding, group=options.group)
        marks.append(meter.seconds())
    count = options.transfers
    used = [(after - before) / count * 1e6 for before, after in pairwise(marks)]
    return Rates(count / first, count / second, count / (first + second), *used)


def _seconds(ledger: SqlLedger, steps: list[TransferStep], *, group: int) -> float:
    started = time.perf_counter()
    for first in range(0, len(steps), group):
        taken = ledger.run(steps[first : first + group])
        if not all(one.done and one.refusal is None for one in taken):
            raise SystemExit("a step was not taken")
    return time.perf_counter() - started


def _reservation(transfer: str, number: int) -> Reservation:
    source, destination = PAIRS[number % len(PAIRS)]
    facts = Lot(source, f"rec_{transfer}", f"{source}-point", 829_002, 829_002, 829, DAY + 300)
    part = Part(facts.record, 829_002, 829, 700_000, 700, DAY + 300, facts=facts)
    caps = (
        Cap("person-limit", f"person/{transfer}/{DAY}", 10**9),
        Cap("corridor-limit", f"corridor/{source}/{destination}/{DAY}", 10**17),
        Cap("platform-limit", f"platform/{source}/{DAY}", 10**17),
        Cap("central-limit", f"central/{DAY}", 10**17),
    )
    return Reservation(transfer, Kind.MOVE, source, destination, f"{destination}-point", DAY, (part,), caps)


def _pgbench(url: str, options: argparse.Namespace) -> Callable[[], float]:
    """Fill pgbench's tables and return what runs it; 0 where there is no pgbench."""
    program = shutil.which("pgbench")
    if program is None:
        print("pgbench is not installed (Debian: postgresql-contrib): nothing to compare with")
        return lambda: 0.0
    subprocess.run([program, "-q", "-i", "-s", str(SCALE), url], check=True, capture_output=True)
    command = [
        program,
        "-M",
        "prepared",
        "-c",
        str(options.clients),
        "-j",
        "2",
        "-T",
        str(options.seconds),
        url,
    ]

    def run() -> float:
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = re.search(r"tps = ([\d.]+)", said)
        return float(found[1]) if found else 0.0

    return run


@contextmanager
def _new_database(server: str, name: str) -> Iterator[str]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def preload(url: str, stored: int) -> None:
    """Store transfers by SQL in books that are empty, each with the rows that one of ours leaves behind."""
    example = _reservation("tr_x", 0)
    values = {
        "stored": stored,
        "reservation": text_of(example),
        "decision": "x" * 420,
        "account": f"{example.source} in-transit co2e-mg",
        "platform": example.source,
    }
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in _PRELOADING:
            connection.execute(statement, values)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
