"""The city's books, driven at random: no point is lost, none is made, every answer stays what it was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.model.canonical import canonical_bytes
from gateway.sandbox.city import CITIES, Book, Desk
from gateway.sandbox.city.desk import Reply
from gateway.signing import KeyRing, seal
from tests.unit.signing.signers import SeededSigner, ring_of, trusted

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
RECORD = SeededSigner("the gateway decides")
ELSEWHERE = "cn-000000/elsewhere"
CITY = CITIES["qinglan"]
STEPS = 120
RING: KeyRing = ring_of(trusted(RECORD))


class World:
    """A desk, and whoever speaks to it: with repetitions, in any order, with any decision."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        self.book = Book(folder / "city.db")
        self.desk = Desk(CITY, self.book, ring=lambda: RING)
        self.said: list[tuple[str, bytes, Reply]] = []
        self.moves: list[tuple[str, dict[str, Any]]] = []
        with self.book.transaction() as db:
            for account in ("a", "b"):
                db.execute(
                    "INSERT INTO residents VALUES (?, ?, ?, ?, 0)", (account, account, account, account)
                )
                for number in range(4):
                    columns = "account, event, points, left_points, co2e_mg"
                    values = (account, f"{account}{number}", 10, 10, 100)
                    db.execute(f"INSERT INTO grants ({columns}) VALUES (?, ?, ?, ?, ?)", values)  # noqa: S608 - no input

    def say(self, resource: str, document: dict[str, Any]) -> Reply:
        content = canonical_bytes(document)
        reply = self.desk.take(resource, content, now=NOW)
        if reply.status in (201, 422):
            self.said.append((resource, content, reply))
        return reply

    def step(self) -> None:
        chosen: Callable[[], object] = self.random.choice(
            [self.hold, self.hold, self.credit, self.give_back, self.decide, self.decide, self.repeat]
        )
        chosen()

    def hold(self) -> None:
        account = self.random.choice("ab")
        lots = [self._lot(account) for _ in range(self.random.randint(1, 3))]
        points = sum(int(lot["points"]) for lot in lots)
        document = self._move("hd", account, points) | {"destination": ELSEWHERE, "lots": lots}
        self.moves.append(("holds", document))
        if self.random.random() < 0.9:  # the rest is decided before it comes
            self.say("holds", document)

    def credit(self) -> None:
        points = self.random.randint(1, 9)
        lots = [{"record": f"{self.random.randrange(16**32):032x}", "points": str(points), "co2e_mg": "7"}]
        document = self._move("cr", self.random.choice("ab"), points)
        document |= {"source": ELSEWHERE, "co2e_mg": "7", "lots": lots}
        sent = [one for kind, one in self.moves if kind == "holds"]
        if sent and self.random.random() < 0.3:
            document |= {"original": self.random.choice(sent)["transfer"]}
        self.moves.append(("credits", document))
        self.say("credits", document)

    def give_back(self) -> None:
        came = [one for kind, one in self.moves if kind == "credits"]
        if came:
            original = self.random.choice(came)
            document = self._move("rt", original["account"], self.random.randint(1, 9))
            document |= {"original": original["transfer"]}
            self.moves.append(("returns", document))
            self.say("returns", document)

    def decide(self) -> None:
        if not self.moves:
            return
        kind, move = self.random.choice(self.moves)
        verdict = self.random.choice(["COMMIT", "COMMIT", "ABORT"])
        came = kind == "credits"
        body = {
            "type": "tanqiao/decision/1",
            "transfer": move["transfer"],
            "decision": verdict,
            "reason": "",
            "source": ELSEWHERE if came else CITY.platform,
            "destination": CITY.platform if came else ELSEWHERE,
            "points_out": "1" if came else move["points"],
            "points_in": move["points"] if came else "1",
            "recognised_mg": "7",
        }
        sealed = seal(body, [RECORD])
        reply = self.desk.take("decisions", sealed, now=NOW)
        if reply.status == 201:
            self.said.append(("decisions", sealed, reply))

    def repeat(self) -> None:
        if self.said:
            resource, content, reply = self.random.choice(self.said)

            assert self.desk.take(resource, content, now=NOW + timedelta(days=1)) == reply

    def _lot(self, account: str) -> dict[str, str]:
        arrived = [one for kind, one in self.moves if kind == "credits" and one["account"] == account]
        points = str(self.random.randint(1, 6))
        if arrived and self.random.random() < 0.4:
            came = self.random.choice(arrived)
            record = came["lots"][0]["record"]
            return {"record": record, "points": points, "co2e_mg": "7", "arrived": came["transfer"]}
        event = f"{account}{self.random.randrange(4)}"
        return {"record": "00" * 16, "points": points, "co2e_mg": "7", "event": event}

    def _move(self, prefix: str, account: str, points: int) -> dict[str, Any]:
        number = f"{self.random.randrange(10**26):026d}"
        return {
            "id": f"{prefix}_{number}",
            "transfer": f"tr_{number}",
            "account": account,
            "unit": CITY.unit,
            "points": str(points),
            "expected_in_s": 30,
        }

    def checked(self) -> dict[str, int]:
        """Check that every point is left, held or gone, and nowhere twice."""
        with self.book.transaction() as db:
            for query in _NEVER:
                assert db.execute(query).fetchall() == [], query
            states = db.execute("SELECT state, count(*) FROM moves GROUP BY state").fetchall()
            return {row[0]: row[1] for row in states}


_NEVER = (
    # points that are neither left nor held nor gone
    """
    SELECT number FROM grants WHERE points - left_points <> coalesce((
      SELECT sum(parts.points) FROM parts JOIN moves USING (transfer)
      WHERE taken = grants.number AND state IN ('held', 'captured')), 0)
    """,
    # points that came by a transfer and are not those of its credit
    """
    SELECT transfer FROM moves WHERE resource = 'credits' AND (state = 'posted') <> (points = coalesce((
      SELECT sum(points) FROM grants WHERE arrived = moves.transfer), 0))
    """,
    # more given back than was sent, or than came
    """
    SELECT original FROM moves AS back WHERE original <> '' AND state NOT IN ('released', 'cancelled')
    GROUP BY original HAVING sum(points) > (SELECT points FROM moves WHERE transfer = back.original)
    """,
)


@pytest.mark.parametrize("seed", range(6))
def test_no_point_is_lost_or_made_whatever_is_said(seed: int, tmp_path: Path) -> None:
    world = World(tmp_path, seed)
    for _ in range(STEPS):
        world.step()
        world.checked()
    for resource, content, reply in world.said:
        assert world.desk.take(resource, content, now=NOW + timedelta(days=400)) == reply
    states = world.checked()
    world.book.close()

    assert {"captured", "posted"} <= set(states), states
