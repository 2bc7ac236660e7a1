"""A home between two sandbox cities that are served for real: linked residents, agreements, addresses."""

import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.base.kinds import shipped
from gateway.app.base.mappings import Versions
from gateway.app.records.links import first_epoch, person_keys
from gateway.app.sandbox.corridors import CityBeside, Terms, admit, agree, carried
from gateway.app.transfers.moving import transferring
from gateway.model.canonical import Json
from gateway.model.strict import read_strict_object
from gateway.ports import Corridor
from gateway.service.claims.closing import close_claims
from gateway.service.claims.linking import Linking, link_account
from gateway.service.transfers.quoting import MadeQuote, QuoteAsked, make_quote
from gateway.service.transfers.transferring import positions_shown
from gateway.store.ledger.books import SqlLedger
from gateway.store.ledger.moves import SqlMoveIndex
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
        self.mappings = [home.parent / f"{city.name}.yaml" for city in cities]
        self.versions = Versions(self.mappings)

    @property
    def arguments(self) -> list[str]:
        """Return what a service between the two is started with."""
        return [word for path in self.mappings for word in ("--mapping", str(path))]

    def corridor(self, source: str = SOURCE, destination: str = "") -> Corridor:
        names = (source, destination or (DESTINATION if source == SOURCE else SOURCE))
        return Corridor(*(self.cities[name].platform for name in names))

    def points(self, city: str, person: int = 1) -> int:
        """Return what a resident can spend, as the city says."""
        return beside(self.cities[city]).points(person)

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

    def waiting(self, *, without: Sequence[str] = ()) -> int:
        with open_home(self.home) as opened, opened.database.read() as connection:
            platforms = connection.exec_driver_sql("SELECT platform FROM outbox").scalars()
            return len([platform for platform in platforms if platform not in without])

    def carried(self) -> AbstractContextManager[None]:
        """Have transfers carried out meanwhile."""
        return carried(self.home)


def beside(city: SandboxCity) -> CityBeside:
    return CityBeside(city.name, city.folder)


@contextmanager
def between_cities(
    folder: Path,
    patch: pytest.MonkeyPatch,
    *,
    names: Sequence[str] = (SOURCE, DESTINATION),
    persons: int = PERSONS,
    rides: int = 200,
    **changes: Json,
) -> Iterator[Between]:
    """Give a home between cities with agreements all ways; ``changes`` are of those not from the first."""
    patch.setenv("TANQIAO_PRIVATE_WEBHOOKS", "allow")
    home = make_home(folder, patch)
    with ExitStack() as stack:
        cities = [
            stack.enter_context(
                sandbox_city(name, folder, trust=home / "trust", size=(max(persons, 3), rides))
            )
            for name in names
        ]
        first_epoch(home)
        for city in cities:
            _link(home, city, persons=persons)
            beside(city).write_mapping(folder / f"{city.name}.yaml")
        _submit(home, cities)
        found = Between(home, cities)
        _admit(found)
        _agree(found, changes)
        yield found


def _link(home: Path, city: SandboxCity, *, persons: int) -> None:
    with open_home(home, writing=True) as opened:
        parts = Linking(
            links=opened.journal.claims, index=opened.index(), keys=person_keys(opened), clock=opened.clock
        )
        for person in range(1, persons + 1):
            who, identity = f"{city.name}-{person:05d}", f"sandbox-person-{person:05d}"
            link_account(city.platform, who, identity=identity, consent="form 1", parts=parts)


def _submit(home: Path, cities: Sequence[SandboxCity]) -> None:
    """Convert the last rides of all cities, a few days at a time, soon after they were made."""
    for after in range(DAYS - 1, -1, -3):
        days = [LAST_RIDE - timedelta(days=after - one) for one in range(3)]
        moment = datetime.combine(LAST_RIDE - timedelta(days=after - 4), datetime.min.time(), tzinfo=UTC)
        for city in cities:
            file = beside(city).write_rides(home.parent / f"{city.name}-{after}.ndjson", days)
            mapping = home.parent / f"{city.name}.yaml"
            convert_in_parts(home, [file], 1000, mapping=mapping, clock=At(moment - timedelta(hours=6)))


def _admit(between: Between) -> None:
    admit(between.home, {beside(city): city.url for city in between.cities.values()})
    with open_home(between.home, writing=True) as opened:
        close_claims(CLOSED.toordinal(), opened.journal.claims, kinds=shipped())


def _agree(between: Between, changes: dict[str, Json]) -> None:
    cities = [beside(city) for city in between.cities.values()]
    admitted: dict[str, Json] = {"methodologies": [f"{city.platform}/travel" for city in cities]}
    terms = [
        Terms(one, other, admitted | (changes if one is not cities[0] else {}))
        for one, other in itertools.permutations(cities, 2)
    ]
    agree(between.home, terms, mappings=between.mappings)
