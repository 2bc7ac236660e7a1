"""The HTTP interface as a whole."""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import FastAPI, Request, Response

from gateway.api import acts, operations, platforms, problems, public, records
from gateway.api.contract import describe
from gateway.api.parts import ApiParts

__all__ = ["application"]

_DESCRIPTION: Final = (
    "Platforms submit what their residents did, once however often it is sent; each act that counts becomes a"
    " signed record with a receipt that anybody can verify offline. Amounts are decimal strings."
)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def application(parts: ApiParts | None) -> FastAPI:
    """Return the interface over some parts; without them it only describes itself."""
    api = FastAPI(
        title="Tanqiao gateway",
        version="1",
        summary="Interoperability gateway between carbon-inclusion (碳普惠) platforms",
        description=_DESCRIPTION,
        generate_unique_id_function=lambda route: route.name,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    api.state.parts = parts
    problems.install(api)
    api.middleware("http")(_named)
    for resource in (public, platforms, acts, operations, records):
        api.include_router(resource.router)
    describe(api)
    return api


async def _named(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Give each request an id, its own if it brings one, and say it in the answer."""
    given = request.headers.get("x-request-id", "")
    request.state.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    response = await answer(request)
    response.headers["X-Request-Id"] = request.state.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
