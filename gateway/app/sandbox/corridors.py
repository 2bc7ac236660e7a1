"""What joins sandbox cities to a home: their rides, keys, addresses and agreements, and the carrying."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import orjson

from gateway.app.base.home import open_home
from gateway.app.base.mappings import Versions
from gateway.app.sandbox.city import SandboxPlan, city_key, look_at, serve_city
from gateway.app.transfers.agreements import agreeing, announcing
from gateway.app.transfers.moving import conveyor
from gateway.errors import GatewayError
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.shape import Shape
from gateway.ports import PlatformKey
from gateway.recognition import day_of
from gateway.resources import schema
from gateway.sandbox.city import city_named
from gateway.service.agreements.agreeing import receive_document
from gateway.service.agreements.announcing import announce_documents
from gateway.service.agreements.drafts import co_sign
from gateway.store.files.keys import FileSigner
from gateway.store.ledger.moves import SqlAddresses
from gateway.store.serving.platforms import SqlPlatforms

__all__ = ["CityBeside", "Terms", "admit", "agree", "agreement_body", "carried", "served"]

WAIT_SECONDS: Final = 60
INVITED_UNTIL: Final = "2999-01-01T00:00:00Z"  # a sandbox city does not enrol: its key is taken as it is


@dataclass(frozen=True, slots=True)
class CityBeside:
    """A sandbox city beside a home, by its name and the folder of all that is its own."""

    name: str
    folder: Path

    @property
    def platform(self) -> str:
        """Return the platform's id."""
        return city_named(self.name).platform

    @property
    def signer(self) -> FileSigner:
        """Return what signs for the city."""
        return FileSigner(self.folder / "http.key", "http")

    def account(self, person: int = 1) -> str:
        """Return the account of a resident; who has the same number elsewhere is the same person."""
        return f"{self.name}-{person:05d}"

    def points(self, person: int = 1) -> int:
        """Return what a resident can spend, as the running city says."""
        found = look_at(self.folder, "residents")
        return int(str(found[person - 1]["points"])) if isinstance(found, list) else 0

    def write_mapping(self, path: Path) -> Path:
        """Write the rules of the running city."""
        path.write_text(str(look_at(self.folder, "mapping")), encoding="utf-8")
        return path

    def write_rides(self, path: Path, days: Iterable[date]) -> Path:
        """Write what the running city would send about some days, of a city that writes JSON lines."""
        wanted = {day.isoformat() for day in days}
        made = str(look_at(self.folder, "rides")).splitlines()
        rows = [row for row in made if orjson.loads(row)["start"][:10] in wanted]
        path.write_text("".join(row + "\n" for row in rows), encoding="utf-8")
        return path


class Terms(NamedTuple):
    """An agreement to be made: from where, to where, and what differs from :func:`agreement_body`."""

    source: CityBeside
    destination: CityBeside
    changes: Mapping[str, Json] = {}


def agreement_body(source: str, destination: str, *, now: datetime) -> dict[str, Json]:
    """Return an agreement by what the destination counts, with room for a demo and for tests."""
    much = "90000000"
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
        "caps": {"person_day_mg": much, "corridor_day_mg": much, "platform_day_mg": much},
        "minimum_mg": "1000",
        "net_debit_cap_mg": much,
        "cover_mg": much,
        "dispute_days": 30,
        "valid": {"from": day_of(now).isoformat()},
    }


def admit(home: Path, cities: Mapping[CityBeside, str]) -> None:
    """Have a home know cities, by their keys and by the addresses at which they are called."""
    with open_home(home, writing=True) as opened:
        platforms, addresses = SqlPlatforms(opened.database), SqlAddresses(opened.database)
        now = opened.clock.now().isoformat()
        for city, url in cities.items():
            signer = city.signer
            platforms.invite(city.platform, code_hash=b"", expires=INVITED_UNTIL, now=now)
            platforms.add_key(PlatformKey(signer.key_id, city.platform, signer.public, now, None))
            addresses.put(city.platform, url)


def agree(home: Path, wanted: Iterable[Terms], *, mappings: Sequence[Path]) -> None:
    """Have agreements signed by both of their cities and announced in the log."""
    shape, versions = Shape(schema("agreement")), Versions(mappings)
    with open_home(home, writing=True) as opened:
        for source, destination, changes in wanted:
            body = agreement_body(source.platform, destination.platform, now=opened.clock.now())
            data = canonical_bytes({**body, **changes})
            for city in (source, destination):
                data = co_sign(data, city.signer, shape=shape)
            receive_document(data, agreeing(opened, versions))
        announce_documents(announcing(opened, versions))


@contextmanager
def carried(home: Path) -> Iterator[None]:
    """Have transfers carried out meanwhile, as `tanqiao serve` does."""
    ended = threading.Event()

    def run() -> None:
        with open_home(home) as opened, conveyor(opened) as conveying:
            asyncio.run(conveying(ended.is_set))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def served(cities: Sequence[CityBeside], *, trust: Path, rides: int) -> Iterator[dict[CityBeside, str]]:
    """Serve cities with one resident each, in processes of their own; gives their addresses."""
    ports = _free_ports(len(cities))
    processes = [
        get_context("spawn").Process(
            target=serve_city, args=(city.name, _plan(city, port, trust=trust, rides=rides))
        )
        for city, port in zip(cities, ports, strict=True)
    ]
    urls = {city: f"http://127.0.0.1:{port}" for city, port in zip(cities, ports, strict=True)}
    started = []
    try:
        for process in processes:
            process.start()
            started.append(process)
        for url in urls.values():
            _wait_until_served(url)
        yield urls
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.join()


def _plan(city: CityBeside, port: int, *, trust: Path, rides: int) -> SandboxPlan:
    city_key(city.folder)
    return SandboxPlan(
        folder=city.folder, trust=trust, host="127.0.0.1", port=port, residents=1, rides=rides, seed=1
    )


def _free_ports(count: int) -> list[int]:
    """Return ports that are free now, all different."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _wait_until_served(url: str) -> None:
    for _ in range(WAIT_SECONDS * 20):
        try:
            if httpx.get(url + "/v1/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise GatewayError(f"the sandbox city at {url} does not answer")
