"""Sandbox cities as processes behind real sockets, and the gateway's side of a conversation with them."""

import asyncio
import base64
import itertools
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from gateway.app.sandbox.city import city_key, look_at, tell_city
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.strict import read_strict_object
from gateway.peers import HttpPlatforms, LineLimits, LineParts
from gateway.ports import Credit, HoldPoints, LotPart, PlatformEndpoint, ReturnPoints, TellDecision
from gateway.signing import KeyRing, Message, TrustedKey, content_digest, seal, sign_request
from tests.fakes.servers import free_port
from tests.fakes.serving import STARTED_SECONDS, kill_session
from tests.unit.signing.signers import SeededSigner, trusted

T = TypeVar("T")
HTTP = SeededSigner("the gateway speaks", "http")
RECORD = SeededSigner("the gateway decides", "record")
_NUMBERS = itertools.count(1)
QUICK = LineLimits(request_seconds=3, message_seconds=10, pause_seconds=0.01, failures=1000)


def new_id(prefix: str) -> str:
    return f"{prefix}_{next(_NUMBERS):026d}"


def trust_folder(folder: Path) -> Path:
    """Write the keys that cities are to believe."""
    folder.mkdir(exist_ok=True)
    ring = KeyRing("gw.example", (trusted(RECORD), TrustedKey(purpose="http", public=HTTP.public, since=0)))
    (folder / "keys.json").write_bytes(ring.to_bytes())
    return folder


class SandboxCity:
    """A running city. ``account`` and ``events`` are of its first resident."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        trust: Path,
        faults: tuple[str, ...] = (),
        size: tuple[int, int] = (3, 200),
    ) -> None:
        """``size``: its residents, and the rides of each."""
        self.name = name
        self._size = size
        self.platform = f"cn-000000/{name}"
        self.unit = f"{self.platform}-point"
        self.folder = folder
        self._trust = trust
        self.url = f"http://127.0.0.1:{free_port()}"
        self.endpoint = self._endpoint()
        self.process = self._started(faults)
        self._lots = self._own_lots()

    def _endpoint(self) -> PlatformEndpoint:
        key = city_key(self.folder)
        return PlatformEndpoint(self.platform, self.url, {key["id"]: base64.b64decode(key["public"])})

    def _started(self, faults: tuple[str, ...] = ()) -> "subprocess.Popen[bytes]":
        command = [str(Path(sys.executable).with_name("tanqiao")), "sandbox", "serve", "--city", self.name]
        residents, rides = map(str, self._size)
        command += ["--home", str(self.folder), "--trust", str(self._trust)]
        command += ["--residents", residents, "--rides", rides]
        command += ["--port", self.url.rpartition(":")[2]]
        command += [word for fault in faults for word in ("--fault", fault)]
        with (self.folder / "served.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        for _ in range(STARTED_SECONDS * 20):
            try:
                if httpx.get(self.url + "/v1/health").status_code == 200:
                    return process
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError((self.folder / "served.log").read_text())

    def restart(self) -> None:
        """Kill it as it is, and start it again."""
        kill_session(self.process)
        self.process = self._started()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        finally:
            kill_session(self.process)

    def fault(self, name: str, *, times: int = 1, seconds: str = "1", only: str = "") -> None:
        body = {"fault": name, "times": times, "seconds": seconds, "only": only}
        tell_city(self.folder, "POST", what="faults", body=body)

    def heal(self) -> None:
        tell_city(self.folder, "DELETE", what="faults")

    def clock(self, seconds: int) -> None:
        tell_city(self.folder, "POST", what="clock", body={"seconds": seconds})

    def residents(self) -> list[dict[str, Any]]:
        found = look_at(self.folder, "residents")
        assert isinstance(found, list)
        return found

    @property
    def account(self) -> str:
        return str(self.residents()[0]["account"])

    def points(self) -> int:
        """Return what the first resident can spend."""
        return int(self.residents()[0]["points"])

    def lot(self, points: int = 1) -> LotPart:
        """Return part of a ride of the first resident that no other test uses."""
        event, granted = next(self._lots)
        assert granted >= points
        return LotPart(record=f"{next(_NUMBERS):032x}", points=points, co2e_mg=points * 10, event=event)

    def granted(self, event: str) -> int:
        """Return how many points a ride brought."""
        return int(self.column("SELECT points FROM grants WHERE event = ?", event)[0])

    def knows(self, key: str) -> bool:
        """Tell whether the city has written down an answer to an id."""
        return bool(self.column("SELECT id FROM answers WHERE id = ?", key))

    def column(self, query: str, *values: object) -> list[Any]:
        """Look into the city's database."""
        with closing(sqlite3.connect(self.folder / "city.db")) as db:
            return [row[0] for row in db.execute(query, values)]

    def _own_lots(self) -> Iterator[tuple[str, int]]:
        with closing(sqlite3.connect(self.folder / "city.db")) as db:
            query = "SELECT event, points FROM grants WHERE account = ? AND event <> '' AND points > 2"
            return iter(db.execute(query, (self.account,)).fetchall())


