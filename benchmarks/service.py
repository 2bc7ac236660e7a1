"""Measure the service beside bounds: ``python -m benchmarks.service --help``.

Everything is real and on this machine: PostgreSQL, Valkey, the served home, and the sender of the load.
The bounds run one after the other with the same requests: a FastAPI application that only answers, and
PostgreSQL that only keeps the bytes, each durably by itself.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
import orjson
import psycopg

from benchmarks.load import Answered, percentile, send_all, signed
from benchmarks.measure import machine
from benchmarks.spent import seconds_of, spent
from tests.fakes.homes import WUHAN, trip
from tests.fakes.servers import PostgresServer, ValkeyServer, free_port, postgres_server, valkey_server
from tests.fakes.serving import PlatformSigner, Served, enrolled, served

__all__ = ["main"]

CONNECTIONS = 32
BATCH = 500
SETTLED_SECONDS = 5  # for so long after its first request the service asks Valkey and PostgreSQL for nonces
TANQIAO = str(Path(sys.executable).with_name("tanqiao"))


def main(arguments: list[str]) -> int:
    """Print the machine, then a line for each figure."""
    options = _options(arguments)
    print(json.dumps(machine(), ensure_ascii=False))
    with (
        tempfile.TemporaryDirectory(prefix="tanqiao-bench-") as scratch,
        postgres_server() as postgres,
        valkey_server() as valkey,
        served(_home(Path(scratch), postgres, valkey=valkey), workers=options.workers) as running,
    ):
        watched = _watched(running, postgres, valkey=valkey)
        signer, client = PlatformSigner(1), enrolled(running)
        client.request("GET", "/v1/operations")
        time.sleep(SETTLED_SECONDS)
        singles = [_body([trip(number)]) for number in range(options.singles)]
        send = partial(_send, running=running, signer=signer, watched=watched)
        rate = send(_Load("single submissions", singles))
        first = options.singles
        halved = [_body([trip(first + number)]) for number in range(options.singles // 4)]
        send(_Load("single submissions at half that rate", halved, every=2 / rate))
        first += len(halved)
        if options.only_singles:
            return 0
        _echo(singles, workers=options.workers, ours=rate)
        _inserts(postgres, singles, ours=rate)
        batches = [
            _body([trip(first + BATCH * number + act) for act in range(BATCH)])
            for number in range(options.batches)
        ]
        send(_Load(f"acts in batches of {BATCH}", batches, acts=BATCH))
        rows = [trip(first + BATCH * options.batches + number) for number in range(options.rows)]
        content = b"".join(orjson.dumps(row) + b"\n" for row in rows)
        started = time.perf_counter()
        operation = client.upload(WUHAN, "trips.ndjson", content=content)
        uploaded = time.perf_counter()
        client.finished(operation["id"])
        rate = _rate("rows of a file until converted", options.rows, seconds=time.perf_counter() - started)
        _beside(f"of which sending took {uploaded - started:.2f} s")
        _convert(Path(scratch), postgres, content=content, rows=options.rows, ours=rate)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.service", description=__doc__)
    parser.add_argument("--singles", type=int, default=4000, help="single submissions (%(default)s)")
    parser.add_argument("--batches", type=int, default=200, help=f"batches of {BATCH} (%(default)s)")
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the file (%(default)s)")
    parser.add_argument("--only-singles", action="store_true", help="leave the bounds and the rest out")
    parser.add_argument("--workers", type=int, default=1, help="workers of the service (%(default)s)")
    return parser.parse_args(arguments)


def _home(scratch: Path, postgres: PostgresServer, *, valkey: ValkeyServer) -> Path:
    """Make a home in PostgreSQL; what runs below it finds its stores in the environment."""
    os.environ |= {
        "TANQIAO_STATE": str(scratch / "state"),
        "TANQIAO_DATABASE": postgres.database(),
        "TANQIAO_CHECKPOINTS": postgres.database(),
        "TANQIAO_REDIS": valkey.url,
        "TANQIAO_REQUESTS_PER_MINUTE": "1000000",
    }
    subprocess.run([TANQIAO, "init", "--home", scratch / "home"], check=True, stdout=subprocess.DEVNULL)
    return scratch / "home"


def _watched(
    running: Served, postgres: PostgresServer, *, valkey: ValkeyServer
) -> Mapping[str, Callable[[], float]]:
    """Return what tells the processor time of each kind of process; the service starts its workers last."""
    children = running.children()
    others, workers = children[: -running.workers], children[-running.workers :]
    return {
        "workers": partial(seconds_of, *workers),
        "sequencer and others": partial(seconds_of, *others),
        "PostgreSQL": partial(seconds_of, postgres.server.process.pid),
        "Valkey": partial(seconds_of, valkey.server.process.pid),
        "sender": time.process_time,
    }


def _body(acts: list[dict[str, str]]) -> bytes:
    return orjson.dumps({"mapping": WUHAN, "acts": acts})


class _Load(NamedTuple):
    """Submissions to send: so many acts in each, with so many seconds between two, or as fast as it goes."""

    what: str
    bodies: Sequence[bytes]
    acts: int = 1
    every: float = 0.0


def _send(
    load: _Load, running: Served, *, signer: PlatformSigner, watched: Mapping[str, Callable[[], float]]
) -> float:
    """Send submissions and tell how fast they were acknowledged, and how fast all were converted."""
    requests = [signed(running.url + "/v1/acts", body, signer=signer) for body in load.bodies]
    client = running.client(signer)
    port = int(running.url.rpartition(":")[2])
    with spent(watched) as each:
        answered = send_all(port, requests, connections=min(CONNECTIONS, len(requests)), every=load.every)
        _require(answered, {200, 202})
        started = time.perf_counter()
        client.finished(orjson.loads(answered.last)["id"])
        waited = time.perf_counter() - started
        rate = _rate(load.what, len(requests) * load.acts, seconds=answered.seconds)
        _beside(f"p50 {percentile(answered.ms, 50):.1f} ms, p99 {percentile(answered.ms, 99):.1f} ms")
        converted = len(requests) * load.acts / (answered.seconds + waited)
        _beside(f"the last is converted {waited:.2f} s after its answer: {converted:,.0f} a second in all")
        _beside(f"processor µs of a request until then: {each(len(requests))}")
    return rate


def _beside(words: str) -> None:
    print(f"{'':<38}{words}", flush=True)


def _require(answered: Answered, statuses: set[int]) -> None:
    if not set(answered.statuses) <= statuses:
        raise SystemExit(f"unexpected answers: {answered.statuses}: {answered.last[:500]!r}")


def _rate(what: str, items: int, *, seconds: float, ours: float | None = None) -> float:
    rate = items / seconds
    beside = "" if ours is None else f"  ours is {ours / rate:.2f} of it"
    print(f"{what:<38}{items:>10,} in {seconds:>7.2f} s {rate:>12,.0f} a second{beside}", flush=True)
    return rate


def _echo(bodies: Sequence[bytes], *, workers: int, ours: float) -> None:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.echo:app", "--port", str(port)]
    with subprocess.Popen([*command, "--workers", str(workers), "--log-level", "error"]) as process:
        try:
            url = f"http://127.0.0.1:{port}/v1/acts"
            _until_up(url)
            requests = [signed(url, body, signer=PlatformSigner(1)) for body in bodies]
            answered = send_all(port, requests, connections=CONNECTIONS)
            _require(answered, {202})
        finally:
            process.terminate()
    _rate("bound: FastAPI that only answers", len(bodies), seconds=answered.seconds, ours=ours)


def _until_up(url: str) -> None:
    for _ in range(600):
        try:
            httpx.post(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the application of the bound does not start")


def _inserts(postgres: PostgresServer, bodies: Sequence[bytes], *, ours: float) -> None:
    address = postgres.database().replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (number BIGSERIAL PRIMARY KEY, content BYTEA NOT NULL)")
    seconds = asyncio.run(_insert_all(address, bodies))
    _rate("bound: PostgreSQL that only keeps", len(bodies), seconds=seconds, ours=ours)


async def _insert_all(address: str, bodies: Sequence[bytes]) -> float:
    waiting = iter(bodies)

    async def in_turn(connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        for body in waiting:
            await connection.execute("INSERT INTO kept (content) VALUES (%s)", (body,), prepare=True)

    some = [await psycopg.AsyncConnection.connect(address, autocommit=True) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    await asyncio.gather(*map(in_turn, some))
    seconds = time.perf_counter() - started
    for connection in some:
        await connection.close()
    return seconds


def _convert(scratch: Path, postgres: PostgresServer, *, content: bytes, rows: int, ours: float) -> None:
    """Convert the same file by the command, into a home of its own."""
    os.environ |= {"TANQIAO_DATABASE": postgres.database(), "TANQIAO_CHECKPOINTS": postgres.database()}
    home, file = scratch / "beside", scratch / "trips.ndjson"
    file.write_bytes(content)
    subprocess.run([TANQIAO, "init", "--home", home], check=True, stdout=subprocess.DEVNULL)
    started = time.perf_counter()
    command = [TANQIAO, "convert", "--home", str(home), "--mapping", WUHAN, str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _rate("beside: convert of the same file", rows, seconds=time.perf_counter() - started, ours=ours)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
