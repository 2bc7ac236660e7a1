"""``/v1/quotes:batch`` and ``/v1/transfers:batch``: several under one signature, an outcome for each line."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, signed_document
from gateway.api.forms import Form
from gateway.api.problems import problem_body, status_of
from gateway.api.rows import read_items
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
from gateway.model.strict import read_strict_object
from gateway.ports import Platform
from gateway.service.each import tried
from gateway.service.quoting import MadeQuote, QuoteAsked, make_quotes

__all__ = ["LINES_MAX", "batch_answer", "batch_lines", "batch_outcomes", "refused_line", "router"]

router = APIRouter(prefix="/v1", tags=["transfers"])
LINES_MAX: Final = 500
Sent = Annotated[tuple[Platform, bytes], Depends(signed_document)]
_REFERENCE: Final = "#/components/schemas/"


def batch_lines(alone: str) -> dict[str, Any]:
    """Describe the lines: any objects, since one that is not as it should be is refused by itself."""
    line = {"type": "object", "description": f"The content of `POST {alone}`; otherwise its outcome says so."}
    items = {"type": "array", "minItems": 1, "maxItems": LINES_MAX, "items": line}
    return Form(items=items).body


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
    items = read_items(content, most=LINES_MAX)
    parts = parts_of(request).transferring

    def read(item: bytes) -> QuoteAsked:
        return quote_asked(QUOTE_FORM.read(item), platform, parts=parts)

    def made() -> list[MadeQuote | GatewayError]:
        asked = [tried(partial(read, item)) for item in items]
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
    items = read_items(content, most=LINES_MAX)
    transferring = parts_of(request).transferring

    def answered() -> bytes:
        sent = [tried(partial(read_strict_object, item)) for item in items]
        bodies = [one if isinstance(one, GatewayError) else tried(partial(transfer_of, one)) for one in sent]
        good = [one for one in bodies if not isinstance(one, GatewayError)]
        link_to(str(one["id"]) for one in good)
        answers = iter(transferring.start_all(good, sender=platform.id))
        outcomes = [one if isinstance(one, GatewayError) else next(answers) for one in bodies]
        return batch_answer(
            {"id": "" if isinstance(line, GatewayError) else str(line.get("id", ""))}
            | (
                refused_line(request, one)
                if isinstance(one, GatewayError)
                else {"status": 202, "document": orjson.Fragment(one)}
            )
            for line, one in zip(sent, outcomes, strict=True)
        )

    return Response(await run_in_threadpool(answered), media_type="application/json")


def refused_line(request: Request, error: GatewayError) -> dict[str, Any]:
    """Return the outcome of a line that was refused."""
    status = status_of(error)
    return {"status": status, "document": problem_body(request, status, code=error.code, error=error)}


def batch_answer(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the answer to a batch."""
    return orjson.dumps({"outcomes": list(lines)})