@contextmanager
def sandbox_city(
    name: str,
    folder: Path,
    *,
    trust: Path | None = None,
    faults: tuple[str, ...] = (),
    size: tuple[int, int] = (3, 200),
) -> Iterator[SandboxCity]:
    trusted_keys = trust or trust_folder(folder / "trust")
    city = SandboxCity(name, folder / name, trust=trusted_keys, faults=faults, size=size)
    try:
        yield city
    finally:
        if city.process.poll() is None:
            city.stop()


def hold(city: SandboxCity, *lots: LotPart, **changed: Any) -> HoldPoints:
    lots = lots or (city.lot(),)
    stated: dict[str, Any] = {
        "id": new_id("hd"),
        "transfer": new_id("tr"),
        "account": city.account,
        "unit": city.unit,
        "points": sum(lot.points for lot in lots),
        "destination": "cn-000000/elsewhere",
        "expected_in_s": 30,
        "lots": lots,
    }
    return HoldPoints(**stated | changed)


def credit(city: SandboxCity, **changed: Any) -> Credit:
    lots = changed.pop("lots", (LotPart(record=f"{next(_NUMBERS):032x}", points=5, co2e_mg=70),))
    stated: dict[str, Any] = {
        "id": new_id("cr"),
        "transfer": new_id("tr"),
        "account": city.account,
        "unit": city.unit,
        "points": sum(lot.points for lot in lots),
        "co2e_mg": sum(lot.co2e_mg for lot in lots),
        "source": "cn-000000/elsewhere",
        "expected_in_s": 30,
        "lots": lots,
    }
    return Credit(**stated | changed)


def returned(city: SandboxCity, original: Credit, **changed: Any) -> ReturnPoints:
    stated: dict[str, Any] = {
        "id": new_id("rt"),
        "transfer": new_id("tr"),
        "original": original.transfer,
        "account": original.account,
        "unit": city.unit,
        "points": original.points,
        "expected_in_s": 30,
    }
    return ReturnPoints(**stated | changed)


def decision(
    message: HoldPoints | Credit | ReturnPoints,
    city: SandboxCity,
    *,
    verdict: str = "COMMIT",
    signer: SeededSigner = RECORD,
    **changed: Json,
) -> TellDecision:
    """Return the decision on the transfer of a message that was sent to a city."""
    at_destination = isinstance(message, Credit)
    body: dict[str, Json] = {
        "type": "tanqiao/decision/1",
        "transfer": message.transfer,
        "decision": verdict,
        "reason": "" if verdict == "COMMIT" else "timed-out",
        "source": "cn-000000/elsewhere" if at_destination else city.platform,
        "destination": city.platform if at_destination else "cn-000000/elsewhere",
        "points_out": "1" if at_destination else str(message.points),
        "points_in": str(message.points) if at_destination else "1",
        "recognised_mg": str(message.co2e_mg) if isinstance(message, Credit) else "1",
        "window": "7",
    }
    envelope = read_strict_object(seal(body | changed, [signer]))
    return TellDecision(transfer=message.transfer, envelope=envelope)


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)


def speaking(*cities: SandboxCity, limits: LineLimits = QUICK, private: bool = True) -> HttpPlatforms:
    endpoints = {city.platform: city.endpoint for city in cities}
    numbers = itertools.count()
    parts = LineParts(
        signer=HTTP,
        clock=Clock(),
        new_nonce=lambda: f"{time.time_ns():020d}{next(numbers):06d}",
        below=lambda _: 0,
        private=private,
        limits=limits,
    )
    return HttpPlatforms(endpoints.get, parts)


def told(
    *cities: SandboxCity,
    talk: Callable[[HttpPlatforms], Coroutine[Any, Any, T]],
    limits: LineLimits = QUICK,
) -> T:
    """Run a conversation with cities."""

    async def run() -> T:
        async with speaking(*cities, limits=limits) as platforms:
            return await talk(platforms)

    return asyncio.run(run())


def signed(
    method: str,
    url: str,
    document: Any = None,
    *,
    key: str = "k",
    signer: Any = HTTP,
    now: datetime | None = None,
) -> Message:
    """Return a request as the gateway signs it."""
    content = b"" if document is None else canonical_bytes(document)
    headers = {"idempotency-key": key} if content else {}
    if content:
        headers |= {"content-type": "application/json", "content-digest": content_digest(content)}
    message = Message(method, url, headers, has_content=bool(content))
    created = now or Clock().now()
    made = sign_request(message, signer, created=created, nonce=f"{time.time_ns():026d}")
    return Message(
        method, url, headers | {name.lower(): value for name, value in made.items()}, bool(content)
    )
