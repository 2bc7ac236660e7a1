"""Change one operator of the source at a time and see whether a test notices: run by hand.

    .venv/bin/python -m tools.mutate_operators --files gateway/convert/caps.py
    .venv/bin/python -m tools.mutate_operators --sample 100 --seed 7

The working tree is copied first and only the copies are changed. Each change is tried on the tests
that concern its file; with --wide, what survives these on all tests around it. A state file
remembers what has been tried: a run that was stopped goes on where it was, a changed file starts anew.
docs/reference/mutation.md lists the operators and what the last run found.
"""

import argparse
import ast
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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import cache_from_source
from itertools import repeat
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Final, Literal, NamedTuple, cast

import pytest

from tools.mutate_in_place import InPlace

Scope = Literal["near", "wide"]
Tried = dict[str, dict[str, str]]  # by file and digest, then by mutant

CANDIDATE: Final = "survived in place"
ROOT: Final = Path(__file__).resolve().parents[1]
PROCESSES: Final = 2
TIMEOUT_SECONDS: Final[dict[Scope, int]] = {"near": 60, "wide": 400}  # of CPU time
LONGEST_IN_PLACE_SECONDS: Final = 2.0  # while it is watched; sweeps wait for what survives the rest
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

_EVALUATORS: Final = ("tests/unit/convert_eval",)
_FRONT: Final = ("tests/unit/convert_front",)
_EMBEDDED: Final = tuple(
    f"tests/unit/convert_front/test_{name}.py" for name in ("selftest", "coverage", "grid")
)
_SERVICE: Final = ("tests/unit/service", "tests/integration/test_convert.py")
_EVALUATING: Final = (
    "rational caps scalars roles inputs instants generate ir build lower pieces interpret exact expiry"
    " guard own_acts plausible limit_text"
)
_READING: Final = (
    "units bounds checking/fineness checking/units checking/bounds checking/tests reading/formula"
    " reading/source reading/fields reading/figures reading/credit reading/node expression yaml_text"
    " document limit_rules reading/plausibility"
)
_SIGNING: Final = "commitment envelope keyed keys"
_TRANSPARENCY: Final = "checkpoint cosignature keys merkle note policy proof text tile_names tiles"
NEAR: Final[dict[str, tuple[str, ...]]] = {
    **{f"gateway/convert/{name}.py": _EVALUATORS for name in _EVALUATING.split()},
    "gateway/bulk/kernel.py": _EVALUATORS,
    "gateway/bulk/columns.py": _EVALUATORS,
    "gateway/catalog/timeline.py": ("tests/unit/catalog",),
    "gateway/service/part.py": (
        "tests/unit/service/test_part.py",
        "tests/unit/service/test_plausible_parts.py",
    ),
    **{
        f"gateway/service/{name}.py": (
            "tests/unit/service/test_plausible_parts.py",
            "tests/integration/test_plausible.py",
        )
        for name in ("comparing", "plausible", "findings")
    },
    "gateway/service/replaying.py": ("tests/unit/service/test_replaying.py",),
    "gateway/service/days.py": ("tests/unit/service/test_day_totals.py", "tests/unit/service/test_days.py"),
    **{f"gateway/convert/{name}.py": _FRONT for name in _READING.split()},
    **{f"gateway/convert/{name}.py": _EMBEDDED for name in ("selftest", "coverage", "mutate", "grid")},
    "gateway/convert/survivors.py": (*_EMBEDDED, "tests/mappings"),
    **{f"gateway/signing/{name}.py": ("tests/unit/signing",) for name in _SIGNING.split()},
    **{f"gateway/transparency/{name}.py": ("tests/unit/transparency",) for name in _TRANSPARENCY.split()},
}
_CONVERSION: Final = (
    *_EVALUATORS, *_FRONT, "tests/mappings", "tests/unit/catalog", "tests/platforms", *_SERVICE,
)  # fmt: skip
_SIGNED: Final = (
    "tests/unit/signing", "tests/unit/transparency", "tests/unit/store_log",
    "tests/integration/test_tamper.py",
)  # fmt: skip

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt,), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
}  # fmt: skip
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
}  # fmt: skip
_SWAPPED_NAMES: Final = {"min": "max", "max": "min", "floor": "ceil", "ceil": "floor"}
_DIVMOD_UP: Final = "(lambda a, b: (-(-a // b), a + b * (-a // b)))"
_UNTOUCHED: Final = {"annotation", "returns", "decorator_list", "exc"}  # types, cache sizes, messages
_CACHE_SIZES: Final = {"MEMO_ENTRIES_MAX", "CACHED_DAYS_MAX", "_CACHED_TILES_MAX"}


def wide_tests(path: str) -> tuple[str, ...]:
    """Return the tests that survivors of the near ones are tried on."""
    return _SIGNED if path.startswith(("gateway/signing/", "gateway/transparency/")) else _CONVERSION


