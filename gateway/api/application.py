"""The HTTP interface as a whole."""

import re
import secrets
from typing import Final

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api import acts, links, mappings, operations, platforms, problems, public, records
from gateway.api.contract import describe
from gateway.api.parts import ApiParts
from gateway.api.rates import Rate
from gateway.api.waiting import Waiting

__all__ = ["application"]

_DESCRIPTION: Final = (
    "Platforms submit what their residents did, once however often it is sent; each act that counts becomes a"
    " signed record with a receipt that anybody can verify offline. Amounts are decimal strings."
)
TRYING_TOGETHER: Final = 2  # computations for anybody, in one worker
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
    if parts is not None:
        api.state.parts = parts
        api.state.waiting = Waiting(parts.operations)
        api.state.links_rate = Rate(parts.limits.links_a_minute)
        api.state.trying = CapacityLimiter(TRYING_TOGETHER)
    problems.install(api)
    api.add_middleware(_Named)
    for resource in (public, mappings, platforms, acts, operations, records, links):
        api.include_router(resource.router)
    describe(api)
    return api


class _Named:
    """Gives each request an id, its own if it brings one, and says it in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        name = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = name

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = name
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        await self._app(scope, receive, named)
