"""A city's platform over HTTP: what openapi/platform.yaml describes, and nothing else."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gateway.errors import GatewayError
from gateway.model.canonical import canonical_bytes
from gateway.sandbox.city import documents as d
from gateway.sandbox.city.admin import router as admin
from gateway.sandbox.city.contract import batch_answer, batch_body, describe, message_body
from gateway.sandbox.city.desk import KINDS, Kind
from gateway.sandbox.city.edge import answered, parts_of
from gateway.sandbox.city.parts import CityParts
from gateway.sandbox.city.refusals import Refusal, RefusalCode, problem
from gateway.sandbox.city.stating import lots_of, totals_of, transfers_of
from gateway.sandbox.city.work import Work

__all__ = ["city_application"]

_DESCRIPTION: Final = (
    "What a city's platform implements to take part in transfers. Each message has an id that the gateway"
    " makes and keeps: the same id with the same document gets the same bytes again, with another document"
    " 409 that names the field. A hold and a credit never end by themselves; only the gateway's signed"
    " decision ends them. Every request is signed by the gateway, every answer by the platform. Amounts are"
    " decimal strings of the smallest unit."
)
_VERBS: Final = {"hold": "place", "return": "place", "credit": "prepare", "decision": "deliver"}
Handler = Callable[..., Awaitable[Response]]


class Health(d.Document):
    """The process answers, for this platform."""

    platform: str
    status: str


def city_application(parts: CityParts | None) -> FastAPI:
    """Return a city's interface; without parts it only describes itself."""
    api = FastAPI(
        title="Platform API of a city",
        version="1",
        summary="What a carbon-inclusion (碳普惠) platform implements for Tanqiao",
        description=_DESCRIPTION,
        generate_unique_id_function=lambda route: route.name,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    if parts is not None:
        api.state.city = parts
    for resource, kind in KINDS.items():
        api.include_router(_messages(resource, kind))
    api.include_router(_statements())
    api.include_router(_public())
    api.include_router(admin)
    _refuse_by_problems(api)
    api.openapi = lambda: describe(api)  # type: ignore[method-assign]  # FastAPI's own way
    return api


def _refuse_by_problems(api: FastAPI) -> None:
    """Have what never came to the desk refused by problem documents, too; these are not signed."""

    @api.exception_handler(Refusal)
    async def refused(_: Request, error: Refusal) -> Response:
        headers = {"content-type": "application/problem+json"}
        return Response(canonical_bytes(problem(error)), error.status, headers)

    @api.exception_handler(GatewayError)
    async def unusable(request: Request, error: GatewayError) -> Response:
        return await refused(request, Refusal(RefusalCode.MALFORMED, str(error), field=error.field))

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, _: RequestValidationError) -> Response:
        return await refused(request, Refusal(RefusalCode.MALFORMED, "a parameter is not what it should be"))

    @api.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            answer = await refused(request, Refusal(RefusalCode.METHOD, "see openapi/platform.yaml"))
            answer.headers["allow"] = (error.headers or {}).get("Allow", "GET")
            return answer
        return await refused(request, Refusal(RefusalCode.NOT_FOUND, "see openapi/platform.yaml"))


def _messages(resource: str, kind: Kind) -> APIRouter:
    """Return the three routes of one kind of message: take one, take several, tell how one stands."""
    router = APIRouter(prefix="/v1", tags=[resource.rpartition("/")[2]])
    verb = _VERBS.get(kind.one, "ask")
    router.add_api_route(
        f"/{resource}",
        _take(resource),
        methods=["POST"],
        status_code=201,
        name=f"{verb}_{kind.one}",
        summary=f"{verb} a {kind.one}".capitalize(),
        description=f"{kind.form.__doc__} The same id and document get the same answer, byte for byte.",
        response_model=kind.answer,
        responses={202: {"model": d.Accepted, "description": "Taken; to be asked for, or sent again."}},
        openapi_extra=message_body(kind.form),
    )
    router.add_api_route(
        f"/{resource}:batch",
        _take_all(resource),
        methods=["POST"],
        name=f"{verb}_{kind.one}_batch",
        summary=f"{verb} several".capitalize(),
        description="Each line has an outcome of its own, in their order; a refused one keeps no other.",
        responses={200: batch_answer(kind.answer)},
        response_class=Response,
        openapi_extra=batch_body(kind.form),
    )
    router.add_api_route(
        f"/{resource}/{{{kind.key}}}",
        _show(resource, kind.key),
        methods=["GET"],
        name=f"show_{kind.one}",
        summary=f"Tell how a {kind.one} stands",
        description="Asked where an answer was lost. One that was refused for good is told by its refusal.",
        response_model=kind.answer,
    )
    return router


def _take(resource: str) -> Handler:
    async def take(request: Request) -> Response:
        desk, clock = parts_of(request).desk, parts_of(request).clock
        return await answered(
            request, lambda content, defects: desk.take(resource, content, now=clock.now(), defects=defects)
        )

    return take


def _take_all(resource: str) -> Handler:
    async def take_all(request: Request) -> Response:
        desk, clock = parts_of(request).desk, parts_of(request).clock
        return await answered(
            request,
            lambda content, defects: desk.take_all(resource, content, now=clock.now(), defects=defects),
        )

    return take_all


def _show(resource: str, name: str) -> Handler:
    async def show(request: Request, key: Annotated[str, Path(alias=name)]) -> Response:
        desk, clock = parts_of(request).desk, parts_of(request).clock
        return await answered(
            request, lambda _, defects: desk.show(resource, key, now=clock.now(), defects=defects)
        )

    return show


DayPath = Annotated[str, Path(description="A local day of the platform.", examples=["2026-11-22"])]
Cursor = Annotated[str, Query(description="`next` of the page before.", max_length=64)]


def _statements() -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["statements"])

    @router.post(
        "/statements:batch",
        responses={200: batch_answer(d.Totals)},
        response_class=Response,
        openapi_extra=batch_body(d.StatementWanted),
    )
    async def statement_batch(request: Request) -> Response:
        """Tell what several days added up to; each has an outcome of its own."""
        desk, clock = parts_of(request).desk, parts_of(request).clock
        return await answered(
            request, lambda content, defects: desk.state_all(content, now=clock.now(), defects=defects)
        )

    @router.get("/statements/{day}", response_model=d.Totals)
    async def statement(request: Request, day: DayPath) -> Response:
        """Tell what a day added up to: transfers that were decided on it, and roots over both lists."""
        return await _stated(request, lambda work: totals_of(work, day))

    @router.get("/statements/{day}/lots", response_model=d.LotPage)
    async def statement_lots(request: Request, day: DayPath, *, cursor: Cursor = "") -> Response:
        """List what a day's transfers did to each lot."""
        return await _stated(request, lambda work: lots_of(work, day, cursor=cursor))

    @router.get("/statements/{day}/transfers", response_model=d.TransferPage)
    async def statement_transfers(request: Request, day: DayPath, *, cursor: Cursor = "") -> Response:
        """List a day's transfers by their ids."""
        return await _stated(request, lambda work: transfers_of(work, day, cursor=cursor))

    return router


async def _stated(request: Request, made: Callable[[Work], dict[str, object]]) -> Response:
    desk, clock = parts_of(request).desk, parts_of(request).clock
    return await answered(request, lambda _, defects: desk.state(made, now=clock.now(), defects=defects))


def _public() -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["public"])

    @router.get("/health", response_model=Health)
    async def health(request: Request) -> Health:
        """Tell that the process answers; the one thing that needs no signature."""
        return Health(platform=parts_of(request).desk.city.platform, status="ok")

    return router
