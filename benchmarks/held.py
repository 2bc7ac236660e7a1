"""Measure what many slow senders take of the service: ``python -m benchmarks.held --help``.

Half of them never end the head of their request, half never end its content; each sends a byte a second.
They are a process of their own. Meanwhile somebody asks how the service is, once in a tenth of a second.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import uvloop

from benchmarks.load import percentile
from benchmarks.measure import machine
from tests.fakes.serving import Served, served

__all__ = ["main"]

HEAD: Final = b"GET /v1/health HTTP/1.1\r\nhost: x\r\nx-slow: "
CONTENT: Final = (
    b"POST /v1/platforms/cn-420100/wuhan/enrolment HTTP/1.1\r\nhost: x\r\nsignature: a=:AA==:\r\n"
    b"content-type: application/json\r\ncontent-length: 4096\r\n\r\n{"
)
AT_ONCE: Final = 200  # connections that are being made
SPARE_DESCRIPTORS: Final = 200
TANQIAO: Final = str(Path(sys.executable).with_name("tanqiao"))
MEBIBYTE: Final = 1 << 20


class _Asked(NamedTuple):
    ms: list[float]
    most_mib: float
    refused: int


def main(arguments: list[str]) -> int:
    """Print the machine, the memory of the workers before, meanwhile and after, and the answers."""
    options = _options(arguments)
    if options.url:
        uvloop.run(_hold_all(options.url, options.connections))
        return 0
    print(json.dumps(machine(), ensure_ascii=False))
    with tempfile.TemporaryDirectory(prefix="tanqiao-bench-") as scratch:
        home = Path(scratch) / "home"
        os.environ |= {"TANQIAO_STATE": scratch, "TANQIAO_CONNECTIONS_MAX": str(2 * options.connections)}
        subprocess.run([TANQIAO, "init", "--home", home], check=True, stdout=subprocess.DEVNULL)
        with served(home, workers=options.workers) as running:
            _measure(running, connections=options.connections)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.held", description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000, help="slow senders (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="workers of the service (%(default)s)")
    parser.add_argument("--url", default="", help="be the slow senders of this service, and nothing else")
    return parser.parse_args(arguments)


def _measure(running: Served, *, connections: int) -> None:
    before = _memory_mib(running)
    command = [
        sys.executable,
        "-m",
        "benchmarks.held",
        "--url",
        running.url,
        "--connections",
        str(connections),
    ]
    with subprocess.Popen(command) as senders:
        asked = _asked(running, senders)
    print(
        f"workers before {before:.0f} MiB, at most {asked.most_mib:.0f} MiB,"
        f" after {_memory_mib(running):.0f} MiB"
    )
    p50, p99 = (percentile(asked.ms, part) for part in (50, 99))
    print(
        f"health meanwhile, {len(asked.ms)} times: p50 {p50:.1f} ms, p99 {p99:.1f} ms;"
        f" {asked.refused} times 503"
    )


def _asked(running: Served, senders: "subprocess.Popen[bytes]") -> _Asked:
    """Ask how the service is until the senders have ended."""
    ms, most, refused = [], 0.0, 0
    with httpx.Client(base_url=running.url, timeout=60) as client:
        while senders.poll() is None:
            started = time.perf_counter()
            answer = client.get("/v1/health")
            refused += (
                answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            )  # as many requests as may be at once
            ms.append((time.perf_counter() - started) * 1000)
            most = max(most, _memory_mib(running))
            time.sleep(0.1)
    return _Asked(ms, most, refused)


def _memory_mib(running: Served) -> float:
    """Return the resident memory of the workers, which the service starts last."""
    pages = 0
    for worker in running.children()[-running.workers :]:
        pages += int(Path(f"/proc/{worker}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


async def _hold_all(url: str, connections: int) -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(connections + SPARE_DESCRIPTORS, most), most))
    host, _, port = url.removeprefix("http://").partition(":")
    door, answers = asyncio.Semaphore(AT_ONCE), Counter[str]()
    started = time.perf_counter()
    held = [
        _hold(host, int(port), begun=(HEAD, CONTENT)[number % 2], door=door) for number in range(connections)
    ]
    answers.update(await asyncio.gather(*held))
    told = ", ".join(f"{answer} {times:,}" for answer, times in sorted(answers.items()))
    print(f"{connections:,} slow senders were let go within {time.perf_counter() - started:.0f} s: {told}")


async def _hold(host: str, port: int, *, begun: bytes, door: asyncio.Semaphore) -> str:
    """Send a byte a second until there is an answer; returns its status, or that there was none."""
    async with door:
        reader, writer = await asyncio.open_connection(host, port)
    answer = asyncio.create_task(reader.read(65536))
    try:
        writer.write(begun)
        while not answer.done():
            await asyncio.wait([answer], timeout=1)
            if not answer.done() and not writer.is_closing():
                writer.write(b"x")
        return (await answer)[9:12].decode() or "closed"
    except OSError:
        return "cut off"
    finally:
        writer.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
