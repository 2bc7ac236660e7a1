"""The demo's second half: points move between three pairs of sandbox cities that are served for real."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from gateway.app.base.home import create_home, open_home
from gateway.app.base.kinds import shipped
from gateway.app.base.mappings import Reading
from gateway.app.log.decision_log import publish_decisions
from gateway.app.records.check import audit, receipt_of, verifier
from gateway.app.records.convert import convert_files
from gateway.app.records.links import link
from gateway.app.sandbox.corridors import CityBeside, Terms, admit, agree, carried, served
from gateway.app.transfers.operating import Wish, new_id, positions, quote, show, start
from gateway.errors import ChecksFailed, InvariantBroken
from gateway.ports import Corridor
from gateway.sandbox.city import city_named
from gateway.service.claims.closing import close_claims

__all__ = ["DemoMoves"]

LAST_RIDE: Final = date(2026, 9, 29)  # the sandbox cities' residents ride once a day until after then
DAYS: Final = 3  # what is accepted so soon after it happened can still be compared across cities
ACCEPTED: Final = datetime.combine(LAST_RIDE, datetime.min.time(), tzinfo=UTC) + timedelta(hours=18)
WAIT_SECONDS: Final = 60


class _At(NamedTuple):
    """A clock that stands still: the cities have handed their rides in soon after they were made."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment


class _Move(NamedTuple):
    """Points that are to move; ``about`` says what sets the pair apart."""

    source: str
    destination: str
    points: int
    about: str


MOVES: Final = (
    _Move("songling", "qinglan", 40, "the destination counts a kilometre far lower"),
    _Move("qinglan", "yuewan", 100, "the destination counts it higher, and a point is ten times as much"),
    _Move("xingdu", "songling", 3, "points per ride become points of grams, which lapse"),
)


