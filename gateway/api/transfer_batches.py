"""``/v1/quotes:batch`` and ``/v1/transfers:batch``: several under one signature, an outcome for each line."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request, Response

from gateway.api.batches import answer_batch, batch_lines, batch_outcomes, outcomes, read_lines
from gateway.api.bodies import parts_of, signed_document
from gateway.api.traced import link_to
from gateway.api.transfers import (
    QUOTE_FORM,
    QuoteDocument,
    TransferAnswer,
    quote_asked,
    quote_document,
    transfer_of,
)
from gateway.errors import GatewayError
from gateway.model.canonical import Json
from gateway.model.strict import read_strict_object
from gateway.ports import Platform
from gateway.service.each import go_on, tried
from gateway.service.transfers.quoting import QuoteAsked, make_quotes

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["transfers"])
Sent = Annotated[tuple[Platform, bytes], Depends(signed_document)]


@router.post(
    "/quotes:batch",
    response_class=Response,
    responses=batch_outcomes(QuoteDocument.__name__),
    openapi_extra=batch_lines("/v1/quotes"),
)
async def quote_batch(request: Request, sent: Sent) -> Response:
    """Quote several moves of the asking platform's points, each for itself; outcomes in their order."""
    platform, content = sent
    parts = parts_of(request).transferring

    def read(line: bytes) -> QuoteAsked:
        return quote_asked(QUOTE_FORM.read(line), platform, parts=parts)

    def quoted() -> list[dict[str, object]]:
        made = go_on(read_lines(content, read), lambda asked: make_quotes(asked, parts.quoting))
        return outcomes(request, go_on(made, lambda some: [quote_document(one).model_dump() for one in some]))

    return await answer_batch(quoted)


@router.post(
    "/transfers:batch",
    response_class=Response,
    responses=batch_outcomes(TransferAnswer.__name__, id={"type": "string"}),
    openapi_extra=batch_lines("/v1/transfers"),
)
async def start_transfer_batch(request: Request, sent: Sent) -> Response:
    """Move several things that were quoted. Each id has its answer for ever; it may stand here twice.

    A line that is refused keeps no other from its way.
    """
    platform, content = sent
    transferring = parts_of(request).transferring

    def start(bodies: Sequence[dict[str, Json]]) -> list[bytes | GatewayError]:
        link_to(str(one["id"]) for one in bodies)
        return transferring.start_all(bodies, sender=platform.id)

    def started() -> list[dict[str, object]]:
        lines = read_lines(content, read_strict_object)
        bodies = go_on(lines, lambda some: [tried(partial(transfer_of, one)) for one in some])
        answers = go_on(go_on(bodies, start), lambda some: [orjson.Fragment(one) for one in some])
        ids = ["" if isinstance(line, GatewayError) else str(line.get("id", "")) for line in lines]
        told = outcomes(request, answers, status=202)
        return [{"id": name} | one for name, one in zip(ids, told, strict=True)]

    return await answer_batch(started)
