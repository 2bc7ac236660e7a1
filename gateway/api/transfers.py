"""``/v1/quotes``, ``/v1/transfers``, ``/v1/positions``: points on their way between platforms."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, cast

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from gateway.api.bodies import parts_of, sender, signed_document
from gateway.api.forms import ACCOUNT, PLATFORM, Form
from gateway.api.together import Together
from gateway.api.traced import link_to
from gateway.errors import GatewayError, NotFound, UsageError
from gateway.model.canonical import Json
from gateway.model.strict import read_strict_object
from gateway.model.transfer import is_id
from gateway.ports import Corridor, Platform
from gateway.service.transfers.quoting import LOTS_MAX, MadeQuote, QuoteAsked, make_quotes
from gateway.service.transfers.transferring import Transferring, positions_shown

__all__ = [
    "QUOTE_FORM",
    "QuoteDocument",
    "TransferAnswer",
    "quote_asked",
    "quote_document",
    "quote_each",
    "router",
    "start_each",
    "transfer_of",
]

router = APIRouter(prefix="/v1", tags=["transfers"])
LISTED_MAX: Final = 100
_AMOUNT: Final = {"type": "string", "pattern": "^[1-9][0-9]{0,17}$"}
_ID: Final = {"type": "string", "pattern": "^tr_[0-9A-HJKMNP-TV-Z]{26}$"}
_RECORD: Final = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
Sent = Annotated[tuple[Platform, bytes], Depends(signed_document)]
Asking = Annotated[Platform, Depends(sender)]
TransferKey = Annotated[
    str, Header(alias="Idempotency-Key", description="The transfer's `id`.", pattern="^[!-~]{1,128}$")
]


class QuoteDocument(BaseModel):
    """A quote: signed, valid for five minutes, and explained sentence by sentence."""

    model_config = ConfigDict(extra="forbid")

    id: str
    digest: str = Field(description="Of the quote's body.")
    quote: dict[str, Any] = Field(description="The signed quote, to be sent back as it is.")
    points_out: str
    points_in: str
    expires: str
    reasons_zh: list[str]
    reasons_en: list[str]


class TransferDocument(BaseModel):
    """A transfer as both its platforms may see it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    state: str = Field(description="`pending`, `committed`, `aborted`, `settled`, `returned` or `disputed`.")
    source: str
    destination: str
    quote: str
    points_out: str
    points_in: str
    recognised_mg: str
    unrecognised_mg: str
    records: list[str]
    reason: str | None = None
    detail: str | None = Field(default=None, description="The platform's own code where it refused.")
    decided: str | None = None


class TransferAnswer(BaseModel):
    """What became of a request to move points: the same for ever. How it goes on is told by the transfer."""

    model_config = ConfigDict(extra="forbid")

    id: str
    accepted: bool
    quote: dict[str, str]
    points_out: str
    points_in: str
    reason: str | None = Field(default=None, description="Why it was not taken up: a code of the checks.")


class TransferList(BaseModel):
    """Transfers of a platform, by their ids. ``next`` is the last of them where there may be more."""

    transfers: list[TransferDocument]
    next: str | None = None


class PositionDocument(BaseModel):
    """What one platform owes another, in mg of recognised CO2e; what is reserved counts already."""

    platform: str
    other: str
    committed_out_mg: str
    committed_in_mg: str
    reserved_out_mg: str
    owed_mg: str
    limit_mg: str | None = None


class PositionList(BaseModel):
    """Positions of a platform towards others, and of others towards it."""

    positions: list[PositionDocument]


class Asked(NamedTuple):
    """A platform's request for a quote, of the form of one."""

    platform: Platform
    form: Mapping[str, Json]


class Started(NamedTuple):
    """A platform's request to move what was quoted."""

    platform: Platform
    body: dict[str, Json]


QUOTE_FORM: Final = Form(
    destination=PLATFORM,
    account=ACCOUNT,
    points=_AMOUNT,
    records={"type": "array", "minItems": 1, "maxItems": LOTS_MAX, "uniqueItems": True, "items": _RECORD},
    optional=("points", "records"),
    least=3,  # points or records or both
)
TRANSFER_FORM: Final = Form(
    id=_ID,
    quote={"type": "object", "additionalProperties": True, "description": "As it was answered."},
    source_account=ACCOUNT,
    destination_account=ACCOUNT,
)


@router.post("/quotes", response_model=QuoteDocument, openapi_extra=QUOTE_FORM.body)
async def quote(request: Request, sent: Sent) -> QuoteDocument:
    """Quote a move of points of the asking platform: how many arrive, and why. Nothing is reserved."""
    platform, content = sent
    asked = QUOTE_FORM.read(content)
    quoting: Together[Asked, QuoteDocument] = request.app.state.quoting
    return await quoting(Asked(platform, asked))


