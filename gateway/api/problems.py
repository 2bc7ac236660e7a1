"""Errors as problem documents (RFC 9457): the one table from what went wrong to a status of HTTP."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from gateway.errors import (
    ChecksFailed,
    GatewayError,
    HomeBusy,
    IntegrityBroken,
    InvalidMapping,
    LocalFileError,
    MalformedDocument,
    NotFound,
    Refused,
    Unreachable,
    UsageError,
)
from gateway.service.access.onboarding import (
    NotAdmitted,
    ReplayedRequest,
    SignAgain,
    TooManyRequests,
    UnknownPlatform,
)
from gateway.service.access.rules import NotAllowed
from gateway.service.agreements.agreeing import AgreementConflict
from gateway.service.mappings.catalogue import MappingChanged
from gateway.service.mappings.countersigning import TooLateToWithdraw
from gateway.service.mappings.maintaining import PublicationWithdrawn
from gateway.service.submitting.taking import Busy, IdempotencyConflict
from gateway.service.transfers.answering import AnswerContradicts, AnswerDiffers, AnswerOpen, OtherDialect
from gateway.service.witnesses.quorum import Unwitnessed
from gateway.signing import RequestNotSigned, TokenRefused
from gateway.transparency import CheckpointRefused, NotSignedByLog, StaleOldSize

__all__ = ["PROBLEM_JSON", "STATUS", "TooLarge", "TooSlow", "install", "problem", "problem_body", "status_of"]

PROBLEM_JSON: Final = "application/problem+json"
RETRY_SECONDS: Final = 2
_logger = logging.getLogger(__name__)


class TooLarge(Refused):
    """A request has more bytes than it may."""

    code = "too-large"
    remedy = "send several requests, or upload a file: POST /v1/files"


class TooSlow(Refused):
    """A request does not come to its end."""

    code = "too-slow"
    remedy = "send it again; nothing of it was kept"


STATUS: Final[Mapping[type[GatewayError], int]] = MappingProxyType(
    {
        UsageError: 400,
        MalformedDocument: 400,
        RequestNotSigned: 401,
        ReplayedRequest: 401,
        TokenRefused: 401,
        UnknownPlatform: 403,
        NotAllowed: 403,
        NotAdmitted: 403,
        NotSignedByLog: 403,
        NotFound: 404,
        TooSlow: 408,
        OtherDialect: 403,
        AgreementConflict: 409,
        AnswerContradicts: 409,
        AnswerDiffers: 409,
        AnswerOpen: 409,
        MappingChanged: 409,
        PublicationWithdrawn: 409,
        TooLateToWithdraw: 409,
        IdempotencyConflict: 409,
        StaleOldSize: 409,
        TooLarge: 413,
        CheckpointRefused: 422,
        TooManyRequests: 429,
        SignAgain: 503,
        InvalidMapping: 422,
        ChecksFailed: 422,
        Refused: 422,
        Busy: 503,
        Unwitnessed: 503,
        HomeBusy: 503,
        LocalFileError: 503,
        Unreachable: 503,
        IntegrityBroken: 500,
        GatewayError: 500,
    }
)
"""The status of each kind of error; a kind that is not listed has that of the nearest one above it."""

_RETRYABLE: Final = frozenset({408, 429, 503})
_TITLES: Final = {
    "400": ("Not understood", "无法理解请求"),
    "401": ("Not signed", "签名无效"),
    "403": ("Not admitted", "未获准入"),
    "404": ("Not found", "未找到"),
    "405": ("Not allowed here", "不支持该方法"),
    "408": ("Too slow", "请求超时"),
    "409": ("Conflict", "冲突"),
    "413": ("Too large", "请求过大"),
    "422": ("Refused", "请求被拒绝"),
    "429": ("Too many requests", "请求过多"),
    "500": ("Stopped for safety", "系统已停止以保护数据"),
    "503": ("Try again later", "请稍后再试"),
}


def status_of(error: GatewayError) -> int:
    """Return the status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_body(request: Request, status: int, *, code: str, error: GatewayError) -> dict[str, object]:
    """Return a problem document."""
    titles = _TITLES.get(str(status), _TITLES["500"])
    chinese = request.headers.get("accept-language", "zh").lower().startswith("zh")
    body: dict[str, object] = {
        "type": f"urn:tanqiao:problem:{code}",
        "title": titles[chinese],
        "status": status,
        "code": code,
        "detail": str(error),
        "request_id": getattr(request.state, "request_id", ""),
        "retryable": status in _RETRYABLE,
        "doc": "docs/reference/errors.md",
    }
    if error.field:
        body["errors"] = [{"pointer": error.field, "code": code, "detail": str(error)}]
    if error.remedy:
        body["remedy"] = error.remedy
    return body


def problem(request: Request, status: int, *, code: str, error: GatewayError) -> JSONResponse:
    """Answer with a problem document."""
    headers = {}
    if status in (429, 503):
        headers["Retry-After"] = str(getattr(error, "retry_seconds", RETRY_SECONDS))
    if status == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    if isinstance(error, TokenRefused):
        headers["WWW-Authenticate"] = "Bearer"
    body = problem_body(request, status, code=code, error=error)
    return JSONResponse(body, status, headers, media_type=PROBLEM_JSON)


def _methods(request: Request) -> set[str]:
    """Return what can be done with the resource of a request (RFC 9110 wants it told)."""
    matching = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in matching for method in getattr(route, "methods", None) or ()}


def install(api: FastAPI) -> None:
    """Have every error answered by a problem document."""

    @api.exception_handler(GatewayError)
    async def refused(request: Request, error: GatewayError) -> JSONResponse:
        status = status_of(error)
        if status == 500:
            _logger.error("stopped: %s", error.code, extra={"code": error.code})
        return problem(request, status, code=error.code, error=error)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        pointer = "/" + "/".join(map(str, first["loc"][:2]))  # what is deeper may be a name that was sent
        told = UsageError(
            str(first["msg"]), field=pointer, remedy="openapi/gateway.yaml says what is expected"
        )
        return problem(request, 422, code="invalid-request", error=told)

    @api.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "usage")
        told = UsageError(str(error.detail), remedy="openapi/gateway.yaml lists what there is")
        return problem(request, error.status_code, code=code, error=told)
