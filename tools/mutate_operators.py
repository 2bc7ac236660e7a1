"""Change one operator of the source at a time and see whether a test notices: run by hand.

    .venv/bin/python -m tools.mutate_operators --files gateway/convert/caps.py
    .venv/bin/python -m tools.mutate_operators --sample 100 --seed 7

The working tree is copied first and only the copies are changed. Each change is tried on the tests
that concern its file; with --wide, what survives these on all tests around it. A state file
remembers what has been tried: a run that was stopped goes on where it was, a changed file starts anew.
docs/reference/mutation.md lists the operators and what the last run found.
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import cache_from_source
from itertools import repeat
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Literal, cast

import pytest

from tools.mutate_in_place import InPlace
from tools.mutate_near import NEAR, wide_tests
from tools.mutate_source import Mutant, mutants

Scope = Literal["near", "wide"]
Tried = dict[str, dict[str, str]]  # by file and digest, then by mutant

CANDIDATE: Final = "survived in place"
NOTICED: Final = 9  # an exit code that no process has which failed to start
ROOT: Final = Path(__file__).resolve().parents[1]
TIMEOUT_SECONDS: Final[dict[Scope, int]] = {"near": 60, "wide": 400}  # of CPU time
LONGEST_IN_PLACE_SECONDS: Final = 1.0  # while it is watched; sweeps wait for what survives the rest
WALL_PER_CPU: Final = 20  # for tests that wait for what never comes
NOT_COPIED: Final = shutil.ignore_patterns(".*", "__pycache__", "dist", "build")
PYTEST: Final = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
PRELOADED: Final = [
    "pytest",
    "numpy",
    "yaml",
    "jsonschema",
    "orjson",
    "msgspec",
    "cryptography.hazmat.backends",
]


def enter(folder: Path) -> None:
    """Make a copy of the tree the place from which this process imports."""
    os.setsid()
    os.nice(10)
    os.chdir(folder)
    sys.dont_write_bytecode = False  # what is not mutated is compiled once
    os.environ["PYTHONPATH"] = str(folder)  # for the processes that tests start
    sink = os.open(folder / ".output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    sys.path[:] = [str(folder), *(entry for entry in sys.path if entry not in {"", str(ROOT)})]


def run_tests(folder: Path, tests: tuple[str, ...], *, seconds: int) -> None:
    """Run tests in a copy of the tree, in a process of its own; its exit code says whether they noticed."""
    enter(folder)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    os._exit(NOTICED if pytest.main([*PYTEST, *dict.fromkeys(tests)]) else 0)


def run_in_place(folder: Path, todo: list[Mutant], *, processes: int, results: Connection) -> None:
    """Collect the tests near some mutants in a copy of the tree and try them there."""
    enter(folder)
    tests = NEAR[todo[0].path]
    plugin = InPlace(
        folder,
        todo,
        note=lambda mutant, fate: results.send((mutant.path, mutant.name, fate)),
        processes=processes,
        longest=LONGEST_IN_PLACE_SECONDS,
    )
    os._exit(pytest.main([*PYTEST, *dict.fromkeys(tests)], plugins=[plugin]))


class Copies:
    """Copies of the working tree, each lent to one mutant at a time."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.processes = processes
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._first = folder / "0"
        for number in range(processes):
            shutil.copytree(ROOT, folder / str(number), ignore=NOT_COPIED)
            self._free.put(folder / str(number))

    def text(self, path: str) -> str:
        """Read a file as it was copied; the working tree may have gone on since."""
        return (self._first / path).read_text(encoding="utf-8")

    def fate(self, mutant: Mutant, scope: Scope) -> str:
        """Say what became of a mutant: killed, survived or timed out."""
        tests, seconds = (
            (NEAR[mutant.path] if scope == "near" else wide_tests(mutant.path)),
            TIMEOUT_SECONDS[scope],
        )
        copy = self._free.get()
        file = copy / mutant.path
        before = file.read_bytes()
        try:
            file.write_text(mutant.source, encoding="utf-8")
            Path(cache_from_source(str(file))).unlink(missing_ok=True)
            return self._run(copy, tests, seconds=seconds)
        finally:
            file.write_bytes(before)
            Path(cache_from_source(str(file))).unlink(missing_ok=True)
            self._free.put(copy)

    def in_place(self, todo: list[Mutant], note: Callable[[Mutant, str], None]) -> None:
        """Try mutants that share their near tests, in forks of one process that has collected these."""
        reader, writer = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=run_in_place,
            args=(self._first, todo),
            kwargs={"processes": self.processes, "results": writer},
        )
        process.start()
        writer.close()
        by_name = {(mutant.path, mutant.name): mutant for mutant in todo}
        with contextlib.suppress(EOFError):
            while True:
                path, name, fate = reader.recv()
                note(by_name[path, name], fate)
        process.join()
        if process.exitcode:
            raise SystemExit(f"{todo[0].path}: its tests fail without any change")

    def _run(self, copy: Path, tests: tuple[str, ...], *, seconds: int) -> str:
        process = self._context.Process(target=run_tests, args=(copy, tests), kwargs={"seconds": seconds})
        process.start()
        process.join(seconds * WALL_PER_CPU)
        if process.is_alive():
            os.killpg(cast(int, process.pid), signal.SIGKILL)
            process.join()
        code = process.exitcode or 0
        if code > 0 and code != NOTICED:
            raise SystemExit(f"{copy}: the tests could not be started, exit code {code}")
        return "timed out" if code < 0 else "killed" if code else "survived"


