"""``/v1/answers``: what platforms have done about messages that they had answered with 202 (call-backs)."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.batches import answer_batch, batch_lines, batch_outcomes, outcomes, read_lines
from gateway.api.bodies import parts_of, signed_document
from gateway.api.forms import Form
from gateway.ports import Platform, Way
from gateway.service.each import go_on
from gateway.service.transfers.answering import (
    ANSWERED,
    OUTCOMES,
    LateAnswer,
    Noted,
    read_answer,
    require_dialect,
)

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["transfers"])
Sent = Annotated[tuple[Platform, bytes], Depends(signed_document)]
ANSWER_FORM: Final = Form(
    transfer={"type": "string", "pattern": "^tr_[0-9A-HJKMNP-TV-Z]{26}$"},
    about={"type": "string", "enum": list(ANSWERED), "description": "The kind of the message."},
    digest={
        "type": "string",
        "pattern": "^sha256:[0-9a-f]{64}$",
        "description": "Of the message's canonical form (RFC 8785); of a decision, its `body`.",
    },
    outcome={"type": "string", "enum": list(OUTCOMES)},
    code={"type": "string", "pattern": "^[a-z0-9-]{1,64}$", "description": "Why it was refused."},
    optional=("code",),
    bytes_max=4096,
)


class AnswerNoted(BaseModel):
    """An answer that was taken: the same bytes whenever it comes."""

    model_config = ConfigDict(extra="forbid")

    transfer: str
    about: str
    digest: str = Field(description="Of what the message said.")


@router.post("/answers", response_model=AnswerNoted, openapi_extra=ANSWER_FORM.body)
async def answer_message(request: Request, sent: Sent) -> AnswerNoted:
    """Say what came of a message that was answered with 202. The same again changes nothing."""
    platform, content = sent
    parts = parts_of(request).answering

    def taken() -> AnswerNoted:
        require_dialect(parts.dialects, platform.id, way=Way.CALLBACK)
        return _shown(parts.take(_read(content), sender=platform.id))

    return await run_in_threadpool(taken)


@router.post(
    "/answers:batch",
    response_class=Response,
    responses=batch_outcomes(AnswerNoted.__name__),
    openapi_extra=batch_lines("/v1/answers"),
)
async def answer_message_batch(request: Request, sent: Sent) -> Response:
    """Say what came of several messages, each for itself; outcomes in their order."""
    platform, content = sent
    parts = parts_of(request).answering

    def taken() -> list[dict[str, object]]:
        require_dialect(parts.dialects, platform.id, way=Way.CALLBACK)
        noted = go_on(read_lines(content, _read), lambda some: parts.take_all(some, sender=platform.id))
        return outcomes(request, go_on(noted, lambda some: [_shown(one).model_dump() for one in some]))

    return await answer_batch(taken)


def _read(content: bytes) -> LateAnswer:
    return read_answer(ANSWER_FORM.read(content))


def _shown(noted: Noted) -> AnswerNoted:
    answer = noted.answer
    return AnswerNoted(transfer=answer.transfer, about=answer.about, digest=answer.digest)
