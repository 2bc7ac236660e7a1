"""Many transfers at once between two cities of a served home, some asked for twice, and trouble on all sides.

What is asked for and which faults come is drawn from a seed; when they meet is up to the machine.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any, Final, NamedTuple

from gateway.app.base.home import open_home
from gateway.client import GatewayClient, RequestFailed
from gateway.errors import Unreachable
from gateway.ledger import ALL, Decision, Limit, Pair, Reservation, Verdict
from gateway.store.files.keys import FileSigner
from gateway.store.ledger.books import SqlLedgerReader
from tests.fakes.corridors import DESTINATION, SOURCE, Between, transfer_id
from tests.fakes.ends import Ends
from tests.fakes.serving import Served

__all__ = ["Crowd", "require_explained_points", "require_explained_positions", "require_one_answer"]

SENDERS: Final = 8
POINTS_MAX: Final = 12
FAULTS: Final = (
    "slow", "late", "deaf", "lost", "error", "absent", "broken", "duplicate", "reorder", "unsigned",
    "wrong-signature", "wrong-key", "stale", "cut", "deferred", "skewed",
)  # fmt: skip
MESSAGES: Final = ("", "holds", "credits", "decisions")
CLOCKS: Final = (-3600, -30, 30, 3600)
KINDS: Final = {"once": 10, "id twice": 3, "id twice in a batch": 2, "quote twice": 3, "id for two": 2}
AGAIN: Final = frozenset({401, 429, 502, 503, 504})
"""Answered while stores are away, or have lost what they knew: asking anew helps."""
PATIENCE: Final = 240.0


class Asked(NamedTuple):
    """What was sent, and the answer or the code of the refusal."""

    source: str
    body: dict[str, Any]
    answer: dict[str, Any] | str


class _Clients(NamedTuple):
    """The cities as callers, by two lines each: what is sent twice goes on both."""

    lines: tuple[dict[str, GatewayClient], dict[str, GatewayClient]]
    both: ThreadPoolExecutor


class Crowd:
    """People of two cities who all move points at the same time."""

    def __init__(self, between: Between, running: Served, *, seed: int, persons: int) -> None:
        self.between = between
        self.running = running
        self.asked: list[Asked] = []
        self.unquoted: Counter[str] = Counter()
        self.done = 0
        self.faults: Counter[str] = Counter()
        self.failures: list[BaseException] = []
        self._seed = seed
        self._persons = persons
        self._lock = threading.Lock()

    @contextmanager
    def moving(self, transfers: int) -> Iterator[None]:
        """Have so many transfers asked for meanwhile, and wait until all are answered."""
        numbers = iter(range(transfers))
        senders = [threading.Thread(target=self._send, args=(numbers,)) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        try:
            yield
        finally:
            for sender in senders:
                sender.join()
        if self.failures:
            raise self.failures[0]

    @contextmanager
    def troubled(self) -> Iterator[None]:
        """Have faults of both cities come and go meanwhile; afterwards all is well."""
        ended = threading.Event()
        thread = threading.Thread(target=self._trouble, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            for city in self.between.cities.values():
                city.heal()
                city.clock(0)

    def wait_for(self, transfers: int) -> None:
        """Wait until so many were answered."""
        ends = time.monotonic() + PATIENCE + transfers
        while self.done < transfers and not self.failures and time.monotonic() < ends:
            time.sleep(0.02)
        assert self.failures or self.done >= transfers, f"{self.done} of {transfers} were answered"

    def drain(self, *, seconds: float) -> None:
        """Wait until nothing is under way any more."""
        left, ends = (
            "SELECT (SELECT count(*) FROM outbox) + count(due) FROM transfers",
            time.monotonic() + seconds,
        )
        with open_home(self.between.home) as opened:
            while time.monotonic() < ends:
                with opened.database.read() as connection:
                    waiting = connection.exec_driver_sql(left).scalar_one()
                if not waiting:
                    return
                time.sleep(0.2)
        raise AssertionError(f"{waiting} messages and timers are left")

    def points(self) -> dict[str, int]:
        """Return what all residents can spend, by account, as the cities say."""
        found = [one for city in self.between.cities.values() for one in city.residents()]
        return {str(one["account"]): int(one["points"]) for one in found}

    def ask_again(self) -> list[Asked]:
        """Send everything once more."""
        with self._clients() as clients:
            return [
                Asked(source, body, self._answer(clients.lines[0][source], body))
                for source, body, _ in self.asked
            ]

    @contextmanager
    def _clients(self) -> Iterator[_Clients]:
        with ExitStack() as stack:
            lines = [
                {
                    name: stack.enter_context(
                        GatewayClient(
                            url=self.running.url, signer=FileSigner(city.folder / "http.key", "http")
                        )
                    )
                    for name, city in self.between.cities.items()
                }
                for _ in range(2)
            ]
            yield _Clients((lines[0], lines[1]), stack.enter_context(ThreadPoolExecutor(2)))

    def _send(self, numbers: Iterator[int]) -> None:
        try:
            with self._clients() as clients:
                while not self.failures:
                    with self._lock:
                        number = next(numbers, None)
                    if number is None:
                        return
                    self._move(Random(f"{self._seed} {number}"), clients)
                    with self._lock:
                        self.done += 1
        except BaseException as error:  # noqa: BLE001 - raised where the senders are joined
            self.failures.append(error)

    def _move(self, random: Random, clients: _Clients) -> None:
        """Have a move quoted, and ask for it in one of several ways."""
        source, destination = random.choice([(SOURCE, DESTINATION), (DESTINATION, SOURCE)])
        person, points = random.randint(1, self._persons), random.randint(1, POINTS_MAX)
        (kind,) = random.choices(list(KINDS), list(KINDS.values()))
        to, account = self.between.corridor(source).destination, f"{source}-{person:05d}"
        line = clients.lines[0][source]
        quoted = _insisted(lambda: line.quote(to, account, points=points))
        if isinstance(quoted, str):
            with self._lock:
                self.unquoted[quoted] += 1
            return
        body = {
            "id": transfer_id(),
            "quote": quoted["quote"],
            "source_account": account,
            "destination_account": f"{destination}-{person:05d}",
        }
        other = {
            "quote twice": {"id": transfer_id()},
            "id for two": {"destination_account": f"{destination}-{person % self._persons + 1:05d}"},
        }
        bodies = [body] if kind == "once" else [body, body | other.get(kind, {})]
        if kind == "id twice in a batch":
            answers = self._batch(line, bodies)
        else:
            ways = [lines[source] for lines in clients.lines]
            answers = list(clients.both.map(self._answer, ways, bodies))
        with self._lock:
            self.asked += [Asked(source, *one) for one in zip(bodies, answers, strict=True)]

    def _answer(self, line: GatewayClient, body: dict[str, Any]) -> dict[str, Any] | str:
        return _insisted(lambda: line.transfer(body))

    def _batch(self, line: GatewayClient, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any] | str]:
        outcomes = _insisted(lambda: {"lines": line.transfers(bodies)})
        assert not isinstance(outcomes, str), outcomes
        return [
            one["document"] if one["status"] == 202 else self._answer(line, body)
            for one, body in zip(outcomes["lines"], bodies, strict=True)
        ]

    def _trouble(self, ended: threading.Event) -> None:
        random = Random(f"{self._seed} faults")
        cities = list(self.between.cities.values())
        while not ended.is_set():
            city = random.choice(cities)
            if random.random() < 0.1:
                self.faults["clock"] += 1
                city.clock(random.choice(CLOCKS))
                ended.wait(random.uniform(0.2, 1))
                city.clock(0)
            else:
                name, message = random.choice(FAULTS), random.choice(MESSAGES)
                self.faults[name] += 1
                seconds = str(round(random.uniform(0.1, 1.5), 1))
                city.fault(name, times=random.randint(1, 4), seconds=seconds, only=message)
                ended.wait(random.uniform(0.02, 0.2))


def _insisted(ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | str:
    """Ask until there is an answer; a refusal is one, and gives its code."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except RequestFailed as error:
            if error.status not in AGAIN or time.monotonic() > ends:
                if error.status not in (409, 422):
                    raise
                return str(error.problem["code"])
        except Unreachable:
            if time.monotonic() > ends:
                raise
        time.sleep(0.1)


