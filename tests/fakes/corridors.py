"""A home between two sandbox cities that are served for real: linked residents, agreements, addresses."""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.app.agreements import agreeing, announcing
from gateway.app.home import open_home
from gateway.app.kinds import shipped
from gateway.app.links import link
from gateway.app.mappings import Versions
from gateway.app.moving import conveyor, transferring
from gateway.app.sandbox import look_at
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.ports import Corridor, PlatformKey
from gateway.recognition import day_of
from gateway.resources import schema
from gateway.service.agreeing import receive_document
from gateway.service.agreement_drafts import co_sign
from gateway.service.announcing import announce_documents
from gateway.service.closing_claims import close_claims
from gateway.service.quoting import MadeQuote, QuoteAsked, make_quote
from gateway.service.transferring import positions_shown
from gateway.store.key_files import FileSigner
from gateway.store.ledger import SqlLedger
from gateway.store.moves import SqlAddresses, SqlMoveIndex
from gateway.store.platforms import SqlPlatforms
from tests.fakes.cities import SandboxCity, sandbox_city
from tests.fakes.claims import At
from tests.fakes.homes import convert_in_parts, make_home

SOURCE, DESTINATION = "songling", "qinglan"  # 250 and 40 g for a cycled km; points of 5 g and of 1 g
PERSONS = 2
LAST_RIDE = date(2026, 9, 29)
CLOSED = date(2026, 10, 5)
DAYS = 12
_NUMBERS = itertools.count(1)


def transfer_id() -> str:
    return f"tr_{next(_NUMBERS):026d}"


