"""Join the parts of a sandbox city: its folder, its key, its clock, its interface."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import orjson
import uvicorn

from gateway.app.base.clock import SystemClock
from gateway.app.base.collecting import collect_seldom
from gateway.app.base.listening import listening
from gateway.app.base.mappings import known_behaviours
from gateway.app.transfers.corridor_files import FILE_BYTES_MAX, MANIFEST, read_manifest, write_pair
from gateway.convert import load_program
from gateway.errors import LocalFileError, Refused, Unreachable, UsageError
from gateway.model.canonical import canonical_bytes
from gateway.model.strict import read_strict_object
from gateway.resources import schema
from gateway.sandbox.city import (
    CITIES,
    Book,
    CityClock,
    CityParts,
    Desk,
    FaultBoard,
    FaultSwitch,
    city_application,
    city_named,
    read_switch,
    settle_residents,
)
from gateway.signing import KeyRing
from gateway.store.files.durable import write_durably
from gateway.store.files.inputs import read_small
from gateway.store.files.keys import FileSigner, create_signing_key

__all__ = ["SandboxPlan", "answer_file", "cities", "city_key", "look_at", "serve_city", "tell_city"]

GRACE_SECONDS: Final = 5
SECONDS: Final = 10
FILE_SECONDS: Final = 3600
SHOWN: Final = ("residents", "state", "samples", "rides", "mapping")


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPlan:
    """How to serve a city. ``trust`` is the trust folder of the gateway that it listens to."""

    folder: Path
    trust: Path
    host: str
    port: int
    residents: int
    rides: int
    seed: int
    faults: Sequence[str] = ()


def cities() -> list[dict[str, object]]:
    """Return the cities that there are, and what sets them apart."""
    return [
        {
            "city": name,
            "platform": city.platform,
            "bike_g_per_km": city.bike or "-",
            "points": f"1 for {city.gram_per_point} g" if city.gram_per_point else "by its mapping",
            "lapse": city.expiry or "never",
            "asks_residents": city.asks,
        }
        for name, city in CITIES.items()
    ]


def city_key(folder: Path) -> dict[str, str]:
    """Return the public key of a city, which is made where there is none; the gateway needs it."""
    signer = _signer(folder)
    return {"id": signer.key_id, "public": base64.b64encode(signer.public).decode()}


def serve_city(name: str, plan: SandboxPlan) -> None:
    """Answer over HTTP until interrupted.

    Raises:
        UsageError: there is no such city or fault.
        LocalFileError: the gateway's keys cannot be read, or the port is taken.
    """
    parts = _parts(name, plan)
    collect_seldom()
    with listening(plan.host, plan.port) as opened:
        address = {"url": f"http://{plan.host}:{plan.port}", "token": parts.token}
        write_durably(plan.folder / "running.json", orjson.dumps(address), mode=0o600)
        config = uvicorn.Config(
            city_application(parts),
            log_level="critical",  # a connection that is cut on purpose is no error
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[opened])


def tell_city(
    folder: Path, method: str, *, what: str, body: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Turn a switch of a running city; returns how it stands then.

    Raises:
        LocalFileError: no city was ever served from that folder.
        Unreachable: it is not running.
        Refused: it says why.
    """
    content = None if body is None else orjson.dumps(body)
    found: dict[str, object] = _asked(folder, method, what=what, content=content).json()
    return found


def look_at(folder: Path, what: str) -> str | list[dict[str, object]] | dict[str, object]:
    """Look into a running city; see :func:`tell_city`.

    Raises:
        UsageError: names what can be looked at.
    """
    if what not in SHOWN:
        raise UsageError(f"a city has no {what!r} to show", remedy=f"one of: {', '.join(SHOWN)}")
    answer = _asked(folder, "GET", what=what)
    if what in ("rides", "mapping"):
        return answer.text
    found: list[dict[str, object]] | dict[str, object] = answer.json()
    return found


def answer_file(folder: Path, file: Path, *, out: Path) -> dict[str, object]:
    """Have a running city work through a gateway's file, and write its own into a folder; see `tell_city`."""
    asked = canonical_bytes(read_strict_object(read_manifest(file)))
    content = read_small(file, bytes_max=FILE_BYTES_MAX)
    answer = _asked(folder, "POST", what="files", content=asked + b"\n" + content, seconds=FILE_SECONDS)
    manifest, _, made = answer.content.partition(b"\n")
    sequence: int = orjson.loads(manifest)["body"]["sequence"]
    path = out / f"{file.stem}-answer-{sequence:06d}.csv"
    write_pair(path, made, manifest=manifest)
    return {"sequence": sequence, "file": str(path), "manifest": f"{path}{MANIFEST}"}


def _asked(
    folder: Path, method: str, *, what: str, content: bytes | None = None, seconds: float = SECONDS
) -> httpx.Response:
    try:
        address = orjson.loads((folder / "running.json").read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise LocalFileError(
            f"no city was served from {folder}", remedy="tanqiao sandbox serve --home DIR"
        ) from error
    try:
        answer = httpx.request(
            method,
            f"{address['url']}/sandbox/{what}",
            content=content,
            headers={"authorization": f"Bearer {address['token']}"},
            timeout=seconds,
        )
    except httpx.TransportError as error:
        raise Unreachable(
            f"the city at {address['url']} does not answer",
            remedy=f"serve it again: tanqiao sandbox serve --home {folder}",
        ) from error
    if answer.status_code != 200:
        raise Refused(str(answer.json().get("detail", "")), field=what)
    return answer


def _parts(name: str, plan: SandboxPlan) -> CityParts:
    city = city_named(name)
    switches = [_switch(text) for text in plan.faults]
    keys = plan.trust / "keys.json"

    def ring() -> KeyRing:
        try:
            return KeyRing.parse(keys.read_bytes())
        except OSError as error:
            raise LocalFileError(
                f"cannot read the gateway's keys {keys}: {error.strerror}",
                remedy="name the folder trust of the gateway's home with --trust",
            ) from error

    ring()
    signer = _signer(plan.folder)
    book = Book(plan.folder / "city.db")
    program = load_program(city.mapping.encode(), schema("mapping"), behaviours=known_behaviours())
    settle_residents(book, city, program=program, residents=plan.residents, rides=plan.rides, seed=plan.seed)
    return CityParts(
        desk=Desk(city, book, ring=ring),
        board=FaultBoard(switches),
        clock=CityClock(book, SystemClock()),
        signer=signer,
        ring=ring,
        token=secrets.token_urlsafe(24),
    )


def _switch(text: str) -> FaultSwitch:
    """Read a fault as it stands on a command line: NAME, or NAME:TIMES."""
    kind, _, times = text.partition(":")
    return read_switch(kind, times=int(times) if times.isdigit() else 0)


def _signer(folder: Path) -> FileSigner:
    path = folder / "http.key"
    folder.mkdir(parents=True, exist_ok=True)
    return FileSigner(path, "http") if path.exists() else create_signing_key(path, "http")