def require_one_answer(asked: Sequence[Asked], again: Sequence[Asked], ends: Ends) -> None:
    """Check that each id has one decision and one body with one answer for ever, each quote one commit."""
    answers: defaultdict[str, list[Asked]] = defaultdict(list)
    for one in (*asked, *again):
        answers[one.body["id"]].append(one)
    for name, all_of_it in answers.items():
        good = [one for one in all_of_it if not isinstance(one.answer, str)]
        assert good, (name, all_of_it)
        assert all(one[:3] == good[0][:3] for one in good), (name, good)
        for one in all_of_it:
            assert (one.body == good[0].body) is not isinstance(one.answer, str), (name, one)
            assert not isinstance(one.answer, str) or one.answer == "idempotency-conflict", (name, one)
        assert name in ends.rows, name
    assert ends.rows.keys() == answers.keys()
    quotes = Counter(ends.rows[made.transfer].quote.id for made in ends.committed)
    assert [name for name, times in quotes.items() if times > 1] == []


def require_explained_points(before: dict[str, int], after: dict[str, int], ends: Ends) -> None:
    """Check that the points of all accounts are changed by what was committed, and nobody gained by it."""
    explained = Counter(before)
    for made in ends.committed:
        terms = ends.rows[made.transfer].transfer.terms
        amounts = terms.amounts
        explained[terms.source_account] -= amounts.points_out
        explained[terms.destination_account] += amounts.points_in
        assert amounts.recognised_mg <= amounts.used_mg, terms
        assert terms.source_account.rpartition("-")[2] == terms.destination_account.rpartition("-")[2], terms
    assert {name: points for name, points in explained.items() if points != after[name]} == {}


