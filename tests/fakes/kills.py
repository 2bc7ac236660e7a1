"""A served home between two cities whose processes die at chosen points and are started again."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gateway.app.base.home import open_home
from gateway.app.log.decision_log import decision_receipt, verify_decision
from gateway.app.sandbox.city import look_at, tell_city
from gateway.app.serving.platforms import speak
from gateway.app.transfers.corridor_files import MANIFEST
from gateway.client import GatewayClient, RequestFailed
from gateway.errors import Refused, Unreachable
from gateway.ledger import Limit, Pair
from gateway.model.canonical import Json, canonical_bytes
from gateway.service.access.onboarding import SignAgain
from gateway.store.files.keys import FileSigner
from gateway.store.ledger.books import SqlLedger, SqlLedgerReader
from gateway.store.ledger.decision_log import SqlDecisionLog
from tests.fakes.cities import SandboxCity
from tests.fakes.corridors import DESTINATION, SOURCE, Between, transfer_id
from tests.fakes.servers import free_port
from tests.fakes.serving import kill_session

__all__ = [
    "ANSWER",
    "API",
    "CARRY",
    "DIALECTS",
    "EXPORT",
    "IMPORT",
    "LOG",
    "SCENARIOS",
    "Forge",
    "Line",
    "Scenario",
    "forged",
    "require_logged",
]

API, CARRY, LOG = "api", "carry", "log"
EXPORT, ANSWER, IMPORT = "export", "answer", "import"
SERVED: Final = (API, SOURCE, DESTINATION)
ENDING: Final = (CARRY, LOG, EXPORT, ANSWER, IMPORT)
STILL_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 300.0
LONG_SECONDS: Final = 600  # a slow machine must not decide how a transfer ends
AMPLE_MG: Final = 10**9
Wish = dict[str, Any]
Line = dict[str, Json]


class Forge:
    """The processes around a home: the interface, both cities, what carries transfers and logs decisions."""

    def __init__(self, between: Between) -> None:
        self.between = between
        self.folder = between.home.parent
        self.points = self.folder / "points"
        self.points.mkdir()
        self.deaths: Counter[str] = Counter()
        with (self.folder / "forge.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.transfers.forge"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._children: dict[str, int] = {}
        self._spoken = dict.fromkeys(between.cities, "json")
        ports = {name: int(city.url.rpartition(":")[2]) for name, city in between.cities.items()}
        self._ports = {API: free_port(), **ports}
        signer = FileSigner(between.cities[SOURCE].folder / "http.key", "http")
        url = f"http://127.0.0.1:{self._ports[API]}"
        self.client = GatewayClient(url=url, signer=signer, pause=self._mended)

    def start(self) -> None:
        """Serve all that is served, each on a socket that outlives it."""
        self.arm("", "")
        for name in SERVED:
            self._asked({"listen": name, "port": self._ports[name]})
            self._serve(name)

    def speak(self, spoken: Mapping[str, str]) -> None:
        """Speak a dialect with some cities and common JSON with the others, which know of it."""
        for name, city in self.between.cities.items():
            dialect = spoken.get(name, "json")
            if dialect == self._spoken[name]:
                continue
            self._spoken[name] = dialect
            speak(self.between.home, city.platform, dialect=dialect)
            url = f"http://127.0.0.1:{self._ports[API]}"
            tell_city(city.folder, "POST", what="gateway", body={"url": url})
            os.kill(self._children[name], signal.SIGKILL)
            self._ended(name, seconds=10)
            self._serve(name)
            self._state(city)

    def _state(self, city: SandboxCity) -> dict[str, Any]:
        """Return what a city says of itself, as soon as it answers to the token it has written down."""
        while True:
            try:
                found = look_at(city.folder, "state")
            except (Refused, Unreachable):
                self.mend()
                time.sleep(0.02)
            else:
                assert isinstance(found, dict)
                return found

    def arm(self, victim: str, point: str) -> None:
        """Forget which points were passed, and have one process die at a point."""
        for name in (*SERVED, *ENDING):
            (self.points / f"{name}.passed").write_text("")
            (self.points / f"{name}.armed").write_text(point if name == victim else "")

    def unsettle(self) -> None:
        """Have the books not know how much may be owed now: the next transfer has them told anew."""
        pair = Pair(*self.between.corridor())
        with open_home(self.between.home) as opened, SqlLedger(opened.database) as ledger:
            ledger.limit(Limit(pair, AMPLE_MG, AMPLE_MG, False))

    def passed(self, name: str) -> list[str]:
        """Return which points a process has passed since the last arming, as soon as it stands still."""
        self.settle(name, deaths=self.deaths[name])
        return self._passed(name)

    def settle(self, name: str, *, deaths: int) -> None:
        """Wait until a process has died once more, and serves again, or has nothing more to do."""
        ends = time.monotonic() + STILL_SECONDS
        while self.deaths[name] == deaths and not self._stands_still(name) and time.monotonic() < ends:
            time.sleep(0.01)
            self.mend()

    def _stands_still(self, name: str) -> bool:
        passed, armed = self._passed(name), (self.points / f"{name}.armed").read_text()
        places = Counter(point.rpartition(" ")[0].rpartition(": ")[2] for point in passed)
        return armed not in passed and places["arrived"] == places["after answer"]

    def _passed(self, name: str) -> list[str]:
        return (self.points / f"{name}.passed").read_text().splitlines()

    def ask(self, target: str, document: dict[str, Json], *, key: str) -> bytes:
        """Ask the interface until there is an answer, and return it."""
        headers = {"content-type": "application/json", "idempotency-key": key}
        content = canonical_bytes(document)
        while True:
            try:
                return self.client.request("POST", target, content=content, headers=headers).content
            except RequestFailed as refused:
                if refused.problem["code"] != SignAgain.code:  # a Redis that was too slow is left
                    raise

    def mend(self) -> bool:
        """Start again what has died; tells whether anything had."""
        dead = [name for name in SERVED if self._ended(name, seconds=0) is not None]
        for name in dead:
            self._serve(name)
        return bool(dead)

    def run(self, name: str, *, meanwhile: Callable[[], object] = bool, **facts: Json) -> None:
        """Have work done that ends by itself, again until it has ended well."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            self._spawn(name, work=name, **facts)
            while (code := self._ended(name, seconds=0.05)) is None:
                assert time.monotonic() < ends, f"{name} does not come to an end"
                self.mend()
                meanwhile()
            if code == 0:
                return

    def carry(self, *, lease: int, late: str = "") -> None:
        """Carry out all that waits.

        Args:
            lease: so long the first process keeps what it has taken.
            late: a transfer whose destination is asleep until its time is over and that is decided.
        """
        facts: dict[str, Any] = {"lease": lease, "credit_seconds": 1 if late else LONG_SECONDS}
        asleep = [self._children[DESTINATION]] if late else []
        for child in asleep:
            os.kill(child, signal.SIGSTOP)
        with open_home(self.between.home) as opened:
            reader = SqlLedgerReader(opened.database)

            def wake() -> None:
                if asleep and reader.decision(late) is not None:
                    os.kill(asleep.pop(), signal.SIGCONT)

            self.run(CARRY, meanwhile=wake, **facts)
        by_hand = [city.platform for city in self._speaking("file")]
        while self.between.waiting(without=by_hand):  # one was answered once more when it had ended
            self.run(CARRY, **facts)

    def exchange(self) -> None:
        """Carry what cities have to do there, and what they did back, all files that are whole."""
        out, back = self.folder / "out", self.folder / "back"
        for city in self._speaking("file"):
            self.run(EXPORT, platform=city.platform, folder=str(out))
            for file in _whole(out):
                self.run(ANSWER, folder=str(city.folder), file=str(file), out=str(back))
            for file in _whole(back):
                self.run(IMPORT, file=str(file))
            for left in (*out.glob("*"), *back.glob("*")):
                left.unlink()

    def quieten(self, *, lease: int) -> None:
        """Carry out what waits, by requests and by files, until nobody has anything to say any more."""
        while self._is_called_back() or self.between.waiting():
            self.exchange()
            self.carry(lease=lease)

    def _is_called_back(self) -> bool:
        """Tell whether cities have still to call back: what has been said may be said again."""
        return any(self._state(city)["calling_back"] for city in self._speaking("callback"))

    def _speaking(self, way: str) -> list[SandboxCity]:
        return [self.between.cities[name] for name, spoken in self._spoken.items() if spoken == way]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.client.http.close()
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        kill_session(self._process)

    def _serve(self, name: str) -> None:
        if name == API:
            self._spawn(name, work="api")
            return
        city = self.between.cities[name]
        facts: dict[str, Json] = {"folder": str(city.folder), "trust": str(self.between.home / "trust")}
        faults: list[Json] = ["callback"] if self._spoken[name] == "callback" else []
        self._spawn(name, work="city", port=self._ports[name], faults=faults, **facts)

    def _spawn(self, name: str, **facts: Json) -> None:
        paths = {
            "home": str(self.between.home),
            "points": str(self.points),
            "output": str(self.folder / "forge.log"),
        }
        mappings: list[Json] = [str(path) for path in self.between.mappings]
        self._children[name] = self._asked({"name": name, "mappings": mappings, **paths, **facts})

    def _ended(self, name: str, *, seconds: float) -> int | None:
        """Return how a process ended; None: it runs."""
        code: int | None = self._asked({"wait": self._children[name], "seconds": seconds})
        if code is not None:
            assert code in (0, -signal.SIGKILL), (name, self.written())
            self.deaths[name] += code != 0
        return code

    def written(self) -> str:
        return (self.folder / "forge.log").read_text()[-2000:]

    def _mended(self, _seconds: float) -> None:
        """Have the interface, which does not answer, started again."""
        ends = time.monotonic() + STILL_SECONDS
        while not self.mend() and time.monotonic() < ends:
            time.sleep(0.02)

    def _asked(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _whole(folder: Path) -> list[Path]:
    """Return the files of a folder whose manifests are there: without it a file is none."""
    return [file for file in sorted(folder.glob("*.csv")) if file.with_name(file.name + MANIFEST).exists()]


class Scenario(NamedTuple):
    """What is moved, by one request, and how each line ends, whoever is killed on the way.

    ``spoken``: the dialects of cities with which common JSON is not spoken.
    """

    name: str
    lines: Callable[[Forge], list[Line]]
    ends: Sequence[str]
    target: str = "/v1/transfers"
    late: bool = False
    victims: Sequence[str] = (API, CARRY, SOURCE, DESTINATION)
    spoken: Mapping[str, str] = MappingProxyType({})

    def sent(self, forge: Forge, lines: Sequence[Line]) -> bytes:
        """Send all of it until there is an answer, and return that."""
        document: Line = lines[0] if self.target == "/v1/transfers" else {"items": list[Json](lines)}
        return forge.ask(self.target, document, key=str(lines[0]["id"]))


def line(quote: Json, *, source: int = 1, destination: int = 1) -> Line:
    return {
        "id": transfer_id(),
        "quote": quote,
        "source_account": f"{SOURCE}-{source:05d}",
        "destination_account": f"{DESTINATION}-{destination:05d}",
    }


def quotes(forge: Forge, wishes: Sequence[Mapping[str, Any]]) -> list[Json]:
    to = forge.between.corridor().destination
    items: list[Json] = [{"destination": to, "points": "3", **wish} for wish in wishes]
    answer = json.loads(forge.ask("/v1/quotes:batch", {"items": items}, key="quotes"))
    return [outcome["document"]["quote"] for outcome in answer["outcomes"]]


def alone(forge: Forge, *, person: int) -> list[Line]:
    (quote,) = quotes(forge, [{"account": f"{SOURCE}-{person:05d}"}])
    return [line(quote, source=person, destination=person)]


def several(forge: Forge) -> list[Line]:
    """Two that come about and four that are refused: by check, by the books, by either city."""
    mine = {"account": f"{SOURCE}-00001"}
    (all_left,) = quotes(forge, [mine | {"points": "100000"}])
    assert isinstance(all_left, dict)
    body: Any = all_left["body"]
    records = list(dict.fromkeys(str(lot["record"]) for lot in body["lots"]))[:2]
    one, two = quotes(forge, [mine | {"records": [record]} for record in records])
    no_credit, no_hold = quotes(forge, [{"account": f"{SOURCE}-{person:05d}"} for person in (2, 3)])
    return [
        line(one),
        line(one),
        line(two),
        line(two, destination=2),
        line(no_credit, source=2, destination=2),
        line(no_hold, source=3, destination=3),
    ]


SCENARIOS: Final = (
    Scenario(
        "committed",
        partial(alone, person=1),
        ["committed"],
        victims=(API, CARRY, SOURCE, DESTINATION, LOG),
    ),
    Scenario("refused", partial(alone, person=2), ["aborted"], victims=(CARRY, SOURCE, DESTINATION)),
    Scenario(
        "late",
        partial(alone, person=1),
        ["aborted"],
        late=True,
        victims=(CARRY, SOURCE, DESTINATION),
    ),
    Scenario(
        "batch",
        several,
        ["committed", "aborted", "committed", "aborted", "aborted", "aborted"],
        "/v1/transfers:batch",
    ),
)


def _each_end(forge: Forge) -> list[Line]:
    """One that comes about, and one that is refused by each city."""
    people = (1, 2, 3)
    made = quotes(forge, [{"account": f"{SOURCE}-{person:05d}"} for person in people])
    return [line(quote, source=one, destination=one) for quote, one in zip(made, people, strict=True)]


def _spoken(way: str, city: str, *, victims: Sequence[str]) -> Scenario:
    return Scenario(
        f"{way} at {city}",
        _each_end,
        ["committed", "aborted", "aborted"],
        "/v1/transfers:batch",
        victims=(*victims, city),
        spoken={city: way},
    )


DIALECTS: Final = (
    _spoken("callback", SOURCE, victims=(API, CARRY)),
    _spoken("callback", DESTINATION, victims=(API, CARRY)),
    _spoken("file", SOURCE, victims=(CARRY, EXPORT, ANSWER, IMPORT)),
    _spoken("file", DESTINATION, victims=(CARRY, EXPORT, ANSWER, IMPORT)),
)


@contextmanager
def forged(between: Between) -> Iterator[Forge]:
    """Serve a home and its cities by processes that can be killed; persons 2 and 3 are refused by a city."""
    forge = Forge(between)
    try:
        for name, person in ((DESTINATION, 2), (SOURCE, 3)):
            city = between.cities[name]
            kill_session(city.process)
            with closing(sqlite3.connect(city.folder / "city.db", timeout=30)) as db, db:
                suspend = "UPDATE residents SET suspended = 1 WHERE account = ?"
                assert db.execute(suspend, (f"{name}-{person:05d}",)).rowcount == 1
        forge.start()
        yield forge
    finally:
        forge.close()


def require_logged(forge: Forge) -> None:
    """Check that each decision stands in the log once, in order, and that the newest one can be proved."""
    home = forge.between.home
    with open_home(home) as opened:
        decisions = SqlLedgerReader(opened.database).decisions(after=0, limit=1 << 20)
        batches = list(SqlDecisionLog(opened.database).all())
    assert [one.sequence for one in batches] == list(range(len(batches)))
    left = iter(decisions)
    for batch in batches:
        last = [next(left) for _ in range(batch.size)][-1]
        assert batch.through == last.number
    assert next(left, None) is None
    receipt = forge.folder / "receipt.json"
    receipt.write_bytes(decision_receipt(home, decisions[-1].transfer))
    assert verify_decision(receipt, home / "trust")["transfer"] == decisions[-1].transfer
