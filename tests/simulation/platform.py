"""A platform of the simulation: its residents' points, and its shares of transfers.

It answers at once, by call-back after a while, or by a file to a file.
"""

from collections import Counter
from typing import Any

from gateway.model.transfer import Decision, Party, PlaceHold, Verdict
from gateway.protocol import (
    ABSENT,
    Answer,
    Asked,
    Decided,
    Deed,
    LetGo,
    Overdue,
    Share,
    ShareState,
    share_step,
)
from tests.simulation.gateway import GATEWAY, Late, Rules, answer_event
from tests.simulation.world import HOUR_MS, Packet, Violation, World

Told = tuple[Any, ...]


class Platform:
    """Keeps points of one resident; what stands here survives a crash, except what was going on."""

    def __init__(self, name: str, world: World, *, points: int, rules: Rules, way: str) -> None:
        self.name, self.world, self.rules, self.way = name, world, rules, way
        self.files: list[Packet] = []
        self.balance = self.began = points
        self.kept = self.burned = self.issued = self.spent = 0
        self.shares: dict[tuple[str, Party], Share] = {}
        self.deeds: list[tuple[str, Party, Deed]] = []
        self.contradictions = 0
        self.seen: Counter[str] = Counter()
        world.add(self)

    def receive(self, packet: Any) -> None:
        """Take up what the gateway tells."""
        if isinstance(packet, Packet):
            if packet.intact:
                self.files.append(packet)
                self._work_through(packet)
            return
        if self.way == "file":
            raise Violation(f"{self.name} is called, and files are carried there")
        _, name, party, message = packet
        told = self._told(name, party, message)
        if told is None:
            return
        if self.way == "json":
            self.world.send(self.name, GATEWAY, answer_event(name, party, told))
            return
        late = Late(name, party, message, told)
        self.world.later(self.name, self.world.random.randrange(8_000), lambda: self._call_back(late))

    def _call_back(self, late: Late) -> None:
        self.world.point(self.name)
        self._post("call-back", [late], usual_ms=2_000)
        self.world.point(self.name)

    def _work_through(self, file: Packet) -> None:
        """Do what a file says and write another; again from its beginning where that was interrupted."""
        done = [Late(*line, told) for line in file.said if (told := self._told(*line)) is not None]
        self.world.point(self.name)
        self._post("file", done, usual_ms=HOUR_MS)
        self.files.remove(file)
        self.world.point(self.name)

    def _post(self, kind: str, answers: list[Late], *, usual_ms: int) -> None:
        """Have answers on their way, which somebody may turn round there."""
        turned = [
            late._replace(answer=("refused", "altered") if late.answer[0] == "kept" else (Verdict.COMMIT,))
            for late in answers
        ]
        self.world.carry(GATEWAY, Packet(kind, answers), altered=Packet(kind, turned), usual_ms=usual_ms)

    def _told(self, name: str, party: Party, message: Any) -> Told | None:
        """Do what a message says; returns what is answered, None where that is nothing."""
        if isinstance(message, Decision):
            return self._take(name, party, Decided(message.verdict))
        refusal = "no-such-points" if self._short(message) else ""
        if self.world.chance(self.world.faults.refusal):
            refusal = "closed"
        return self._take(name, party, Asked(message, f"{self.name}/{name}/{self.world.points}", refusal))

    def recover(self) -> None:
        """Ask about everything that still waits."""
        for file in list(self.files):
            self._work_through(file)
        for (name, party), share in sorted(self.shares.items()):
            if share.state is ShareState.KEPT:
                self._ask_later(name, party)

    def spend(self, points: int) -> None:
        """Let the resident spend points on something else."""
        taken = min(points, self.balance)
        self.balance -= taken
        self.spent += taken

    def let_go(self) -> None:
        """Have somebody at the platform try to give back what waits for a decision."""
        for name, party in sorted(self.shares):
            self._take(name, party, LetGo())

    def _short(self, message: Any) -> bool:
        return isinstance(message, PlaceHold) and message.points > self.balance

    def _take(self, name: str, party: Party, event: Any) -> Told | None:
        before = self.shares.get((name, party), ABSENT)
        done = (self.rules.share_step or share_step)(before, event)
        self.world.point(self.name)
        self.shares[name, party] = done.share
        self._do(name, party, done.deed, done.share)
        self.world.point(self.name)
        self.seen[done.answer] += 1
        if done.deed is Deed.KEEP:
            self._ask_later(name, party)
        return self._answer(done.answer, done.share)

    def _do(self, name: str, party: Party, deed: Deed, share: Share) -> None:
        if deed is Deed.NOTHING or share.message is None:
            return
        points = share.message.points
        self.deeds.append((name, party, deed))
        if party is Party.SOURCE:
            if deed is Deed.KEEP:
                self.balance -= points
                self.kept += points
            else:
                self.kept -= points
                self.burned += points if deed is Deed.FINISH else 0
                self.balance += points if deed is Deed.GIVE_BACK else 0
        elif deed is Deed.FINISH:
            self.issued += points
            self.balance += points

    def _answer(self, answer: Answer, share: Share) -> Told | None:
        match answer:
            case Answer.KEPT if share.message is not None:
                return ("kept", share.id, share.message.points)
            case Answer.REFUSED:
                return ("refused", share.reason)
            case Answer.DONE:
                return (Verdict.COMMIT,)
            case Answer.DROPPED:
                return (Verdict.ABORT,)
            case Answer.QUERY:
                return ("query",)
            case Answer.CONTRADICTION | Answer.CONFLICT:
                self.contradictions += 1
        return None

    def _ask_later(self, name: str, party: Party) -> None:
        """Ask when a decision is overdue, unless nobody here calls anybody."""

        def ask() -> None:
            if self.shares[name, party].state is ShareState.KEPT:
                told = self._take(name, party, Overdue())
                if told is not None:
                    self.world.send(self.name, GATEWAY, answer_event(name, party, told))
                self._ask_later(name, party)

        slowly = self.world.slowly
        after = (24 * HOUR_MS, HOUR_MS) if slowly else (45_000, 30_000)
        if self.way != "file":
            self.world.later(self.name, after[0] + self.world.random.randrange(after[1]), ask)