def require_explained_positions(between: Between, ends: Ends) -> int:
    """Check that the journal in its order gives the positions, none above its limit; return its length."""
    with open_home(between.home) as opened:
        reader = SqlLedgerReader(opened.database)
        events = [entry.event for entry in reader.journal(reader.standing().head.number)]
    owed: Counter[Pair] = Counter()
    limits: dict[Pair, int] = {}
    under_way: dict[str, Reservation] = {}
    for event in events:
        if isinstance(event, Limit):
            given = [one for one in (event.cap, event.cover) if one is not None]
            if given:
                limits[event.pair] = min(given)
        if isinstance(event, Reservation):
            under_way[event.transfer] = event
            for pair in _pairs(event.source, event.destination):
                owed[pair] += event.amount
                assert pair not in limits or owed[pair] <= limits[pair], (event, owed[pair], limits[pair])
        if isinstance(event, Decision):
            made = under_way.pop(event.transfer, None)
            if made is not None:
                _count_decision(owed, made, event)
    assert under_way == {}
    found = {pair: position.owed for pair, position in ends.book.positions.items() if position.owed}
    assert found == {pair: amount for pair, amount in owed.items() if amount}
    return len(events)


def _count_decision(owed: Counter[Pair], made: Reservation, decision: Decision) -> None:
    """Count a reservation that was decided: undone, or owed less by the other side."""
    ends = (made.source, made.destination)
    for pair in _pairs(*(ends[::-1] if decision.verdict is Verdict.COMMIT else ends)):
        owed[pair] -= made.amount


def _pairs(platform: str, other: str) -> tuple[Pair, Pair]:
    return Pair(platform, other), Pair(platform, ALL)
