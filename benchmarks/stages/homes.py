"""Homes made by the command itself, for the stages that need one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Bench
from benchmarks.processes import Usage, tanqiao
from benchmarks.trips import Kind, mapping_file, trips_file

__all__ = ["Converted", "converted_home"]


class Converted(NamedTuple):
    """A home into which one file was converted, the folder of its checkpoints, and what that took."""

    home: Path
    state: Path
    usage: Usage


@contextmanager
def converted_home(bench: Bench, kind: Kind) -> Iterator[Converted]:
    """Convert the trips of one form into a new home, which is removed in the end."""
    trips = trips_file(bench.folder, bench.rows, kind=kind)
    with tempfile.TemporaryDirectory(prefix="home-", dir=bench.folder) as name:
        folder = Path(name)
        home, state = folder / "home", folder / "state"
        mapping = mapping_file(folder, kind)
        tanqiao(["init", "--home", str(home), "--profile", "test"], state)
        usage = tanqiao(["convert", "--home", str(home), "--mapping", str(mapping), str(trips)], state)
        yield Converted(home, state, usage)
