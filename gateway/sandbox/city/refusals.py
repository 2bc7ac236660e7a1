"""Why a platform refuses: codes that stay, and how HTTP says them."""

from enum import StrEnum
from typing import Any

__all__ = ["Refusal", "RefusalCode", "problem"]


class RefusalCode(StrEnum):
    """The codes of the platform API (docs/reference/platform-api.md)."""

    # about the request: nothing was looked at, an earlier one with this id may have been taken
    NOT_SIGNED = "request-not-signed"
    REPLAYED = "replayed-request"
    BROKEN = "broken"
    # about the document: the same one is never taken
    MALFORMED = "malformed-document"
    TOO_LARGE = "too-large"
    # about the id
    NOT_FOUND = "not-found"
    METHOD = "method-not-allowed"
    CONFLICT = "idempotency-conflict"
    # for good: they stick to the id
    ACCOUNT_UNKNOWN = "account-unknown"
    ACCOUNT_SUSPENDED = "account-suspended"
    CODE_UNKNOWN = "code-unknown"
    CONSENT_MISSING = "consent-missing"
    PLATFORM_DIFFERS = "platform-differs"
    UNIT_DIFFERS = "unit-differs"
    SUM_DIFFERS = "sum-differs"
    LOT_UNKNOWN = "lot-unknown"
    LOT_SPENT = "lot-spent"
    ORIGINAL_UNKNOWN = "original-unknown"
    RETURN_EXCEEDS = "return-exceeds"
    TRANSFER_TAKEN = "transfer-taken"
    TRANSFER_DECIDED = "transfer-decided"
    # about a decision: they never stick, for the right one must get through
    DECISION_NOT_SIGNED = "decision-not-signed"
    MOVE_UNKNOWN = "move-unknown"
    AMOUNT_DIFFERS = "amount-differs"


_STATUS = {
    RefusalCode.NOT_SIGNED: 401,
    RefusalCode.REPLAYED: 401,
    RefusalCode.BROKEN: 500,
    RefusalCode.MALFORMED: 400,
    RefusalCode.TOO_LARGE: 413,
    RefusalCode.NOT_FOUND: 404,
    RefusalCode.METHOD: 405,
    RefusalCode.CONFLICT: 409,
    RefusalCode.DECISION_NOT_SIGNED: 400,
    RefusalCode.MOVE_UNKNOWN: 404,
    RefusalCode.AMOUNT_DIFFERS: 409,
}
FOR_GOOD = 422


class Refusal(Exception):
    """A message or a request is refused; ``field`` is a JSON Pointer into the document."""

    def __init__(self, code: RefusalCode, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.field = field

    @property
    def status(self) -> int:
        """Return the status of HTTP."""
        return _STATUS.get(self.code, FOR_GOOD)

    @property
    def sticks(self) -> bool:
        """Tell whether it is the answer to this id for ever."""
        return self.status == FOR_GOOD


def problem(refusal: Refusal) -> dict[str, Any]:
    """Return a problem document (RFC 9457); the same refusal always gives the same bytes."""
    told: dict[str, Any] = {
        "type": f"urn:tanqiao:problem:{refusal.code}",
        "title": refusal.code.replace("-", " "),
        "status": refusal.status,
        "code": str(refusal.code),
        "detail": str(refusal),
        "retryable": refusal.status >= 500,
    }
    if refusal.field:
        told["errors"] = [{"pointer": refusal.field, "code": str(refusal.code), "detail": str(refusal)}]
    return told