class Slot(NamedTuple):
    """A place in a syntax tree where one expression may stand for another."""

    parent: ast.AST
    field: str
    place: int | None

    def put(self, node: ast.AST) -> None:
        """Write a node into the place."""
        if self.place is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.place] = node


class Mutant(NamedTuple):
    """A file with one operator changed."""

    path: str
    name: str
    source: str


def mutants(path: str, text: str) -> Iterator[Mutant]:
    """Yield every listed change of a file; the name is the line, the text before and the text after."""
    tree = ast.parse(text)
    seen: Counter[str] = Counter()
    for slot, node in list(_slots(tree)):
        for after in _changes(node, slot):
            slot.put(after)
            name = f"{getattr(node, 'lineno', 0)}: {_brief(node)} -> {_brief(after)}"
            seen[name] += 1
            yield Mutant(path, f"{name} #{seen[name]}" if seen[name] > 1 else name, ast.unparse(tree))
            slot.put(node)


def _brief(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]


def _slots(node: ast.AST) -> Iterator[tuple[Slot, ast.AST]]:
    """Walk the tree without docstrings, annotations, decorators, messages, ``__all__`` and cache sizes."""
    for name, value in ast.iter_fields(node):
        if name in _UNTOUCHED:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.AST) and not _is_skipped(child):
                yield Slot(node, name, index), child
                yield from _slots(child)


def _is_skipped(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(
            isinstance(t, ast.Name) and t.id in {"__all__", "__slots__", *_CACHE_SIZES} for t in targets
        )
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.keyword) and node.arg == "strict")


def _changes(node: ast.AST, slot: Slot) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            yield from _compared_otherwise(node)
        case ast.BinOp() if not _is_text(node.left) and not _is_text(node.right):
            yield from _calculated_otherwise(node)
        case ast.AugAssign(op=ast.Add() | ast.Sub()):
            yield ast.copy_location(
                ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value), node
            )
        case ast.Call(func=ast.Name(id="divmod")):
            yield ast.Call(ast.parse(_DIVMOD_UP, mode="eval").body, node.args, node.keywords)
        case ast.Name(id=name, ctx=ast.Load()) if name in _SWAPPED_NAMES:
            yield ast.Name(_SWAPPED_NAMES[name], ast.Load())
        case ast.BoolOp():
            yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool() as truth):
            yield ast.Constant(not truth)
        case ast.Constant(value=int() as number):
            yield from (ast.Constant(number + 1), ast.Constant(number - 1))
        case ast.Name(id=name) if isinstance(slot.parent, ast.Compare) and name.isupper():
            yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        case ast.If(orelse=[]) if isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue):
            yield ast.copy_location(ast.If(ast.Constant(False), node.body, []), node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _compared_otherwise(node: ast.Compare) -> Iterator[ast.AST]:
    for index, op in enumerate(node.ops):
        for other in _COMPARISONS.get(type(op), ()):
            yield ast.Compare(
                node.left, [*node.ops[:index], other(), *node.ops[index + 1 :]], node.comparators
            )


def _calculated_otherwise(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    if isinstance(node.op, ast.FloorDiv):
        negated = ast.BinOp(ast.UnaryOp(ast.USub(), node.left), ast.FloorDiv(), node.right)
        yield ast.UnaryOp(ast.USub(), negated)


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
    """Run tests in a copy of the tree, in a process of its own; its exit code is that of pytest."""
    enter(folder)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    os._exit(pytest.main([*PYTEST, *dict.fromkeys(tests)]))


def run_in_place(folder: Path, todo: list[Mutant], *, results: Connection) -> None:
    """Collect the tests near some mutants in a copy of the tree and try them there."""
    enter(folder)
    tests = NEAR[todo[0].path]
    plugin = InPlace(
        folder,
        todo,
        note=lambda mutant, fate: results.send((mutant.path, mutant.name, fate)),
        processes=PROCESSES,
        longest=LONGEST_IN_PLACE_SECONDS,
    )
    os._exit(pytest.main([*PYTEST, *dict.fromkeys(tests)], plugins=[plugin]))


class Copies:
    """Copies of the working tree, each lent to one mutant at a time."""

    def __init__(self, folder: Path) -> None:
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(PRELOADED)
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._first = folder / "0"
        for number in range(PROCESSES):
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
            target=run_in_place, args=(self._first, todo), kwargs={"results": writer}
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
        with ThreadPoolExecutor(PROCESSES) as pool:
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
    parser.add_argument("--state", type=Path, default=Path(tempfile.gettempdir()) / "tanqiao-mutation.json")
    options = parser.parse_args()
    os.environ.setdefault("TANQIAO_AGREEMENT_PAIRS", "2000")
    os.environ.setdefault("TANQIAO_TEST_DATA", str(ROOT.parent / "shared"))
    with tempfile.TemporaryDirectory(prefix="tanqiao-mutation-") as folder:
        copies = Copies(Path(folder))
        tried: Tried = json.loads(options.state.read_text()) if options.state.exists() else {}
        try_files(options.files, copies, tried=tried, options=options)


if __name__ == "__main__":
    main()
