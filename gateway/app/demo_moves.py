"""The demo's second half: points move between two sandbox cities that are served for real."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import orjson

from gateway.app.agreements import agreeing, announcing
from gateway.app.check import receipt_of, verifier
from gateway.app.convert import convert_files
from gateway.app.home import create_home, open_home
from gateway.app.kinds import shipped
from gateway.app.links import link
from gateway.app.mappings import Reading, Versions
from gateway.app.moving import conveyor
from gateway.app.sandbox import SandboxPlan, city_key, look_at, serve_city
from gateway.app.transfers import Wish, new_id, positions, put_address, quote, show, start
from gateway.errors import ChecksFailed, GatewayError
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.shape import Shape
from gateway.ports import Corridor, PlatformKey
from gateway.recognition import day_of
from gateway.resources import schema
from gateway.sandbox.city import city_named
from gateway.service.agreeing import receive_document
from gateway.service.agreement_drafts import co_sign
from gateway.service.announcing import announce_documents
from gateway.service.closing_claims import close_claims
from gateway.store.key_files import FileSigner
from gateway.store.platforms import SqlPlatforms

__all__ = ["DemoMoves"]

SOURCE: Final = "songling"
DESTINATION: Final = "qinglan"
LAST_RIDE: Final = date(2026, 9, 29)  # the sandbox cities' residents ride once a day until then
DAYS: Final = 3  # what is accepted so soon after it happened can still be compared across cities
POINTS: Final = 100
WAIT_SECONDS: Final = 60


class _At(NamedTuple):
    """A clock that stands still: the cities have handed their rides in soon after they were made."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment


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
        """Serve two cities, convert their rides, agree, quote, move, show what came of it.

        Raises:
            GatewayError: a step did not do what it should; the demo is also a check.
        """
        os.environ.setdefault("TANQIAO_PRIVATE_WEBHOOKS", "allow")  # the cities live at this machine
        create_home(self.home, profile="test")
        with ExitStack() as stack:
            for name in (SOURCE, DESTINATION):
                put_address(self.home, _platform(name), url=stack.enter_context(self._served(name)))
            self._prepare()
            self._quote()
            name = self._move()
        self._show(name)

    def _prepare(self) -> None:
        self._heading(
            "5. Two cities with platforms of their own; one resident lives in both and has linked them"
        )
        for name in (SOURCE, DESTINATION):
            consent = "the demo's resident has agreed"
            link(
                self.home, _account(name), platform=_platform(name), identity="demo-resident", consent=consent
            )
            mapping, rides = self.folder / f"{name}.yaml", self.folder / f"{name}.ndjson"
            mapping.write_text(str(look_at(self._city(name), "mapping")), encoding="utf-8")
            days = {str(LAST_RIDE - timedelta(days=back)) for back in range(DAYS)}
            made = str(look_at(self._city(name), "rides")).splitlines()
            recent = [row for row in made if orjson.loads(row)["start"][:10] in days]
            rides.write_text("\n".join(recent) + "\n", encoding="utf-8")
            accepted = _At(datetime.combine(LAST_RIDE, datetime.min.time(), tzinfo=UTC) + timedelta(hours=18))
            convert_files(self.home, [rides], reading=Reading("common", [str(mapping)]), clock=accepted)
            self.say(f"   {name}: {_figures(name)}; the resident has {self._points(name)} points there")
        self._admit()
        self._agree()
        self.say(f"   agreed and in the log: {SOURCE} to {DESTINATION}, by what {DESTINATION} counts")

    def _quote(self) -> None:
        self._heading(f"6. {POINTS} points are to move: how many arrive, and why")
        wish = Wish(Corridor(_platform(SOURCE), _platform(DESTINATION)), _account(SOURCE), POINTS)
        made = quote(self.home, wish, out=self._file, lang="en", mappings=self._mappings)
        reasons = made["reasons"]
        for sentence in reasons if isinstance(reasons, list) else []:
            self.say(f"   {sentence}")

    def _move(self) -> str:
        self._heading("7. The transfer: held here, prepared there, decided once, carried out by both")
        before, name = (self._points(SOURCE), self._points(DESTINATION)), new_id()
        with self._carried():
            answer = self._start(name)
            state = self._until_ended(name)
            if not answer["accepted"] or state != "committed":
                raise ChecksFailed(f"the transfer ended {state}: {show(self.home, name)}")
            if self._start(name) != answer:
                raise ChecksFailed("the same request was answered in another way")
        after = self._points(SOURCE), self._points(DESTINATION)
        self.say(f"   {name}: {state}; sent again, it gets the same answer")
        self.say(
            f"   {SOURCE}: {before[0]} -> {after[0]} points; {DESTINATION}: {before[1]} -> {after[1]} points"
        )
        again = self._start(new_id())
        self.say(f"   the same quote under a new id: refused ({again['reason']})")
        return name

    def _show(self, name: str) -> None:
        self._heading("8. What remains: what one city owes the other, and receipts of the rides that moved")
        for one in positions(self.home, ""):
            if "limit_mg" in one:
                owed, most = int(str(one["owed_mg"])), int(str(one["limit_mg"]))
                self.say(f"   {one['platform']} owes {one['other']} {owed:,} mg CO2e, at most {most:,}")
        records = show(self.home, name)["records"]
        record = str(records[0]) if isinstance(records, list) else ""
        receipt = receipt_of(self.home, record, disclose=["event"])
        (self.folder / "moved.json").write_bytes(receipt)
        with open_home(self.home) as opened:
            verifier(opened.trust.policy(), opened.trust.ring_bytes()).verify(receipt)
        self.say(f"   verified: record {record}")

    @property
    def _file(self) -> Path:
        return self.folder / "quote.json"

    @property
    def _mappings(self) -> list[Path]:
        return [self.folder / f"{name}.yaml" for name in (SOURCE, DESTINATION)]

    def _heading(self, text: str) -> None:
        self.say("")
        self.say(text)

    def _city(self, name: str) -> Path:
        return self.folder / name

    def _points(self, name: str) -> int:
        found = look_at(self._city(name), "residents")
        return int(str(found[0]["points"])) if isinstance(found, list) else 0

    def _start(self, name: str) -> dict[str, object]:
        accounts = _account(SOURCE), _account(DESTINATION)
        return start(self.home, self._file, name=name, accounts=accounts, mappings=self._mappings)

    def _until_ended(self, name: str) -> str:
        """Wait until a transfer is decided and carried out by both cities."""
        ends, before = time.monotonic() + WAIT_SECONDS, self._points(DESTINATION)
        while time.monotonic() < ends:
            state = str(show(self.home, name)["state"])
            if state == "aborted" or (state == "committed" and self._points(DESTINATION) != before):
                return state
            time.sleep(0.1)
        return "unfinished"

    def _admit(self) -> None:
        with open_home(self.home, writing=True) as opened:
            platforms, now = SqlPlatforms(opened.database), opened.clock.now().isoformat()
            for name in (SOURCE, DESTINATION):
                signer = self._signer(name)
                platforms.invite(_platform(name), code_hash=b"", expires=now, now=now)
                platforms.add_key(PlatformKey(signer.key_id, _platform(name), signer.public, now, None))
            close_claims(LAST_RIDE.toordinal(), opened.journal.claims, kinds=shipped())

    def _agree(self) -> None:
        shape, versions = Shape(schema("agreement")), Versions(self._mappings)
        with open_home(self.home, writing=True) as opened:
            data = canonical_bytes(_agreement(opened.clock.now()))
            for name in (SOURCE, DESTINATION):
                data = co_sign(data, self._signer(name), shape=shape)
            receive_document(data, agreeing(opened, versions))
            announce_documents(announcing(opened, versions))

    def _signer(self, name: str) -> FileSigner:
        return FileSigner(self._city(name) / "http.key", "http")

    @contextmanager
    def _served(self, name: str) -> Iterator[str]:
        """Serve a city's platform in a process of its own; gives its address."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        city_key(self._city(name))
        plan = SandboxPlan(
            folder=self._city(name),
            trust=self.home / "trust",
            host="127.0.0.1",
            port=port,
            residents=1,
            rides=DAYS + 3,
            seed=1,
        )
        process = get_context("spawn").Process(target=serve_city, args=(name, plan))
        process.start()
        try:
            _wait_until_served(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.join()

    @contextmanager
    def _carried(self) -> Iterator[None]:
        """Have transfers carried out meanwhile, as `tanqiao serve` does."""
        ended = threading.Event()

        def run() -> None:
            with open_home(self.home) as opened, conveyor(opened) as conveying:
                asyncio.run(conveying(ended.is_set))

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _wait_until_served(url: str) -> None:
    for _ in range(WAIT_SECONDS * 20):
        try:
            if httpx.get(url + "/v1/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise GatewayError(f"the sandbox city at {url} does not answer")


def _platform(name: str) -> str:
    return city_named(name).platform


def _account(name: str) -> str:
    return f"{name}-00001"


def _figures(name: str) -> str:
    city = city_named(name)
    return f"{city.bike} g for a cycled km, {city.gram_per_point} g a point"


def _agreement(now: datetime) -> dict[str, Json]:
    source, destination = _platform(SOURCE), _platform(DESTINATION)
    return {
        "type": "tanqiao/agreement/1",
        "source": source,
        "destination": destination,
        "version": 1,
        "basis": "receiver",
        "behaviours": [
            {"behaviour": behaviour, "mapping": f"{destination}/travel"}
            for behaviour in ("TRV-BIKE", "TRV-METRO", "TRV-BUS")
        ],
        "methodologies": [f"{source}/travel"],
        "evidence": [{"grade": "operator-record", "factor": "1"}],
        "oldest_day": "2025-01-01",
        "caps": {"person_day_mg": "9000000", "corridor_day_mg": "90000000", "platform_day_mg": "90000000"},
        "minimum_mg": "1000",
        "net_debit_cap_mg": "90000000",
        "cover_mg": "90000000",
        "dispute_days": 30,
        "valid": {"from": day_of(now).isoformat()},
    }
