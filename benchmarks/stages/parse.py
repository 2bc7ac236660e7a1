"""Only reading JSON: the bound of everything that takes NDJSON."""

import json
from collections.abc import Iterator

import msgspec
import orjson

from benchmarks.measure import Bench, Figure, figure, measured
from benchmarks.measure import cpu_seconds as cpu
from benchmarks.trips import trips_file
from gateway.contract import strict_json

__all__ = ["measure"]


def measure(bench: Bench) -> Iterator[Figure]:
    """Compare our strict reader with readers that take two of the same key, or NaN, without a word."""
    lines = trips_file(bench.folder, bench.sample, kind="ndjson").read_bytes().splitlines()
    texts = [line.decode() for line in lines]
    ours = measured(
        "parse", "strict reader", items=len(lines), work=lambda: [strict_json(text) for text in texts]
    )
    yield ours
    decode = msgspec.json.Decoder(dict[str, str]).decode
    for what, work in (
        ("msgspec into a dictionary", lambda: [decode(line) for line in lines]),
        ("orjson", lambda: [orjson.loads(line) for line in lines]),
        ("json of the standard library", lambda: [json.loads(line) for line in lines]),
    ):
        yield figure("parse", what, role="bound", items=len(lines), cpu=cpu(work), ours=ours)