class Between:
    """A home and the two cities around it."""

    def __init__(self, home: Path, cities: Sequence[SandboxCity]) -> None:
        self.home = home
        self.cities = {city.name: city for city in cities}
        self.versions = Versions([home.parent / f"{city.name}.yaml" for city in cities])

    def corridor(self, source: str = SOURCE, destination: str = "") -> Corridor:
        names = (source, destination or (DESTINATION if source == SOURCE else SOURCE))
        return Corridor(*(self.cities[name].platform for name in names))

    def points(self, city: str, person: int = 1) -> int:
        """Return what a resident can spend, as the city says."""
        return int(self.cities[city].residents()[person - 1]["points"])

    def quote(
        self,
        points: int | None,
        *,
        source: str = SOURCE,
        destination: str = "",
        person: int = 1,
        records: Sequence[str] = (),
    ) -> MadeQuote:
        with open_home(self.home) as opened, SqlLedger(opened.database) as ledger:
            parts = transferring(opened, ledger, versions=self.versions)
            corridor = self.corridor(source, destination)
            account = parts.names.pseudonym(corridor.source, f"{source}-{person:05d}")
            asked = QuoteAsked(corridor=corridor, account=account, points=points, records=records)
            return make_quote(asked, parts.quoting)

    def start(self, made: MadeQuote, *, name: str = "", person: int = 1, **changes: Json) -> dict[str, Any]:
        body: dict[str, Json] = {
            "id": name or transfer_id(),
            "quote": read_strict_object(made.envelope),
            "source_account": f"{made.quote.source.partition('/')[2]}-{person:05d}",
            "destination_account": f"{made.quote.destination.partition('/')[2]}-{person:05d}",
        }
        with open_home(self.home) as opened, SqlLedger(opened.database) as ledger:
            parts = transferring(opened, ledger, versions=self.versions)
            return dict(read_strict_object(parts.start(body | changes)))

    def show(self, name: str) -> dict[str, Any]:
        with open_home(self.home) as opened, SqlLedger(opened.database) as ledger:
            return dict(transferring(opened, ledger, versions=self.versions).show(name))

    def positions(self) -> list[dict[str, Json]]:
        with open_home(self.home) as opened:
            return positions_shown(SqlMoveIndex(opened.database).positions(""))

    def until(self, name: str, *states: str, seconds: int = 40) -> dict[str, Any]:
        """Wait until a transfer is shown in one of some states, with nothing left to be sent."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = self.show(name)
            if found["state"] in states and not self.waiting():
                return found
            time.sleep(0.05)
        raise AssertionError((found, self.waiting()))

    def waiting(self) -> int:
        with open_home(self.home) as opened, opened.database.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar_one())

    @contextmanager
    def carried(self) -> Iterator[None]:
        """Have transfers carried out meanwhile."""
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
            thread.join(30)
            assert not thread.is_alive()


def agreement_between(source: SandboxCity, destination: SandboxCity, **changes: Json) -> dict[str, Json]:
    body: dict[str, Json] = {
        "type": "tanqiao/agreement/1",
        "source": source.platform,
        "destination": destination.platform,
        "version": 1,
        "basis": "receiver",
        "behaviours": [
            {"behaviour": behaviour, "mapping": f"{destination.platform}/travel"}
            for behaviour in ("TRV-BIKE", "TRV-METRO", "TRV-BUS")
        ],
        "methodologies": [f"{source.platform}/travel"],
        "evidence": [{"grade": "operator-record", "factor": "1"}],
        "oldest_day": "2025-01-01",
        "caps": {
            "person_day_mg": "90000000",
            "corridor_day_mg": "90000000",
            "platform_day_mg": "90000000",
        },
        "minimum_mg": "1000",
        "net_debit_cap_mg": "90000000",
        "cover_mg": "90000000",
        "dispute_days": 30,
        "valid": {"from": day_of(datetime.now(UTC)).isoformat()},
    }
    return body | changes


@contextmanager
def between_cities(
    folder: Path, patch: pytest.MonkeyPatch, *, names: Sequence[str] = (SOURCE, DESTINATION), **changes: Json
) -> Iterator[Between]:
    """Give a home between cities with agreements all ways; ``changes`` are of those not from the first."""
    patch.setenv("TANQIAO_PRIVATE_WEBHOOKS", "allow")
    home = make_home(folder, patch)
    with ExitStack() as stack:
        cities = [stack.enter_context(sandbox_city(name, folder, trust=home / "trust")) for name in names]
        for city in cities:
            for person in range(1, PERSONS + 1):
                who = f"{city.name}-{person:05d}"
                identity = f"sandbox-person-{person:05d}"
                link(home, who, platform=city.platform, identity=identity, consent="form 1")
            text = str(look_at(city.folder, "mapping"))
            (folder / f"{city.name}.yaml").write_text(text, "utf-8")
        _submit(home, cities)
        found = Between(home, cities)
        _admit(found)
        _agree(found, changes)
        yield found


def _submit(home: Path, cities: Sequence[SandboxCity]) -> None:
    """Convert the last rides of all cities, a few days at a time, soon after they were made."""
    rides = {city.name: str(look_at(city.folder, "rides")).splitlines() for city in cities}
    for after in range(DAYS - 1, -1, -3):
        days = {str(LAST_RIDE - timedelta(days=after - one)) for one in range(3)}
        moment = datetime.combine(LAST_RIDE - timedelta(days=after - 4), datetime.min.time(), tzinfo=UTC)
        for city in cities:
            rows = [row for row in rides[city.name] if json.loads(row)["start"][:10] in days]
            file = home.parent / f"{city.name}-{after}.ndjson"
            file.write_text("\n".join(rows) + "\n", "utf-8")
            mapping = home.parent / f"{city.name}.yaml"
            convert_in_parts(home, [file], 1000, mapping=mapping, clock=At(moment - timedelta(hours=6)))


def _admit(between: Between) -> None:
    with open_home(between.home, writing=True) as opened:
        platforms, addresses = SqlPlatforms(opened.database), SqlAddresses(opened.database)
        for city in between.cities.values():
            ((name, public),) = city.endpoint.keys.items()
            platforms.invite(city.platform, code_hash=b"", expires="2999", now="2025")
            platforms.add_key(PlatformKey(name, city.platform, public, "2025", None))
            addresses.put(city.platform, city.url)
        close_claims(CLOSED.toordinal(), opened.journal.claims, kinds=shipped())


def _agree(between: Between, changes: dict[str, Json]) -> None:
    cities = list(between.cities.values())
    mappings: list[Json] = [f"{city.platform}/travel" for city in cities]
    with open_home(between.home, writing=True) as opened:
        for source, destination in itertools.permutations(cities, 2):
            changed = {"methodologies": mappings} | (changes if source is not cities[0] else {})
            data = canonical_bytes(agreement_between(source, destination, **changed))
            for city in (source, destination):
                signer = FileSigner(city.folder / "http.key", "http")
                data = co_sign(data, signer, shape=Shape(schema("agreement")))
            receive_document(data, agreeing(opened, between.versions))
        announce_documents(announcing(opened, between.versions))
