"""The switches of a sandbox city: no part of the platform API, open to whoever has the city's folder."""

import hmac
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from gateway.errors import UsageError
from gateway.model.canonical import Json
from gateway.model.strict import read_strict_object
from gateway.sandbox.city.accounts import settle_consent
from gateway.sandbox.city.edge import parts_of, read_content
from gateway.sandbox.city.faults import read_switch
from gateway.sandbox.city.filing import answer_file
from gateway.sandbox.city.parts import CityParts
from gateway.sandbox.city.residents import rides_file, shown_residents, shown_samples
from gateway.sandbox.city.work import moment_text

__all__ = ["router"]

FILE_BYTES_MAX: Final = 256 << 20
router = APIRouter(prefix="/sandbox", include_in_schema=False)


async def _opened(request: Request) -> CityParts:
    parts = parts_of(request)
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), parts.token.encode()):
        raise UsageError("the switches need the token in the city's folder", field="/authorization")
    return parts


Opened = Annotated[CityParts, Depends(_opened)]


@router.get("/state")
async def state(parts: Opened) -> dict[str, Any]:
    """Return clock and faults."""
    return _shown(parts)


@router.get("/residents")
async def residents(parts: Opened) -> list[dict[str, Any]]:
    """Return the residents: account, what they can spend, the code that links them."""
    return await run_in_threadpool(shown_residents, parts.desk.book)


@router.get("/samples")
async def samples(parts: Opened) -> dict[str, Any]:
    """Return what a conformance run may use: the last resident's account and acts, and codes."""
    return await run_in_threadpool(shown_samples, parts.desk.book, parts.desk.city)


@router.get("/rides")
async def rides(parts: Opened) -> Response:
    """Return the file of rides that the city would send to a gateway."""
    name, content = await run_in_threadpool(rides_file, parts.desk.book, parts.desk.city)
    return Response(content, headers={"content-disposition": f'attachment; filename="{name}"'})


@router.get("/mapping")
async def mapping(parts: Opened) -> Response:
    """Return the city's mapping."""
    return Response(parts.desk.city.mapping, media_type="application/yaml")


@router.post("/faults")
async def put_fault(request: Request, parts: Opened) -> dict[str, Any]:
    """Switch a fault on: `fault`, and if wanted `times`, `seconds`, `only`."""
    asked = await _object(request)
    switch = read_switch(
        str(asked.get("fault")),
        times=_whole(asked.get("times", 0), "times"),
        seconds=_seconds(asked.get("seconds", "2")),
        only=str(asked.get("only", "")),
    )
    parts.board.put(switch)
    return _shown(parts)


@router.delete("/faults")
async def clear_faults(parts: Opened) -> dict[str, Any]:
    """Switch all faults off."""
    parts.board.clear()
    return _shown(parts)


@router.post("/clock")
async def move_clock(request: Request, parts: Opened) -> dict[str, Any]:
    """Move the clock by `seconds`; 0 puts it right."""
    seconds = _whole((await _object(request)).get("seconds"), "seconds")
    await run_in_threadpool(parts.clock.move, seconds)
    return _shown(parts)


@router.post("/gateway")
async def put_gateway(request: Request, parts: Opened) -> dict[str, Any]:
    """Say where the gateway answers: `url`."""
    parts.gateway = str((await _object(request)).get("url", "")).rstrip("/")
    return _shown(parts)


@router.post("/files")
async def work_through(request: Request, parts: Opened) -> Response:
    """Do what a file says and return the city's own: a manifest in one line and the file, both ways."""
    manifest, _, content = (await read_content(request, most=FILE_BYTES_MAX)).partition(b"\n")
    working = partial(answer_file, parts, content, envelope=read_strict_object(manifest))
    made = await run_in_threadpool(working)
    return Response(made.manifest + b"\n" + made.content)


@router.post("/consents/{consent}")
async def answer_consent(request: Request, consent: str, *, parts: Opened) -> dict[str, Any]:
    """Answer for a resident: `state` given, refused or withdrawn."""
    wanted = str((await _object(request)).get("state"))
    if wanted not in ("given", "refused", "withdrawn"):
        raise UsageError("expected `state`: given, refused or withdrawn", field="/state")

    def settled() -> None:
        with parts.desk.book.transaction() as db:
            settle_consent(db, consent, state=wanted)

    await run_in_threadpool(settled)
    return {"id": consent, "state": wanted}


def _shown(parts: CityParts) -> dict[str, Any]:
    return {
        "city": parts.desk.city.platform,
        "clock": moment_text(parts.clock.now()),
        "faults": parts.board.shown(),
        "gateway": parts.gateway,
        "called_back": dict(sorted(parts.called.items())),
        "calling_back": len(parts.calling),
    }


async def _object(request: Request) -> dict[str, Json]:
    return read_strict_object(await read_content(request))


def _whole(value: Json | None, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"expected a whole number in `{name}`", field=f"/{name}")
    return value


def _seconds(value: Json) -> float:
    try:
        return float(str(value))
    except ValueError as error:
        raise UsageError("expected seconds, such as 0.5, as a text", field="/seconds") from error
