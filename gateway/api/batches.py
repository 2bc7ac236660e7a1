"""Several under one signature, an outcome for each: what one line comes to keeps no other from its way."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import orjson
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from gateway.api.forms import Form
from gateway.api.problems import problem_body, status_of
from gateway.api.rows import read_items
from gateway.errors import GatewayError
from gateway.service.each import tried

__all__ = ["answer_batch", "batch_lines", "batch_outcomes", "outcomes", "read_lines"]

LINES_MAX: Final = 500
T = TypeVar("T")
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


def read_lines(content: bytes, read: Callable[[bytes], T]) -> list[T | GatewayError]:
    """Read what stands together, each for itself.

    Raises:
        MalformedDocument: the whole has not the form, or has too many lines or none.
    """
    return [tried(partial(read, item)) for item in read_items(content, most=LINES_MAX)]


def outcomes(request: Request, documents: Sequence[object], *, status: int = 200) -> list[dict[str, object]]:
    """Return what became of each line: its document, or the error for which it has none."""

    def outcome(document: object) -> dict[str, object]:
        if not isinstance(document, GatewayError):
            return {"status": status, "document": document}
        refused = status_of(document)
        body = problem_body(request, refused, code=document.code, error=document)
        return {"status": refused, "document": body}

    return [outcome(one) for one in documents]


async def answer_batch(work: Callable[[], Sequence[Mapping[str, object]]]) -> Response:
    """Answer with the outcomes of some work, which may wait for the database."""
    made = await run_in_threadpool(work)
    return Response(orjson.dumps({"outcomes": made}), media_type="application/json")