@dataclass(frozen=True, slots=True)
class DemoMoves:
    """One run in one folder. ``say`` prints a line."""

    folder: Path
    say: Callable[[str], None]

    @property
    def home(self) -> Path:
        """Return the home's folder."""
        return self.folder / "moves"

    def run(self) -> None:
        """Serve cities, convert their rides, agree, and for each pair quote, move and verify; then audit.

        Raises:
            GatewayError: a step did not do what it should; the demo is also a check.
        """
        os.environ.setdefault("TANQIAO_PRIVATE_WEBHOOKS", "allow")  # the cities live at this machine
        create_home(self.home, profile="test")
        with served(self._cities, trust=self.home / "trust", rides=DAYS + 3) as urls:
            self._heading(
                "5. Cities with platforms of their own; one resident lives in all and has linked them"
            )
            for city in self._cities:
                self._convert(city)
            admit(self.home, urls)
            with open_home(self.home, writing=True) as opened:
                close_claims(LAST_RIDE.toordinal(), opened.journal.claims, kinds=shipped())
            wanted = [Terms(self._city(move.source), self._city(move.destination)) for move in MOVES]
            agree(self.home, wanted, mappings=self._mappings)
            self.say("   agreed by each two, signed by both, in the log: the destination's own rules count")
            with carried(self.home):
                for number, move in enumerate(MOVES, start=6):
                    self._heading(f"{number}. {move.source} to {move.destination}: {move.about}")
                    self._move(move)
        self._heading(
            "9. What remains: what one city owes another, and an audit that works every move out again"
        )
        self._show_positions()
        logged = publish_decisions(self.home)
        self.say(f"   {logged['decisions']} decisions are in the log now, by the root over them")
        self._audit()

    def _convert(self, city: CityBeside) -> None:
        account, agreed = city.account(), "the demo's resident has agreed"
        link(self.home, account, platform=city.platform, identity="demo-resident", consent=agreed)
        mapping = city.write_mapping(self._file(f"{city.name}.yaml"))
        days = [LAST_RIDE - timedelta(days=back) for back in range(DAYS)]
        rides = city.write_rides(self._file(f"{city.name}.ndjson"), days)
        convert_files(self.home, [rides], reading=Reading("common", [str(mapping)]), clock=_At(ACCEPTED))
        self.say(f"   {city.name}: {_figures(city.name)}; the resident has {city.points()} points there")

    def _move(self, move: _Move) -> None:
        """Quote, move, ask again, and verify the receipt of a ride that moved."""
        source, destination = self._city(move.source), self._city(move.destination)
        wish = Wish(Corridor(source.platform, destination.platform), source.account(), move.points)
        made = quote(self.home, wish, out=self._quote(move), lang="en", mappings=self._mappings)
        reasons = made["reasons"]
        for sentence in reasons if isinstance(reasons, list) else []:
            self.say(f"   {sentence}")
        before, name = (source.points(), destination.points()), new_id()
        answer = self._start(move, name)
        state = self._until_ended(name, destination, points=before[1])
        if not answer["accepted"] or state != "committed":
            raise ChecksFailed(f"the transfer ended {state}: {show(self.home, name)}")
        if self._start(move, name) != answer:
            raise ChecksFailed("the same request was answered in another way")
        self.say(f"   {name}: {state}; {source.name} {before[0]} -> {source.points()} points,"
                 f" {destination.name} {before[1]} -> {destination.points()}")  # fmt: skip
        again = self._start(move, new_id())
        self.say(
            f"   sent again: the same answer; the same quote under a new id: refused ({again['reason']})"
        )
        self._verify(name)

    def _verify(self, name: str) -> None:
        """Verify the receipt of the first record of a transfer, by the trust files alone."""
        records = show(self.home, name)["records"]
        record = str(records[0]) if isinstance(records, list) else ""
        receipt = receipt_of(self.home, record, disclose=["event"])
        self._file(f"moved-{name}.json").write_bytes(receipt)
        with open_home(self.home) as opened:
            verifier(opened.trust.policy(), opened.trust.ring_bytes()).verify(receipt)
        self.say(f"   receipt verified: record {record}")

    def _show_positions(self) -> None:
        for one in positions(self.home, ""):
            if "limit_mg" in one:
                owed, most = int(str(one["owed_mg"])), int(str(one["limit_mg"]))
                self.say(f"   {one['platform']} owes {one['other']} {owed:,} mg CO2e, at most {most:,}")

    def _audit(self) -> None:
        report = audit(self.home, lambda _rows: None)
        if report.differences:
            raise InvariantBroken(report.differences[0])
        looked_at = sum(check.looked_at for check in report.checks)
        self.say(f"   ok  {len(report.checks)} checks, {looked_at:,} things looked at")

    @property
    def _cities(self) -> list[CityBeside]:
        names = dict.fromkeys(name for move in MOVES for name in (move.source, move.destination))
        return [self._city(name) for name in names]

    @property
    def _mappings(self) -> list[Path]:
        return [self._file(f"{city.name}.yaml") for city in self._cities]

    def _city(self, name: str) -> CityBeside:
        return CityBeside(name, self._file(name))

    def _quote(self, move: _Move) -> Path:
        return self._file(f"quote-{move.source}-{move.destination}.json")

    def _file(self, name: str) -> Path:
        return self.folder / name

    def _heading(self, text: str) -> None:
        self.say("")
        self.say(text)

    def _start(self, move: _Move, name: str) -> dict[str, object]:
        accounts = self._city(move.source).account(), self._city(move.destination).account()
        return start(self.home, self._quote(move), name=name, accounts=accounts, mappings=self._mappings)

    def _until_ended(self, name: str, destination: CityBeside, *, points: int) -> str:
        """Wait until a transfer is decided and has arrived at its destination."""
        ends = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < ends:
            state = str(show(self.home, name)["state"])
            if state == "aborted" or (state == "committed" and destination.points() != points):
                return state
            time.sleep(0.1)
        return "unfinished"


def _figures(name: str) -> str:
    city = city_named(name)
    worth = f"{city.gram_per_point} g a point" if city.gram_per_point else "points for each ride"
    return f"{city.bike} g for a cycled km, {worth}"
