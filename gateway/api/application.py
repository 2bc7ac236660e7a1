"""The HTTP interface as a whole."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from gateway.api import (
    acts,
    admin,
    agreements,
    answers,
    links,
    mappings,
    operations,
    platforms,
    problems,
    public,
    publications,
    records,
    reference,
    transfer_batches,
    transfers,
    webhooks,
)
from gateway.api.contract import describe
from gateway.api.edge import Edge
from gateway.api.parts import ApiParts
from gateway.api.together import Together
from gateway.api.traced import Traced
from gateway.api.waiting import Waiting
from gateway.service.transfers.transferring import Transferring

__all__ = ["application"]

T = TypeVar("T")
U = TypeVar("U")
TRYING_TOGETHER: Final = 2  # computations for anybody, in one worker
TRANSFERS_TOGETHER: Final = 50  # quotes or starts of one call: some 100 ms
_RESOURCES: Final = (
    public,
    publications,  # before mappings: its list is no digest
    mappings,
    agreements,
    platforms,
    acts,
    operations,
    records,
    links,
    transfers,
    transfer_batches,
    answers,
    reference,
    webhooks,
    admin,
)
_DESCRIPTION: Final = (
    "Platforms submit what their residents did, once however often it is sent; each act that counts becomes a"
    " signed record with a receipt that anybody can verify offline. Amounts are decimal strings."
)
_NOT_TRACED: Final = TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False)
"""FastAPI's own spans and logs would show paths and contents; ``Edge`` writes down what may be shown."""


def _together(
    work: Callable[[Transferring, Sequence[T]], list[U | Exception]], parts: ApiParts
) -> Together[T, U]:
    """Do for what is asked for at the same moment what is done for a batch; it may all be repeated."""
    return Together(partial(work, parts.transferring), repeatable=True, most=TRANSFERS_TOGETHER)


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
        telemetry=_NOT_TRACED,
    )
    if parts is not None:
        api.state.parts = parts
        api.state.admitting = Together(parts.gatekeeper.admit)
        api.state.submitting = Together(parts.submitting.submit_rows)
        api.state.quoting = _together(transfers.quote_each, parts)
        api.state.starting = _together(transfers.start_each, parts)
        api.state.waiting = Waiting(parts.operations)
        api.state.trying = CapacityLimiter(TRYING_TOGETHER)
        api.add_middleware(Edge, limits=parts.limits, measures=parts.measures)
        if parts.tracer is not None:
            api.add_middleware(Traced, tracer=parts.tracer)
    problems.install(api)
    for resource in _RESOURCES:
        api.include_router(resource.router)
    describe(api)
    return api
