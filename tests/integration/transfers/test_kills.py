"""Kill each process of a transfer before and after each of its writes and sends: all ends tell one story.

The processes: the worker that takes a transfer up (`begin`), the one that carries it out (`carry`), and the
cities of both ends. Each is killed at points of a transfer that is committed, and of one that the destination
refuses. ``TANQIAO_KILLS`` says at how many points of each, spread evenly, or ``all``.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import httpx
import pytest

from gateway.model.canonical import Json
from gateway.model.strict import read_strict_object
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id
from tests.fakes.ends import require_same_ends
from tests.fakes.serving import kill_session

pytestmark = pytest.mark.xdist_group("transfers")
KILLS: Final = os.environ.get("TANQIAO_KILLS", "1")
PROCESSES: Final = ("begin", "carry", SOURCE, DESTINATION)
DEAD: Final = (0, -signal.SIGKILL)


class Forge:
    """The processes around a home, each of which can be told at which point to die."""

    def __init__(self, between: Between) -> None:
        self.between = between
        self.folder = between.home.parent
        with (self.folder / "forge.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.transfers.forge"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._cities: dict[str, int] = {}
        self._most: dict[str, int] = {}

    def spawn(self, work: str, *, point: int = 0, **facts: Json) -> int:
        name = str(facts.get("name", work))
        out, log = self.folder / f"{name}.passed", self.folder / "forge.log"
        out.unlink(missing_ok=True)
        paths = {"home": str(self.between.home), "out": str(out), "log": str(log)}
        return int(self._asked({"work": work, "point": point, **paths, **facts}))

    def wait(self, child: int, *, seconds: float = 120) -> int | None:
        """Return how a process ended, None if it runs."""
        code: int | None = self._asked({"wait": child, "seconds": seconds})
        return code

    def passed(self, name: str) -> int:
        """Return how many points a process has passed at most."""
        file = self.folder / f"{name}.passed"
        passed = int(file.read_text()) if file.exists() else 0
        self._most[name] = max(passed, self._most.get(name, 0))
        return self._most[name]

    def city(self, name: str, *, point: int = 0) -> None:
        """Serve a city anew, and wait until it answers."""
        self.end_city(name)
        city = self.between.cities[name]
        port = int(city.url.rpartition(":")[2])
        facts: dict[str, Json] = {"folder": str(city.folder), "trust": str(self.between.home / "trust")}
        self._cities[name] = self.spawn("city", point=point, name=name, port=port, **facts)
        for _ in range(1200):
            try:
                httpx.get(city.url + "/v1/health")
            except httpx.TransportError:
                assert self.wait(self._cities[name], seconds=0) is None, "the city does not start"
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the city does not answer")

    def end_city(self, name: str) -> None:
        child = self._cities.pop(name, None)
        if child is not None:
            os.kill(child, signal.SIGKILL)
            self.wait(child)

    def dead(self, name: str) -> bool:
        code = self.wait(self._cities[name], seconds=0)
        if code is None:
            return False
        assert code == -signal.SIGKILL, (self.folder / "forge.log").read_text()[-2000:]
        del self._cities[name]
        return True

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        kill_session(self._process)

    def _asked(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with (
        pytest.MonkeyPatch.context() as patch,
        between_cities(tmp_path_factory.mktemp("kills"), patch) as made,
    ):
        one = Forge(made)
        try:
            for name, city in made.cities.items():
                kill_session(city.process)
                one.city(name)
            yield one
        finally:
            one.close()


@contextmanager
def refusing(between: Between, *, is_refusing: bool) -> Iterator[None]:
    """Have the destination refuse credits meanwhile."""
    suspend = "UPDATE residents SET suspended = ? WHERE account = ?"
    with closing(sqlite3.connect(between.cities[DESTINATION].folder / "city.db", timeout=30)) as db:
        with db:
            db.execute(suspend, (is_refusing, f"{DESTINATION}-00001"))
        yield
        with db:
            db.execute(suspend, (False, f"{DESTINATION}-00001"))


def moved(forge: Forge, victim: str, *, point: int) -> str:
    """Move points while one of the processes dies at a point; each is started again when it is dead."""
    between, name = forge.between, transfer_id()
    made = between.quote(3)
    body: dict[str, Json] = {
        "id": name,
        "quote": read_strict_object(made.envelope),
        "source_account": f"{SOURCE}-00001",
        "destination_account": f"{DESTINATION}-00001",
    }
    answers = [begun(forge, body, point=point if victim == "begin" else 0) for _ in range(2)]
    if victim in between.cities:
        forge.city(victim, point=point)
    carrying = forge.spawn("carry", point=point if victim == "carry" else 0)
    while (code := forge.wait(carrying, seconds=0.1)) != 0:
        assert code in (None, *DEAD), (forge.folder / "forge.log").read_text()[-2000:]
        if code is not None:
            carrying = forge.spawn("carry")
        for city in between.cities:
            if forge.dead(city):
                forge.city(city)

    assert begun(forge, body) in answers
    assert answers[1] == begun(forge, body)
    ends = require_same_ends(between.home, list(between.cities.values()))
    return ends.rows[name].transfer.state.value


def begun(forge: Forge, body: dict[str, Json], *, point: int = 0) -> bytes:
    """Take a transfer up until there is an answer, and return it."""
    file = forge.folder / "answer"
    files: list[Json] = [str(forge.folder / f"{city}.yaml") for city in forge.between.cities]
    while True:
        code = forge.wait(forge.spawn("begin", point=point, body=body, mappings=files, answer=str(file)))
        assert code in DEAD, (forge.folder / "forge.log").read_text()[-2000:]
        if code == 0:
            forge.passed("begin")
            return file.read_bytes()
        point = 0


def chosen(points: int) -> list[int]:
    """Return the points at which to kill."""
    kills = points if KILLS == "all" else min(int(KILLS), points)
    return sorted({points - points * one // kills for one in range(kills)})


def test_a_kill_at_any_write_or_send_of_any_process_leaves_one_end(forge: Forge) -> None:
    counted = dict.fromkeys(PROCESSES, 0)
    ended = {True: set[str](), False: set[str]()}
    for is_refusing in (False, True):
        with refusing(forge.between, is_refusing=is_refusing):
            for name in forge.between.cities:
                forge.city(name)
            ended[is_refusing].add(moved(forge, "", point=0))
            passed = {name: forge.passed(name) for name in PROCESSES}
            for victim in PROCESSES[is_refusing:]:  # a transfer is taken up before it is refused
                for point in chosen(passed[victim]):
                    ended[is_refusing].add(moved(forge, victim, point=point))
                    counted[victim] += 1
    print("killed", counted, "ended", ended)  # noqa: T201 - the count is to be seen with -s

    assert all(counted.values())
    assert ended[False] <= {"COMPLETED", "ABORTED", "REJECTED"}
    assert ended[True] <= {"ABORTED", "REJECTED"}
