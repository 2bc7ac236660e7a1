"""One run: a gateway, two platforms and residents, through trouble, until everything is over."""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

from gateway.model.transfer import LotUse, OutsideState, Party, TransferKind, TransferTerms, Verdict
from gateway.protocol import ABSENT, Deed, Disputed, Ruled, Settled, ShareState, outside
from tests.simulation.gateway import GATEWAY, OVER, POSITION_CAP, Gateway, Rules, Store, move_terms
from tests.simulation.platform import Platform
from tests.simulation.world import Faults, Violation, World

Ways = tuple[str, str]
WAYS = ("json", "json", "callback", "file")
PAIRS = (("east", "west"), ("west", "east"))
ROUTES = (PAIRS[0], *PAIRS)
RULES = Rules()


class Report(NamedTuple):
    """What a run came to: final states, remarks and answers seen, and figures."""

    seen: Counter[str]
    points: int
    packets: int
    crashes: int


class Residents:
    """Those who ask for transfers, ask again, and remember what they were told."""

    name = "residents"

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: dict[str, tuple[dict[str, Any], TransferTerms]] = {}
        self.answers: dict[str, bytes] = {}
        self.ends: dict[str, tuple[OutsideState, str]] = {}
        self.conflicts = 0
        world.add(self)

    def receive(self, packet: Any) -> None:
        """Remember an answer, and hold it to the one before."""
        match packet:
            case ("answer", name, answer, body):
                if body != self.asked[name][0]:
                    raise Violation(f"I10: {name} is answered for another body")
                if self.answers.setdefault(name, answer) != answer:
                    raise Violation(f"I10: {name} is answered in two ways")
                for after in (60_000, self.world.trouble_ms):
                    self.world.later(self.name, after, lambda: self._look(name))
            case ("conflict", _, field):
                self.conflicts += 1
                if field != "/points":
                    raise Violation(f"I10: the conflict names {field}")
            case ("shown", name, (OutsideState.ABORTED as told, reason)):
                if self.ends.setdefault(name, (told, reason)) != (told, reason):
                    raise Violation(f"I10: {name} ended in two ways")
            case ("shown", name, (OutsideState() as told, _)) if name in self.ends:
                if told is OutsideState.DISPUTED:
                    return
                raise Violation(f"I10: {name} was aborted and is not any more")

    def recover(self) -> None:
        """Ask for everything again that was not answered."""
        for name in self.asked:
            self._insist(name)

    def ask(self, terms: TransferTerms) -> None:
        """Ask for a transfer until there is an answer."""
        points = str(terms.amounts.points_out)
        self.asked[terms.id] = ({"id": terms.id, "quote": terms.quote.id, "points": points}, terms)
        self._insist(terms.id)

    def ask_otherwise(self, name: str) -> None:
        """Use the id of a transfer for something else."""
        body, terms = self.asked[name]
        other = {**body, "points": body["points"] + "0"}
        if name in self.answers:
            self.world.send(self.name, GATEWAY, ("start", self.name, other, terms))

    def repeat(self, name: str) -> None:
        """Ask for the same again, answered or not."""
        body, terms = self.asked[name]
        self.world.send(self.name, GATEWAY, ("start", self.name, body, terms))

    def _insist(self, name: str) -> None:
        if name not in self.answers:
            self.repeat(name)
            self.world.later(self.name, 5_000, lambda: self._insist(name))

    def _look(self, name: str) -> None:
        self.world.send(self.name, GATEWAY, ("show", self.name, name))


def simulate(
    seed: int,
    *,
    rules: Rules = RULES,
    faults: Faults | None = None,
    ways: Ways | None = None,
    crash_at: int | None = None,
) -> Report:
    """Play one run and hold it to the invariants.

    Args:
        seed: everything that is drawn follows from it.
        rules: those under trial.
        faults: how bad it is; drawn without it.
        ways: how the two platforms answer; in every second run both at once, else drawn.
        crash_at: the point at which somebody crashes, whatever the faults.

    Raises:
        Violation: the seed and what does not hold.
    """
    drawn = Random(f"ways of {seed}")
    ways = ways or (("json", "json") if seed % 2 else (drawn.choice(WAYS), drawn.choice(WAYS)))
    try:
        return _Run(seed, rules=rules, faults=faults, ways=ways, crash_at=crash_at).play()
    except Violation as violation:
        where = "" if crash_at is None else f" (crash at {crash_at})"
        raise Violation(f"seed {seed}{where}: {violation}") from violation