def try_files(paths: list[str], copies: Copies, *, tried: Tried, options: argparse.Namespace) -> None:
    """Try the mutants of some files: in place, then what survives from a fresh start, near and wide."""
    texts = {path: copies.text(path) for path in paths}
    fates = {
        path: tried.setdefault(f"{path} {hashlib.sha256(text.encode()).hexdigest()}", {})
        for path, text in texts.items()
    }

    def note(mutant: Mutant, fate: str) -> None:
        fates[mutant.path][mutant.name] = fate
        options.state.write_text(json.dumps(tried, indent=1))

    chosen = {path: _chosen(path, text, options=options) for path, text in texts.items()}
    pending = {None, *(["survived", CANDIDATE] if options.again else [])}
    groups: defaultdict[tuple[str, ...], list[Mutant]] = defaultdict(list)
    for path, all_of_file in chosen.items():
        todo = [mutant for mutant in all_of_file if fates[path].get(mutant.name) in pending]
        groups[NEAR[path]].extend(todo)
    for todo in filter(None, groups.values()):
        copies.in_place(todo, lambda m, fate: note(m, CANDIDATE if fate == "survived" else fate))
    rounds: list[tuple[Scope, str]] = [("near", CANDIDATE)]
    if options.wide:
        rounds.append(("wide", "survived"))
    for scope, wanted in rounds:
        todo = [m for path in paths for m in chosen[path] if fates[path].get(m.name) == wanted]
        with ThreadPoolExecutor(copies.processes) as pool:
            for mutant, fate in zip(todo, pool.map(copies.fate, todo, repeat(scope)), strict=True):
                note(mutant, fate)
    for path in paths:
        _report(path, chosen[path], fates=fates[path])


def _chosen(path: str, text: str, *, options: argparse.Namespace) -> list[Mutant]:
    found = list(mutants(path, text))
    if options.sample and options.sample < len(found):
        return random.Random(options.seed).sample(found, options.sample)  # noqa: S311
    return found


def _report(path: str, chosen: list[Mutant], *, fates: dict[str, str]) -> None:
    counts = Counter(fates.get(mutant.name, "untried") for mutant in chosen)
    print(f"{path}: {len(chosen)} mutants, " + ", ".join(f"{n} {fate}" for fate, n in sorted(counts.items())))
    for mutant in chosen:
        if fates.get(mutant.name) != "killed":
            print(f"  {fates.get(mutant.name)}: {path}:{mutant.name}", flush=True)


def main() -> None:
    """Try the mutants that the command line asks for and print what became of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", nargs="+", default=list(NEAR), choices=list(NEAR), metavar="FILE")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="try at most N mutants of a file")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    parser.add_argument("--wide", action="store_true", help="try survivors on all tests around the file")
    parser.add_argument("--again", action="store_true", help="try survivors of an earlier run again")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="this many at once (default 2)")
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "tanqiao-mutation.json")
    options = parser.parse_args()
    os.environ.setdefault("TANQIAO_AGREEMENT_PAIRS", "2000")
    os.environ.setdefault("TANQIAO_TEST_DATA", str(ROOT.parent / "shared"))
    with tempfile.TemporaryDirectory(prefix="tanqiao-mutation-") as folder:
        copies = Copies(Path(folder), options.processes)
        tried: Tried = json.loads(options.state.read_text()) if options.state.exists() else {}
        try_files(options.files, copies, tried=tried, options=options)


if __name__ == "__main__":
    main()