@router.post(
    "/transfers",
    status_code=202,
    response_class=Response,
    responses={202: {"model": TransferAnswer}},
    openapi_extra=TRANSFER_FORM.body,
)
async def start_transfer(request: Request, key: TransferKey, *, sent: Sent) -> Response:
    """Move what was quoted. The same id with the same body gets the same bytes, for ever.

    `accepted: false` is for good, too: a new attempt has a new quote and a new id.
    """
    platform, content = sent
    body = transfer_of(read_strict_object(content))
    if body["id"] != key:
        raise UsageError("the idempotency key of a transfer is its id", field="Idempotency-Key")
    link_to([key])
    starting: Together[Started, bytes] = request.app.state.starting
    answer = await starting(Started(platform, body))
    headers = {"Location": f"/v1/transfers/{key}"}
    return Response(answer, 202, headers, media_type="application/json")


@router.get("/transfers", response_model=TransferList, response_model_exclude_none=True)
async def transfers(
    request: Request,
    platform: Asking,
    after: Annotated[str, Query(max_length=29, pattern="^(tr_[0-9A-HJKMNP-TV-Z]{26})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = LISTED_MAX,
) -> TransferList:
    """List the transfers of the asking platform, as source or destination."""
    transferring = _transferring(request)

    def listed() -> list[dict[str, Json]]:
        return transferring.listed(viewer=platform.id, after=after, limit=limit)

    found = [TransferDocument.model_validate(one) for one in await run_in_threadpool(listed)]
    return TransferList(transfers=found, next=found[-1].id if len(found) == limit else None)


@router.get("/transfers/{name}", response_model=TransferDocument, response_model_exclude_none=True)
async def transfer(request: Request, name: str, *, platform: Asking) -> TransferDocument:
    """Tell how a transfer stands, to either of its platforms."""
    if not is_id(name, "tr"):
        raise NotFound("there is no such transfer: this is not how its ids are written")
    transferring = _transferring(request)

    def shown() -> dict[str, Json]:
        return transferring.show(name, viewer=platform.id)

    return TransferDocument.model_validate(await run_in_threadpool(shown))


@router.get("/positions", response_model=PositionList, response_model_exclude_none=True)
async def positions(request: Request, platform: Asking) -> PositionList:
    """List what the asking platform owes others, and others owe it."""
    index = _transferring(request).index
    found = positions_shown(await run_in_threadpool(index.positions, platform.id))
    return PositionList(positions=[PositionDocument.model_validate(one) for one in found])


def _transferring(request: Request) -> Transferring:
    return parts_of(request).transferring


def transfer_of(body: dict[str, Json]) -> dict[str, Json]:
    """Return what is asked to be moved; it was read strictly, for a signed quote stands in it.

    Raises:
        MalformedDocument: it is no such request.
    """
    TRANSFER_FORM.require(body)
    return body


def quote_each(parts: Transferring, asked: Sequence[Asked]) -> list[QuoteDocument | Exception]:
    """Make quotes for requests that came at the same moment, each for itself."""
    wished = [quote_asked(one.form, one.platform, parts=parts) for one in asked]
    return [
        one if isinstance(one, GatewayError) else quote_document(one)
        for one in make_quotes(wished, parts.quoting)
    ]


def start_each(parts: Transferring, asked: Sequence[Started]) -> list[bytes | Exception]:
    """Take up what was asked at the same moment, each for itself; what one platform asks goes together."""
    answers: dict[int, bytes | Exception] = {}
    for platform in dict.fromkeys(one.platform.id for one in asked):
        mine = [number for number, one in enumerate(asked) if one.platform.id == platform]
        begun = parts.start_all([asked[number].body for number in mine], sender=platform)
        answers |= zip(mine, begun, strict=True)
    return [answers[number] for number in range(len(asked))]


def quote_asked(asked: Mapping[str, Json], platform: Platform, *, parts: Transferring) -> QuoteAsked:
    """Return what somebody wants to move; ``asked`` has the form of a quote's request."""
    points, records = asked.get("points"), cast(list[str], asked.get("records", []))
    return QuoteAsked(
        corridor=Corridor(platform.id, str(asked["destination"])),
        account=parts.names.pseudonym(platform.id, str(asked["account"])),
        records=records,
        points=None if points is None else int(str(points)),
    )


def quote_document(made: MadeQuote) -> QuoteDocument:
    """Return a quote as it is answered."""
    amounts = made.quote.amounts
    return QuoteDocument(
        id=made.quote.id,
        digest=made.digest,
        quote=orjson.loads(made.envelope),
        points_out=str(amounts.points_out),
        points_in=str(amounts.points_in),
        expires=made.quote.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        reasons_zh=made.explanation.zh,
        reasons_en=made.explanation.en,
    )