def _faults(random: Random) -> Faults:
    """Draw how bad it is; one run in six is calm."""
    if random.random() < 1 / 6:
        return Faults(race=0.1)
    return Faults(
        lost=random.choice((0.0, 0.05, 0.3, 0.6)),
        doubled=random.choice((0.0, 0.1, 0.4)),
        late=random.choice((0.0, 0.05, 0.3)),
        crash=random.choice((0.0, 0.002, 0.01, 0.04)),
        race=random.choice((0.0, 0.1, 0.4)),
        refusal=random.choice((0.0, 0.0, 0.2)),
        altered=random.choice((0.0, 0.1, 0.4)),
        partitions=random.randrange(4),
        skew_ms=random.choice((0, 500, 20_000, 300_000)),
    )


class _Run:
    """The actors of one run, what they are given to do, and what must hold."""

    def __init__(
        self, seed: int, *, rules: Rules, faults: Faults | None, ways: Ways, crash_at: int | None
    ) -> None:
        random = Random(seed)
        faults = faults or _faults(random)
        self.kind = TransferKind.FILE if "file" in ways else TransferKind.INTERACTIVE
        self.world = World(seed, faults, crash_at=crash_at, slowly=ways != ("json", "json"))
        self.random = random
        self.lots = {
            f"{name}-{number}": (name, random.randrange(1, 400_000))
            for name in ("east", "west")
            for number in range(4)
        }
        held = {
            name: sum(mg for owner, mg in self.lots.values() if owner == name) for name in ("east", "west")
        }
        self.store = Store(rules, held)
        self.store.ways = dict(zip(held, ways, strict=True))
        self.store.lot_sizes = {name: mg for name, (_, mg) in self.lots.items()}
        self.total_mg = sum(held.values())
        self.gateway = Gateway(self.world, self.store, rules)
        self.platforms = {
            name: Platform(name, self.world, points=random.randrange(200, 3_000), rules=rules, way=way)
            for name, way in self.store.ways.items()
        }
        self.residents = Residents(self.world)
        self.checked = dict.fromkeys(held, 0)
        self.finished: set[tuple[str, Party, Deed]] = set()
        self.world.part()

    def play(self) -> Report:
        """Give everybody something to do, run, and look at what is left."""
        spread = self.random.choice((0.0001, 0.0001, 0.003, 0.3))
        for number in range(self.random.randrange(1, 8)):
            self._at(spread, "residents", lambda n=number: self._move(f"t{n}"))
        for _ in range(self.random.randrange(4)):
            self._at(1.0, GATEWAY, self._meddle)
        for platform in self.platforms.values():
            self._at(1.0, platform.name, platform.let_go)
            if self.random.random() < 0.3:
                self._at(1.0, platform.name, lambda p=platform: p.spend(self.random.randrange(1, 500)))
        self._at(1.5, GATEWAY, self._settle)
        self.world.run(self.watch)
        self._require_end()
        seen = self.gateway.seen + Counter(t.state.value for t in self.store.transfers.values())
        seen += Counter(f"{self.kind} {t.state}" for t in self.store.transfers.values())
        for platform in self.platforms.values():
            seen += platform.seen
            seen[platform.way] += 1
        seen["conflict"] += self.residents.conflicts
        return Report(seen, self.world.points, self.world.packets, self.world.crashes)

    def watch(self) -> None:
        """Hold books, positions and platforms to the invariants."""
        store = self.store
        if sum(store.held.values()) + store.transit + store.unrecognised != self.total_mg:
            raise Violation("I2: reductions were lost or made")
        if min(*store.held.values(), store.transit, store.unrecognised, *store.lots.values(), 0) < 0:
            raise Violation("I3: something is below zero")
        if any(store.lots[name] > mg for name, mg in store.lot_sizes.items()):
            raise Violation("I2: a lot is used twice")
        if any(store.exposure(*pair) - store.returned[pair] > POSITION_CAP for pair in PAIRS):
            raise Violation("I4: a position is above its cap")
        for name, platform in self.platforms.items():
            if (
                platform.balance + platform.kept + platform.burned + platform.spent
                != platform.began + platform.issued
            ):
                raise Violation(f"points were lost or made at {name}")
            if platform.balance < 0 or platform.kept < 0:
                raise Violation(f"I3: points at {name} are below zero")
            for deed in platform.deeds[self.checked[name] :]:
                self._require_deed(*deed)
            self.checked[name] = len(platform.deeds)

        for name, transfer in store.transfers.items():
            if transfer.state.value in ("COMPLETED", "SETTLED") and not all(
                (name, party, Deed.FINISH) in self.finished for party in Party
            ):
                raise Violation(f"I6: {name} is {transfer.state} and not carried out")
            if transfer.state.value == "ABORTED" and any(
                platform.shares.get((name, party), ABSENT).state is ShareState.KEPT
                for platform in self.platforms.values()
                for party in Party
            ):
                raise Violation(f"I6: {name} is ABORTED and something is still kept for it")

    def _require_deed(self, name: str, party: Party, deed: Deed) -> None:
        if deed is Deed.KEEP:
            return
        wanted = Verdict.COMMIT if deed is Deed.FINISH else Verdict.ABORT
        if self.store.decisions.get(name) is not wanted:
            raise Violation(f"I6: {name}: {deed} at the {party} without {wanted}")
        if (name, party, deed) in self.finished:
            raise Violation(f"I6: {name}: {deed} twice at the {party}")
        self.finished.add((name, party, deed))

    def _require_end(self) -> None:
        """Hold what is left when nothing happens any more."""
        for name, transfer in self.store.transfers.items():
            if transfer.state.value not in (*OVER, "RETURNED", "DISPUTED", "UPHELD", "DENIED"):
                raise Violation(f"{name} stays {transfer.state}")
            both = {party for party in Party if (name, party, Deed.FINISH) in self.finished}
            if both not in (set(), set(Party)):
                raise Violation(f"I6: {name} was carried out at the {both} only")
            if bool(both) != (self.store.decisions.get(name) is Verdict.COMMIT):
                raise Violation(f"I6: {name} is {transfer.state}, carried out: {bool(both)}")
            told = self.residents.ends.get(name)
            if told and outside(transfer) not in (OutsideState.ABORTED, OutsideState.DISPUTED):
                raise Violation(f"I10: {name} was told to be aborted and is {outside(transfer)}")
        if self.store.reserved:
            raise Violation(f"I2: reserved for ever: {sorted(self.store.reserved)}")
        if self.store.outbox:
            raise Violation(f"messages are left: {sorted(self.store.outbox)}")
        for name, platform in self.platforms.items():
            kept = [key for key, share in platform.shares.items() if share.state is ShareState.KEPT]
            if kept or platform.kept:
                raise Violation(f"{name} still keeps {kept}")
            if platform.contradictions:
                raise Violation(f"{name} was told what it cannot do")
        for name in self.residents.asked:
            if name not in self.residents.answers:
                raise Violation(f"{name} was never answered")

    def _at(self, share: float, name: str, do: Callable[[], None]) -> None:
        """Have somebody use an actor within a share of the troubled time."""
        self.world.later_anyway(name, self.random.randrange(int(self.world.trouble_ms * share)), do)

    def _move(self, name: str) -> None:
        route = self.random.choice(ROUTES)
        mine = sorted(lot for lot, (owner, _) in self.lots.items() if owner == route[0])
        lots = [self._use(lot) for lot in self.random.sample(mine, self.random.randrange(1, 3))]
        if self.random.random() < 0.05:
            lots.append(LotUse("bad", 1, 0, 0, 0, Fraction(0)))
        terms = move_terms(name, self.world, kind=self.kind, route=route, lots=lots)
        self.residents.asked[name] = ({}, terms)
        slow = self.random.random() < 0.05
        self.world.later_anyway(
            "residents", 310_000 if slow else self.random.randrange(1_000), lambda: self.residents.ask(terms)
        )

    def _use(self, lot: str) -> LotUse:
        whole = self.lots[lot][1]
        used = self.random.randrange(1, whole + 1)
        recognised = used * self.random.randrange(1, 11) // 10
        points = -(-used // 1_000)
        return LotUse(lot, points, used, recognised, used - recognised, Fraction(recognised, 1_700))

    def _meddle(self) -> None:
        """Repeat, contradict, return or dispute one of the transfers."""
        if not self.residents.asked:
            return
        name = self.random.choice(sorted(self.residents.asked))
        if not self.residents.asked[name][0]:
            return
        what = self.random.randrange(5)
        if what == 0:
            self.residents.repeat(name)
        elif what == 1:
            self.residents.ask_otherwise(name)
        elif what == 2:
            self.gateway.event(name, Disputed)
            upheld = self.random.random() < 0.5
            self.world.later_anyway(
                GATEWAY, 60_000, lambda: self.gateway.event(name, lambda now: Ruled(now, upheld))
            )
        elif name in self.store.transfers:
            self.gateway.start_return(name)

    def _settle(self) -> None:
        for name in sorted(self.store.transfers):
            self.gateway.event(name, Settled)
