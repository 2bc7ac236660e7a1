"""Whole transfers over HTTP between two sandbox cities: ``python -m benchmarks.transfers --help``.

Everything is real and on this machine: the served gateway with its worker and the process that carries
transfers, the database, two cities with databases of their own, and the sender of the load. A transfer is
quoted, started, held, reserved, prepared, decided and told to both cities; it counts when both have
acknowledged the decision. Each message is signed, each answer too, and each signature is verified.

The bound beside it is what the signatures of those transfers take alone, on all processors.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from sqlalchemy import select

from benchmarks.ledger import preload
from benchmarks.load import percentile, read_answer, signed
from benchmarks.measure import machine
from benchmarks.processes import processor_seconds
from gateway.app.base.home import OpenHome, open_home
from gateway.model.canonical import canonical_bytes
from gateway.store.files.keys import FileSigner
from gateway.store.ledger.tables import transfers
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id
from tests.fakes.servers import PostgresServer, postgres_server, valkey_server
from tests.fakes.serving import Served

__all__ = ["main"]

TRANSFERS = int(os.environ.get("TANQIAO_BENCH_TRANSFERS", "40"))
POINTS = 10  # of one transfer: 50 g
RIDES = 6  # of each person
CONNECTIONS = 16
LOOK_SECONDS = {"single": 0.01, "batch": 0.05}
LOOKED_AT = 100  # transfers at once, the oldest of those that are not over
SETTLED_SECONDS = 5  # for so long after its first request the service asks its stores for nonces
PATIENCE_SECONDS = 600
SIGNATURES = {"single": 13.0, "batch": 4.0}
"""Signatures made, and verified, for one transfer: its requests, four messages and their answers, its quote,
and the decision for each city. In a batch only those of the quote and of the two decisions, and shares."""
_DECIDED, _LOST = {"COMMITTED", "COMPLETED"}, {"ABORTING", "ABORTED", "REJECTED", "LAPSED"}
_PRELOADING = (
    b"INSERT INTO transfer_ends SELECT platform, 'tr_old_' || n FROM generate_series(1, %(stored)s) AS n,"
    b" unnest(ARRAY['cn-000000/songling', 'cn-000000/qinglan']) AS platform",
    b"INSERT INTO requests (platform, id, digest, received, body, answer)"
    b" SELECT 'cn-000000/songling', 'tr_old_' || n, 'sha256:' || n, 0, %(body)s, '{}'"
    b" FROM generate_series(1, %(stored)s) AS n",
    b"INSERT INTO decision_batches SELECT 0, 2 * %(stored)s, %(stored)s, '', decision, 'sha256:0', '', 0"
    b" FROM ledger_head",  # they stand in the log: else the sequencer would put them there meanwhile
    b"ANALYZE",
)


@dataclass(frozen=True, slots=True)
class Run:
    """What a load took: seconds of the clock, and of the processors by process."""

    count: int
    seconds: float
    cpu_seconds: Mapping[str, float]

    @property
    def each_ms(self) -> float:
        """Return the processor time of one of them, in all processes together."""
        return sum(self.cpu_seconds.values()) / self.count * 1000

    @property
    def rate(self) -> float:
        """Return how many a second of the clock holds."""
        return self.count / self.seconds


@dataclass(kw_only=True)
class Field:
    """What is measured: a served home between two cities."""

    between: Between
    running: Served
    processes: Mapping[str, int]
    signer: FileSigner
    persons: int
    turn: int = 0
    at_once: int
    lanes: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    def next_person(self) -> int:
        """Return whose turn it is: two transfers of one person at once would want the same lot."""
        self.turn += 1
        return 1 + self.turn % self.persons

    def cpu_seconds(self) -> dict[str, float]:
        """Return what each of the processes has used so far, this one too."""
        ended = [name for name, process in self.processes.items() if not Path(f"/proc/{process}").exists()]
        if ended:
            raise SystemExit(f"{', '.join(ended)} ended, see served.log: what is measured is no service")
        used = {name: processor_seconds(process) for name, process in self.processes.items()}
        return used | {"load": time.process_time()}


def main(arguments: list[str]) -> int:
    """Print the machine, then a line for each figure."""
    options = _options(arguments)
    print(json.dumps(machine(), ensure_ascii=False))
    with tempfile.TemporaryDirectory(prefix="tanqiao-bench-") as scratch, ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("TANQIAO_REQUESTS_PER_MINUTE", "1000000")
        server = _stores(stack, patch) if options.store == "postgres" else None
        persons = max(options.transfers, (options.batches + 1) * options.batch if options.batches else 0)
        made = stack.enter_context(between_cities(Path(scratch), patch, persons=persons, rides=RIDES))
        if server is not None and options.stored:
            _preload(options.stored)
        served = stack.enter_context(_served(made, server, at_once=options.at_once))
        print(f"{options.store}, {served.persons} persons, {options.stored:,} transfers stored before")
        asyncio.run(_measure(served, options))
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.transfers", description=__doc__)
    parser.add_argument("--transfers", type=int, default=TRANSFERS, help="single transfers (%(default)s)")
    parser.add_argument("--batches", type=int, default=0, help="batches of transfers (%(default)s)")
    parser.add_argument("--batch", type=int, default=200, help="transfers of a batch (%(default)s)")
    parser.add_argument("--at-once", type=int, default=2, help="batches under way (%(default)s)")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite", help="%(default)s")
    parser.add_argument("--stored", type=int, default=0, help="there before, in PostgreSQL (%(default)s)")
    return parser.parse_args(arguments)


def _stores(stack: ExitStack, patch: pytest.MonkeyPatch) -> PostgresServer:
    server, valkey = stack.enter_context(postgres_server()), stack.enter_context(valkey_server())
    patch.setenv("TANQIAO_DATABASE", server.database())
    patch.setenv("TANQIAO_CHECKPOINTS", server.database())
    patch.setenv("TANQIAO_REDIS", valkey.url)
    return server


def _preload(stored: int) -> None:
    """Store transfers as ours are stored, and what they were asked by."""
    url = os.environ["TANQIAO_DATABASE"].replace("+psycopg", "")
    preload(url, stored)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _PRELOADING:
            connection.execute(statement, {"stored": stored, "body": "x" * 1500})


@contextmanager
def _served(between: Between, server: PostgresServer | None, *, at_once: int) -> Iterator[Field]:
    files = [str(between.home.parent / f"{city}.yaml") for city in (SOURCE, DESTINATION)]
    running = Served(between.home, workers=1, arguments=[w for file in files for w in ("--mapping", file)])
    try:
        running.wait_until_ready()
        persons = len(between.cities[SOURCE].residents())
        signer = FileSigner(between.cities[SOURCE].folder / "http.key", "http")
        running.client(signer).look_up("/v1/positions")
        time.sleep(SETTLED_SECONDS)
        processes = {_name_of(child): child for child in running.children()}
        processes |= {name: city.process.pid for name, city in between.cities.items()}
        processes |= {} if server is None else {"PostgreSQL": server.server.process.pid}
        yield Field(
            between=between,
            running=running,
            processes=processes,
            signer=signer,
            persons=persons,
            at_once=at_once,
        )
    except BaseException:
        print((between.home.parent / "served.log").read_text("utf-8")[-3000:], file=sys.stderr)
        raise
    finally:
        running.closing.close()
        running.stop()


def _name_of(process: int) -> str:
    """Return what a process of the service calls itself."""
    return Path(f"/proc/{process}/comm").read_text("ascii").strip().removeprefix("tq-")


async def _measure(measured: Field, options: argparse.Namespace) -> None:
    port = int(measured.running.url.rpartition(":")[2])
    measured.lanes = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    await _all(measured, 1)  # what is read once is read
    run, _ = await _all(measured, options.transfers)
    _told("single transfers", run, bound="single")
    paced, waits = await _all(measured, options.transfers, rate=run.rate / 2)
    print(f"{'':<38}at {paced.rate:.1f} a second until decided: ", end="")
    print(f"p50 {percentile(waits, 50):.0f} ms, p99 {percentile(waits, 99):.0f} ms", flush=True)
    if options.batches:
        await _all(measured, options.batch, together=options.batch)
        run, _ = await _all(measured, options.batches * options.batch, together=options.batch)
        _told(f"transfers in batches of {options.batch}", run, bound="batch")
    for _, writer in measured.lanes:
        writer.close()


def _told(what: str, run: Run, *, bound: str) -> None:
    print(f"{what:<38}{run.count:>8,} in {run.seconds:>6.2f} s {run.rate:>9,.1f} a second", end="")
    print(f"  {run.each_ms:.1f} ms of processor each, load {os.getloadavg()[0]:.1f}")
    parts = (f"{name} {used / run.count * 1000:.2f}" for name, used in run.cpu_seconds.items())
    print(f"{'':<38}ms by process: {', '.join(parts)}")
    limit = SIGNATURES[bound] * _signature_seconds()
    at_most = (os.cpu_count() or 1) / limit
    print(f"{'bound: its signatures alone':<38}{at_most:>34,.0f} a second", end="")
    print(f"  {limit * 1000:.1f} ms of processor each; ours is {run.rate / at_most:.2f} of it", flush=True)


async def _all(measured: Field, count: int, *, rate: float = 0, together: int = 1) -> tuple[Run, list[float]]:
    """Quote and start transfers, as fast as they are answered or at a rate, until cities know all ends.

    ``together``: so many in one request.

    Returns also the milliseconds from the wish to the decision.
    """
    started, used = time.perf_counter(), measured.cpu_seconds()
    free: asyncio.Queue[int] = asyncio.Queue()
    for number in range(len(measured.lanes)):
        free.put_nowait(number)
    begun: dict[str, float] = {}
    ends: dict[str, float] = {}
    async with asyncio.TaskGroup() as group:
        if together > 1:
            group.create_task(_send_batches(measured, count // together, size=together, begun=begun))
        else:
            group.create_task(_send(measured, count, rate=rate, free=free, begun=begun))
        look_seconds = LOOK_SECONDS["batch" if together > 1 else "single"]
        group.create_task(_watch(measured, begun, ends=ends, count=count, look_seconds=look_seconds))
    took = {name: until - used[name] for name, until in measured.cpu_seconds().items()}
    run = Run(count, time.perf_counter() - started, took)
    return run, [(ends[name] - begun[name]) * 1000 for name in begun]


async def _send(
    measured: Field, count: int, *, rate: float, free: "asyncio.Queue[int]", begun: dict[str, float]
) -> None:
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            if rate:
                await asyncio.sleep(max(0, started + number / rate - time.perf_counter()))
            lane = await free.get()
            name = transfer_id()
            begun[name] = time.perf_counter()
            group.create_task(_one(measured, name, person=measured.next_person(), lane=lane, free=free))


async def _one(measured: Field, name: str, *, person: int, lane: int, free: "asyncio.Queue[int]") -> None:
    destination = measured.between.corridor().destination
    wish = {"destination": destination, "account": f"{SOURCE}-{person:05d}", "points": str(POINTS)}
    quote = await _ask(measured, "/v1/quotes", body=wish, lane=lane)
    body = _body(quote["quote"], person, name=name)
    answer = await _ask(measured, "/v1/transfers", body=body, lane=lane, key=name)
    if not answer["accepted"]:
        raise SystemExit(f"a transfer was refused: {answer}")
    free.put_nowait(lane)


async def _send_batches(measured: Field, batches: int, *, size: int, begun: dict[str, float]) -> None:
    """Quote and start batches: while one is started, the next is quoted."""
    destination = measured.between.corridor().destination
    waiting = iter(range(batches))

    async def in_turn(lane: int) -> None:
        for _ in waiting:
            persons = [measured.next_person() for _ in range(size)]
            wishes = [
                {"destination": destination, "account": f"{SOURCE}-{one:05d}", "points": str(POINTS)}
                for one in persons
            ]
            now = time.perf_counter()
            quotes = await _ask(measured, "/v1/quotes:batch", body={"items": wishes}, lane=lane)
            bodies = [
                _body(line["document"]["quote"], one)
                for line, one in zip(quotes["outcomes"], persons, strict=True)
            ]
            begun.update(dict.fromkeys((str(body["id"]) for body in bodies), now))
            answers = await _ask(measured, "/v1/transfers:batch", body={"items": bodies}, lane=lane)
            if not all(line["document"].get("accepted") for line in answers["outcomes"]):
                raise SystemExit(f"a transfer of a batch was refused: {answers}"[:2000])

    await asyncio.gather(*(in_turn(lane) for lane in range(measured.at_once)))


def _body(quote: dict[str, Any], person: int, *, name: str = "") -> dict[str, Any]:
    return {
        "id": name or transfer_id(),
        "quote": quote,
        "source_account": f"{SOURCE}-{person:05d}",
        "destination_account": f"{DESTINATION}-{person:05d}",
    }


async def _ask(
    measured: Field, path: str, *, body: dict[str, Any], lane: int, key: str = ""
) -> dict[str, Any]:
    reader, writer = measured.lanes[lane]
    content = canonical_bytes(body)  # as our client sends it
    request = signed(measured.running.url + path, content, signer=measured.signer, key=key)
    writer.write(request)
    status, content = await read_answer(reader)
    if status >= 300:
        raise SystemExit(f"{path}: {status} {content[:500]!r}")
    answer: dict[str, Any] = orjson.loads(content)
    return answer


async def _watch(
    measured: Field, begun: dict[str, float], *, ends: dict[str, float], count: int, look_seconds: float
) -> None:
    """Note when each transfer was decided; returns when all are over."""
    with open_home(measured.between.home) as opened:
        over: set[str] = set()
        while len(over) < count:
            looked_at = list(islice((name for name in begun if name not in over), LOOKED_AT))
            found = _states(opened, looked_at)
            now = time.perf_counter()
            ends |= {name: now for name, state in found.items() if state in _DECIDED and name not in ends}
            over |= {name for name, state in found.items() if state == "COMPLETED"}
            lost = [name for name, state in found.items() if state in _LOST]
            if lost or (begun and now - min(begun.values()) > PATIENCE_SECONDS):
                raise SystemExit(f"{len(lost)} transfers were aborted, {count - len(over)} are not over")
            if not over.issuperset(looked_at) or not looked_at:
                await asyncio.sleep(look_seconds)


def _states(opened: OpenHome, names: Sequence[str]) -> dict[str, str]:
    """Return the states of transfers; so few are asked about that looking costs next to nothing."""
    query = select(transfers.c.id, transfers.c.state).where(transfers.c.id.in_(names))
    with opened.database.read() as connection:
        return {row.id: row.state for row in connection.execute(query)}


def _signature_seconds() -> float:
    """Return what it takes to make and verify one signature."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key, rounds = Ed25519PrivateKey.generate(), 300
    public, started = key.public_key(), time.process_time()
    for _ in range(rounds):
        public.verify(key.sign(b"x" * 500), b"x" * 500)
    return (time.process_time() - started) / rounds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
