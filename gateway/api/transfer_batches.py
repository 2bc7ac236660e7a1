"""``/v1/quotes:batch`` and ``/v1/transfers:batch``: several under one signature, an outcome for each line."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import object_body, parts_of, signed_document
from gateway.api.problems import problem_body, status_of
from gateway.api.transfers import (
    QuoteDocument,
    TransferAnswer,
    quote_asked,
    quote_document,
)
from gateway.errors import GatewayError, MalformedDocument
from gateway.model.canonical import Json
from gateway.model.strict import read_strict_object
from gateway.ports import Platform
from gateway.service.each import tried
from gateway.service.quoting import MadeQuote, QuoteAsked, make_quotes

__all__ = ["batch_answer", "batch_items", "batch_lines", "batch_outcomes", "refused_line", "router"]

router = APIRouter(prefix="/v1", tags=["transfers"])
LINES_MAX: Final = 500
BATCH_BYTES_MAX: Final = 8 << 20  # 500 lines with quotes of 8 lots each; fewer where they have more
Sent = Annotated[tuple[Platform, bytes], Depends(signed_document)]
_REFERENCE: Final = "#/components/schemas/"


def batch_lines(alone: str) -> dict[str, Any]:
    """Describe the lines: any objects, since one that is not as it should be is refused by itself."""
    line = {"type": "object", "description": f"The content of `POST {alone}`; otherwise its outcome says so."}
    return object_body(items={"type": "array", "minItems": 1, "maxItems": LINES_MAX, "items": line})


def batch_outcomes(answer: str, **more: Mapping[str, str]) -> dict[int | str, dict[str, Any]]:
    """Describe the answer: ``answer`` is the name of a good line's document."""
    one_of = [{"$ref": _REFERENCE + name} for name in (answer, "Problem")]
    members: dict[str, Any] = {
        **more,
        "status": {"type": "integer", "description": "What the line would have got by itself."},
        "document": {"anyOf": one_of},
    }
    line = {
        "type": "object",
        "required": [name for name in members if name != "id"],
        "additionalProperties": False,
        "properties": members,
    }
    schema = {
        "type": "object",
        "required": ["outcomes"],
        "additionalProperties": False,
        "properties": {"outcomes": {"type": "array", "items": line}},
    }
    described = {"description": "What became of each.", "content": {"application/json": {"schema": schema}}}
    return {200: described}


@router.post(
    "/quotes:batch",
    response_class=Response,
    responses=batch_outcomes(QuoteDocument.__name__),
    openapi_extra=batch_lines("/v1/quotes"),
)
async def quote_batch(request: Request, sent: Sent) -> Response:
    """Quote several moves of the asking platform's points, each for itself; outcomes in their order."""
    platform, content = sent
    items = batch_items(content)
    parts = parts_of(request).transferring

    def made() -> list[MadeQuote | GatewayError]:
        asked = [tried(partial(quote_asked, item, platform, parts=parts)) for item in items]
        quotes = iter(make_quotes([one for one in asked if isinstance(one, QuoteAsked)], parts.quoting))
        return [next(quotes) if isinstance(one, QuoteAsked) else one for one in asked]

    def answered() -> bytes:
        return batch_answer(
            refused_line(request, one)
            if isinstance(one, GatewayError)
            else {"status": 200, "document": quote_document(one).model_dump()}
            for one in made()
        )

    return Response(await run_in_threadpool(answered), media_type="application/json")


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
    items = batch_items(content)
    transferring = parts_of(request).transferring

    def answered() -> bytes:
        outcomes = transferring.start_all(items, sender=platform.id)
        return batch_answer(
            {"id": str(item.get("id", ""))}
            | (
                refused_line(request, one)
                if isinstance(one, GatewayError)
                else {"status": 202, "document": orjson.Fragment(one)}
            )
            for item, one in zip(items, outcomes, strict=True)
        )

    return Response(await run_in_threadpool(answered), media_type="application/json")


def batch_items(content: bytes) -> Sequence[dict[str, Json]]:
    """Read the lines of a batch.

    Raises:
        MalformedDocument: it is no batch of objects.
    """
    document = read_strict_object(content, BATCH_BYTES_MAX)
    items = document.get("items")
    if set(document) != {"items"} or not isinstance(items, list) or not 1 <= len(items) <= LINES_MAX:
        told = f"expected an object with `items`, 1 to {LINES_MAX} of them"
        raise MalformedDocument(told, field="/items", remedy="see openapi/gateway.yaml")
    lines = [item for item in items if isinstance(item, dict)]
    if len(lines) != len(items):
        raise MalformedDocument("each item is an object", field="/items", remedy="see openapi/gateway.yaml")
    return lines


def refused_line(request: Request, error: GatewayError) -> dict[str, Any]:
    """Return the outcome of a line that was refused."""
    status = status_of(error)
    return {"status": status, "document": problem_body(request, status, code=error.code, error=error)}


def batch_answer(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the answer to a batch."""
    return orjson.dumps({"outcomes": list(lines)})
