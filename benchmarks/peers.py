"""Peers that need not be installed: without them their lines are left out, and it is said."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from benchmarks.measure import Figure

__all__ = ["connection", "peer"]


def peer(module: str, measure: Callable[[], Figure]) -> Iterator[Figure]:
    """Measure a peer if its module is installed."""
    if importlib.util.find_spec(module) is None:
        print(f"without {module}: `make bench` installs it", file=sys.stderr)
        return
    yield measure()


@contextmanager
def connection(columns: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
    """Give a DuckDB connection of one thread with the columns as its table ``trips``."""
    import duckdb

    table = pa.table(dict(columns))
    with duckdb.connect(config={"threads": 1}) as database:
        database.register("given", table)
        database.execute("CREATE TABLE trips AS SELECT * FROM given")
        yield database
