"""The HTTP interface as a whole."""

from typing import Final

from fastapi import FastAPI

from gateway.api import (
    acts,
    admin,
    agreements,
    operations,
    platforms,
    problems,
    public,
    records,
    reference,
    transfers,
    webhooks,
)
from gateway.api.contract import describe
from gateway.api.edge import Edge
from gateway.api.parts import ApiParts
from gateway.api.waiting import Waiting

__all__ = ["application"]

_DESCRIPTION: Final = (
    "Platforms submit what their residents did, once however often it is sent; each act that counts becomes a"
    " signed record with a receipt that anybody can verify offline. Amounts are decimal strings."
)


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
        redirect_slashes=False,
    )
    if parts is not None:
        api.state.parts = parts
        api.state.waiting = Waiting(parts.operations)
        api.add_middleware(Edge, limits=parts.limits, measures=parts.measures)
    problems.install(api)
    moving = (agreements, transfers)
    for resource in (public, platforms, acts, operations, records, *moving, reference, webhooks, admin):
        api.include_router(resource.router)
    describe(api)
    return api
