"""A platform of the simulation: its residents' points, and its shares of transfers."""

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
from tests.simulation.gateway import GATEWAY, Rules, answer_event
from tests.simulation.world import World


class Platform:
    """Keeps points of one resident; what stands here survives a crash, except what was going on."""

    def __init__(self, name: str, world: World, *, points: int, rules: Rules) -> None:
        self.name, self.world, self.rules = name, world, rules
        self.balance = self.began = points
        self.kept = self.burned = self.issued = self.spent = 0
        self.shares: dict[tuple[str, Party], Share] = {}
        self.deeds: list[tuple[str, Party, Deed]] = []
        self.contradictions = 0
        self.seen: Counter[str] = Counter()
        world.add(self)

    def receive(self, packet: Any) -> None:
        """Take up what the gateway tells."""
        _, name, party, message = packet
        if isinstance(message, Decision):
            self._take(name, party, Decided(message.verdict))
            return
        refusal = "no-such-points" if self._short(message) else ""
        if self.world.chance(self.world.faults.refusal):
            refusal = "closed"
        self._take(name, party, Asked(message, f"{self.name}/{name}/{self.world.points}", refusal))

    def recover(self) -> None:
        """Ask about everything that still waits."""
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

    def _take(self, name: str, party: Party, event: Any) -> None:
        before = self.shares.get((name, party), ABSENT)
        done = (self.rules.share_step or share_step)(before, event)
        self.world.point(self.name)
        self.shares[name, party] = done.share
        self._do(name, party, done.deed, done.share)
        self.world.point(self.name)
        self.seen[done.answer] += 1
        self._answer(name, party, done.answer, done.share)
        if done.deed is Deed.KEEP:
            self._ask_later(name, party)

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

    def _answer(self, name: str, party: Party, answer: Answer, share: Share) -> None:
        told: tuple[Any, ...]
        match answer:
            case Answer.KEPT if share.message is not None:
                told = ("kept", share.id, share.message.points)
            case Answer.REFUSED:
                told = ("refused", share.reason)
            case Answer.DONE:
                told = (Verdict.COMMIT,)
            case Answer.DROPPED:
                told = (Verdict.ABORT,)
            case Answer.QUERY:
                told = ("query",)
            case Answer.CONTRADICTION | Answer.CONFLICT:
                self.contradictions += 1
                return
            case _:
                return
        self.world.send(self.name, GATEWAY, answer_event(name, party, told))

    def _ask_later(self, name: str, party: Party) -> None:
        def ask() -> None:
            if self.shares[name, party].state is ShareState.KEPT:
                self._take(name, party, Overdue())
                self._ask_later(name, party)

        self.world.later(self.name, 45_000 + self.world.random.randrange(30_000), ask)
