"""Try mutants without starting anew for each: the tests are collected once, every mutant is a fork.

In the fork the code of the mutated functions is put into the functions that everybody has imported,
and only those tests run that call the function. What a module computes while it is imported stays as
it was; therefore a survivor here is only a candidate, and is tried once more from a fresh start.
"""

import ast
import contextlib
import math
import os
import re
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Final, Protocol

import pytest

__all__ = ["InPlace", "apply_source"]

CPU_SECONDS_MIN: Final = 2  # how long a test may take at least, and
CPU_FACTOR: Final = 5  # how many times as long as it took while it was watched: else it never ends
MEMORY_BYTES_MAX: Final = 3 << 30
KILLED: Final = 1
Place = tuple[str, int]


class Mutated(Protocol):
    """A file with one operator changed."""

    @property
    def path(self) -> str:
        """The file below the root."""
        ...

    @property
    def name(self) -> str:
        """The change; begins with its line."""
        ...

    @property
    def source(self) -> str:
        """The changed text."""
        ...


class InPlace:
    """A pytest plugin that runs the collected tests once for each mutant that matters to them."""

    def __init__(
        self,
        folder: Path,
        mutants: Sequence[Mutated],
        *,
        note: Callable[[Mutated, str], None],
        processes: int,
        longest: float,
    ) -> None:
        """Take what is to be tried; ``longest``: tests that take more seconds are left to the fresh start."""
        self._folder = folder
        self._longest = longest
        self._mutants = mutants
        self._note = note
        self._processes = processes
        self._seconds: dict[str, float] = {}
        self._callers: defaultdict[Place, set[str]] = defaultdict(set)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests once as they are, then once for each mutant."""
        session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # one for all forks
        self._observe(session)
        running: dict[int, Mutated] = {}
        for mutant in self._mutants:
            if len(running) == self._processes:
                self._reap(running)
            running[self._fork(session, mutant)] = mutant
        while running:
            self._reap(running)
        return True

    def _observe(self, session: pytest.Session) -> None:
        """Learn in a fork how long each test takes and which functions of the tree it calls."""
        reader, writer = os.pipe()
        if not os.fork():
            with os.fdopen(writer, "w", encoding="utf-8") as out:
                for index, item in enumerate(session.items):
                    called: set[Place] = set()
                    began = time.process_time()
                    with watched(str(self._folder / "gateway"), called):
                        run_item(item)
                    if session.testsfailed:
                        print("failed", item.nodeid, file=out)
                        break
                    places = " ".join(f"{path}:{line}" for path, line in called)
                    print(index, time.process_time() - began, places, file=out)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as lines:
            for line in lines:
                number, taken, *called_there = line.split()
                if number == "failed":
                    raise SystemExit(f"{line.strip()} without any change")
                node = session.items[int(number)].nodeid
                self._seconds[node] = float(taken)
                for path, at in (place.rsplit(":", 1) for place in called_there):
                    self._callers[os.path.relpath(path, self._folder), int(at)].add(node)
        os.wait()

    def _fork(self, session: pytest.Session, mutant: Mutated) -> int:
        child = os.fork()
        if child:
            return child
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
        try:
            apply_source(mutant.path, mutant.source)
        except Exception:  # noqa: BLE001  # whatever it is, no test would have been collected
            os._exit(KILLED)
        for item in self._concerned(session, mutant):
            spent = CPU_SECONDS_MIN + time.process_time() + CPU_FACTOR * self._seconds[item.nodeid]
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(spent), resource.RLIM_INFINITY))
            run_item(item)
            if session.testsfailed:
                os._exit(KILLED)
        os._exit(0)

    def _concerned(self, session: pytest.Session, mutant: Mutated) -> list[pytest.Item]:
        line = int(mutant.name.split(":", 1)[0])
        original = (self._folder / mutant.path).read_text(encoding="utf-8")
        span = next((span for span in outermost_functions(original) if span[0] <= line <= span[1]), None)
        items = session.items
        if span is not None:
            wanted = {
                node
                for (path, at), nodes in self._callers.items()
                if path == mutant.path and span[0] <= at <= span[1]
                for node in nodes
            }
            items = [item for item in items if item.nodeid in wanted]
        short = [item for item in items if self._seconds[item.nodeid] <= self._longest]
        words = set(Path(mutant.path).with_suffix("").parts)
        return sorted(short, key=lambda item: (not is_named_after(item, words), self._seconds[item.nodeid]))

    def _reap(self, running: dict[int, Mutated]) -> None:
        child, status = os.wait()
        mutant = running.pop(child)
        if os.WIFEXITED(status):
            self._note(mutant, "killed" if os.WEXITSTATUS(status) else "survived")
        else:
            self._note(mutant, "timed out")


def is_named_after(item: pytest.Item, words: set[str]) -> bool:
    """Tell whether a test stands in a file that is named after a file or folder of the program."""
    return item.path.stem.removeprefix("test_") in words


def run_item(item: pytest.Item) -> None:
    """Run one test with fixtures of its own."""
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


@contextlib.contextmanager
def watched(folder: str, called: set[Place]) -> Iterator[None]:
    """Note each function below a folder that is called."""

    def note(frame: FrameType, event: str, *_: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(folder):
            called.add((code.co_filename, code.co_firstlineno))

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def outermost_functions(source: str) -> list[tuple[int, int]]:
    """Return the first and the last line of each function and method, decorators included."""
    found: list[tuple[int, int]] = []

    def look(body: Sequence[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                found.append((first, node.end_lineno or node.lineno))
            elif isinstance(node, ast.ClassDef):
                look(node.body)

    look(ast.parse(source).body)
    return found


def apply_source(path: str, source: str) -> None:
    """Put the code of a changed file into the module that has been imported from it."""
    name = path.removesuffix(".py").replace("/", ".")
    module = sys.modules[name]
    fresh = ModuleType(name)
    fresh.__dict__.update({"__file__": module.__file__, "__package__": module.__package__})
    exec(compile(source, str(module.__file__), "exec"), fresh.__dict__)  # noqa: S102  # a mutant
    for member, new in list(vars(fresh).items()):
        old = vars(module).get(member)
        if is_plain(new) and is_plain(old) and not same(old, new):
            replace_everywhere(member, old, new=new)
        else:
            graft(old, new, module=name)


def is_plain(value: object) -> bool:
    """Tell whether a module's value is a constant, and no function, class or object."""
    return isinstance(value, int | str | bytes | tuple | frozenset | dict | list | re.Pattern)


