"""Time, chance, a bad network and lost files: everything in it follows from one seed.

Actors are woken by events of a queue ordered by time. Whenever one of them is about to write or send, or has
just done so, it may crash: what it had in memory is gone, what it had written is there when it is back.
"""

import heapq
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple, Protocol

BEGINNING: Final = datetime(2026, 3, 1, tzinfo=UTC)
HOUR_MS: Final = 60 * 60 * 1000
TROUBLE_MS: Final = 15 * 60 * 1000  # afterwards the network is well and nobody crashes
END_MS: Final = 48 * HOUR_MS
SLOWLY: Final = 240  # so many times longer is all of it where answers come by call-back or file


class Violation(Exception):
    """An invariant does not hold; the message says which."""


class Crash(Exception):
    """The process ends here."""


class Faults(NamedTuple):
    """How bad it is: chances, and the most by which a clock may be wrong."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    crash: float = 0.0
    race: float = 0.0
    refusal: float = 0.0
    altered: float = 0.0
    partitions: int = 0
    skew_ms: int = 0


class Packet(NamedTuple):
    """A file or a call-back: what it says, and whether that is still what its writer has signed."""

    kind: str
    said: Sequence[Any]
    intact: bool = True


class Actor(Protocol):
    """A process with a name, a memory that a crash empties, and something that outlives it."""

    name: str

    def receive(self, packet: Any) -> None: ...

    def recover(self) -> None: ...


class World:
    """The queue of events, the network and the crashes."""

    def __init__(
        self, seed: int, faults: Faults, *, crash_at: int | None = None, slowly: bool = False
    ) -> None:
        self.random = Random(seed)
        self.slowly = slowly
        self.trouble_ms, self.end_ms = (SLOWLY if slowly else 1) * TROUBLE_MS, (10 if slowly else 1) * END_MS
        self.faults = faults
        self.ms = 0
        self.points = 0
        self.alarms = 0
        self.crashes = 0
        self.packets = 0
        self._crash_at = crash_at
        self._queue: list[tuple[int, int, str, int, Callable[[], None]]] = []
        self._number = 0
        self._actors: dict[str, Actor] = {}
        self._lives: dict[str, int] = {}
        self._down: set[str] = set()
        self._skews: dict[str, int] = {}
        self._apart: list[tuple[int, int, str]] = []

    def add(self, actor: Actor) -> None:
        """Let an actor take part."""
        self._actors[actor.name] = actor
        self._lives[actor.name] = 0
        self._skews[actor.name] = self.random.randint(-self.faults.skew_ms, self.faults.skew_ms)

    def part(self) -> None:
        """Draw when which actor will be cut off."""
        for _ in range(self.faults.partitions):
            begin = self.random.randrange(self.trouble_ms)
            name = self.random.choice(sorted(self._actors))
            self._apart.append((begin, begin + self.random.randrange(120_000), name))

    def now(self, name: str, wrong_ms: int = 0) -> datetime:
        """Return what an actor's clock says."""
        return BEGINNING + timedelta(milliseconds=self.ms + self._skews.get(name, 0) + wrong_ms)

    def chance(self, probability: float) -> bool:
        """Tell whether something happens that may happen only while there is trouble."""
        return probability > 0 and self.ms < self.trouble_ms and self.random.random() < probability

    def later(self, name: str, delay_ms: int, do: Callable[[], None]) -> None:
        """Have an actor do something; it is forgotten if the actor crashes before."""
        self._push(delay_ms, name, self._lives[name], do)

    def later_anyway(self, name: str, delay_ms: int, do: Callable[[], None]) -> None:
        """Have somebody use an actor, who waits while it is down."""

        def when_up() -> None:
            if name in self._down:
                self._push(5_000, name, -1, when_up)
            else:
                do()

        self._push(delay_ms, name, -1, when_up)

    def send(self, sender: str, receiver: str, packet: Any) -> None:
        """Send a packet: it may be lost, doubled, late, or overtaken by another."""
        copies = 2 if self.chance(self.faults.doubled) else 1
        for _ in range(copies):
            self.packets += 1
            if self.chance(self.faults.lost):
                continue
            slow = self.chance(self.faults.late)
            delay = self.random.randrange(1000, 90_000) if slow else self.random.randrange(1, 120)
            self._push(delay, receiver, -1, lambda: self._arrive(sender, receiver, packet))

    def carry(
        self, receiver: str, packet: "Packet", *, altered: "Packet | None" = None, usual_ms: int = HOUR_MS
    ) -> None:
        """Have a file or a call-back on its way: lost, doubled, altered, late by up to a day, overtaken.

        Whoever carries it waits while the receiver is down.
        """
        for _ in range(2 if self.chance(self.faults.doubled) else 1):
            self.packets += 1
            if self.chance(self.faults.lost):
                continue
            delay = self.random.randrange(25 * HOUR_MS if self.chance(self.faults.late) else usual_ms)
            changed = self.chance(self.faults.altered)
            came = (altered or packet)._replace(intact=False) if changed else packet
            self.later_anyway(receiver, delay, lambda came=came: self._actors[receiver].receive(came))

    def point(self, name: str) -> None:
        """Crash here, perhaps: something is about to be written or sent, or just was."""
        self.points += 1
        if self.points == self._crash_at or self.chance(self.faults.crash):
            raise Crash(name)

    def run(self, watch: Callable[[], None]) -> None:
        """Let everything happen, and look after each event."""
        while self._queue:
            self.ms, _, name, life, do = heapq.heappop(self._queue)
            if self.ms > self.end_ms:
                raise Violation("it never ends")
            if life not in (-1, self._lives[name]):
                continue
            try:
                do()
            except Crash as crash:
                self._fall(str(crash))
            watch()

    def _push(self, delay_ms: int, name: str, life: int, do: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._queue, (self.ms + delay_ms, self._number, name, life, do))

    def _arrive(self, sender: str, receiver: str, packet: Any) -> None:
        cut = any(begin <= self.ms < end and name in (sender, receiver) for begin, end, name in self._apart)
        if not cut and receiver not in self._down:
            self._actors[receiver].receive(packet)

    def _fall(self, name: str) -> None:
        self.crashes += 1
        self._lives[name] += 1
        self._down.add(name)
        self._push(self.random.randrange(100, 60_000), name, -1, lambda: self._rise(name))

    def _rise(self, name: str) -> None:
        self._down.discard(name)
        self._actors[name].recover()
