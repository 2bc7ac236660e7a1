"""What a case works with: somebody to speak to, samples of the platform, ids, decisions."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway.conformance.platform.speaking import Exchange, NoAnswer, Speaker, Unmet
from gateway.errors import MalformedDocument
from gateway.model.strict import read_strict_object
from gateway.signing import Message, Signer, seal

__all__ = ["PlatformTrial", "Samples", "read_samples"]

LATER: Final = 202
LATER_TRIES: Final = 20
LATER_SECONDS: Final = 0.5
_OTHER: Final = "cn-000000/conformance"
Json = dict[str, Any]


class SampleLot(msgspec.Struct, frozen=True):
    """An act of the platform, by its own id, and the points that the account has by it."""

    event: str
    points: int


class Samples(msgspec.Struct, frozen=True):
    """What the run may use of the platform: an account with points by acts, and codes to link accounts."""

    platform: str
    account: str
    unit: str
    lots: tuple[SampleLot, ...]
    codes: tuple[str, ...] = ()


def read_samples(data: bytes) -> Samples:
    """Read the samples that a platform's engineer has written down.

    Raises:
        MalformedDocument: says what is missing.
    """
    try:
        return msgspec.json.decode(data, type=Samples, strict=False)
    except msgspec.DecodeError as error:
        raise MalformedDocument(
            f"these are no samples: {error}", remedy="docs/howto/sandbox.md shows some"
        ) from error


@dataclass(slots=True, kw_only=True)
class PlatformTrial:
    """One run against one platform. Every exchange of a case is kept, so that it can be looked at."""

    speaker: Speaker
    decider: Signer
    stranger: Signer
    samples: Samples
    new_id: Callable[[str], str]
    pause: Callable[[float], None]
    exchanges: list[Exchange] = field(default_factory=list)
    _unused: Iterator[SampleLot] | None = None

    def say(self, resource: str, document: Json, *, unbound: bool = False) -> Exchange:
        """Send a signed message; its answer must be signed and bound to it, unless that is not asked."""
        for _ in range(LATER_TRIES):
            exchange = self.deliver(*self.speaker.signed(f"/v1/{resource}", document), unbound=unbound)
            if exchange.status != LATER:
                return exchange
            self.pause(LATER_SECONDS)
        raise Unmet("the platform took the message, and did not answer it within 10 seconds")

    def ask(self, path: str) -> Exchange:
        """Ask a signed question."""
        return self.deliver(*self.speaker.signed(f"/v1/{path}"))

    def deliver(self, message: Message, content: bytes, *, unbound: bool = False) -> Exchange:
        """Send a request that may have been changed."""
        exchange = self.speaker.send(message, content)
        self.exchanges.append(exchange)
        if exchange.fault and not unbound:
            raise Unmet(f"the answer is not signed as it must be: {exchange.fault}")
        return exchange

    def lot(self, points: int = 1) -> Json:
        """Return part of an act's points that no other case uses."""
        event, _ = self.whole_lot(more_than=points)
        return {"record": self.record(), "points": str(points), "co2e_mg": "10", "event": event}

    def whole_lot(self, *, more_than: int = 1) -> tuple[str, int]:
        """Return an act that no other case uses, and all its points."""
        if self._unused is None:
            self._unused = iter(self.samples.lots)
        for lot in self._unused:
            if lot.points > more_than:
                return lot.event, lot.points
        raise NoAnswer("the samples have too few lots; give more, of at least 3 points each")

    def record(self) -> str:
        """Return the id of a record, made up."""
        return hashlib.sha256(self.new_id("tr").encode()).hexdigest()[:32]

    def hold(self, *lots: Json, **changed: object) -> Json:
        """Return a hold."""
        given = lots or (self.lot(),)
        stated: Json = self._move("hd", sum(int(lot["points"]) for lot in given))
        return stated | {"destination": _OTHER, "lots": list(given)} | changed

    def credit(self, points: int = 5, **changed: object) -> Json:
        """Return a credit."""
        lots = [{"record": self.record(), "points": str(points), "co2e_mg": "70"}]
        stated: Json = self._move("cr", points)
        return stated | {"co2e_mg": "70", "source": _OTHER, "lots": lots} | changed

    def give_back(self, credit: Json, points: int) -> Json:
        """Return a return of points that a credit brought."""
        return self._move("rt", points) | {"original": credit["transfer"]}

    def decision(
        self, move: Json, verdict: str = "COMMIT", *, signer: Signer | None = None, **changed: str
    ) -> Json:
        """Return the signed decision on the transfer of a move."""
        mine, came = self.samples.platform, "source" in move
        body: Json = {
            "type": "tanqiao/decision/1",
            "transfer": move["transfer"],
            "decision": verdict,
            "reason": "" if verdict == "COMMIT" else "timed-out",
            "source": _OTHER if came else mine,
            "destination": mine if came else _OTHER,
            "points_out": "1" if came else move["points"],
            "points_in": move["points"] if came else "1",
            "recognised_mg": move.get("co2e_mg", "1"),
        }
        return dict(read_strict_object(seal(body | changed, [signer or self.decider])))

    def _move(self, prefix: str, points: int) -> Json:
        return {
            "id": self.new_id(prefix),
            "transfer": self.new_id("tr"),
            "account": self.samples.account,
            "unit": self.samples.unit,
            "points": str(points),
            "expected_in_s": 30,
        }