def same(old: object, new: object) -> bool:
    """Compare constants; functions inside of them, which always differ, count as equal."""
    return repr(old) == repr(new) or "0x" in repr(new)


def replace_everywhere(member: str, old: object, *, new: object) -> None:
    """Set a constant in each module that has imported it under its name."""
    for module in list(sys.modules.values()):
        if vars(module).get(member) is old:
            setattr(module, member, new)


def graft(old: object, new: object, *, module: str) -> None:
    """Put new code into an old function, or into each function of an old class."""
    if getattr(new, "__module__", module) != module:
        return
    match old, new:
        case FunctionType(), FunctionType():
            graft_code(old, new)
        case type(), type():
            for member, value in list(vars(new).items()):
                graft_member(old, member, value=value, module=module)
        case (classmethod() | staticmethod(), classmethod() | staticmethod()):
            graft(old.__func__, new.__func__, module=module)
        case property(), property():
            graft(old.fget, new.fget, module=module)
        case _ if hasattr(old, "__wrapped__") and hasattr(new, "__wrapped__"):
            graft(old.__wrapped__, new.__wrapped__, module=module)


def graft_member(old: type, member: str, *, value: object, module: str) -> None:
    """Put one member of a new class into the old one."""
    before = vars(old).get(member)
    if is_plain(value) and is_plain(before) and not member.startswith("__") and not same(before, value):
        setattr(old, member, value)
    else:
        graft(before, value, module=module)


def graft_code(old: FunctionType, new: FunctionType) -> None:
    """Put new code and new defaults into an old function."""
    if len(new.__code__.co_freevars) == len(old.__code__.co_freevars):
        old.__code__ = new.__code__
    if new.__defaults__ and all(map(is_plain, new.__defaults__)):
        old.__defaults__ = new.__defaults__
    if new.__kwdefaults__ and all(map(is_plain, new.__kwdefaults__.values())):
        old.__kwdefaults__ = new.__kwdefaults__
