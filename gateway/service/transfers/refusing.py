"""A move that does not come about: the checks that failed, told by the first of them."""

from collections.abc import Sequence

from gateway.errors import Refused
from gateway.recognition import Failure

__all__ = ["NotStarted", "TransferRefused"]

_REMEDY = "docs/reference/transfer-checks.md says of each check what can be done"


class TransferRefused(Refused):
    """A move does not come about. ``code`` is that of the first check that failed."""

    code = "transfer-refused"
    remedy = _REMEDY

    def __init__(self, failed: Sequence[Failure]) -> None:
        first = failed[0]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        super().__init__(f"{first.number} {first.code}: {first.detail}{more}", field=first.record)
        self.code = first.code.value
        self.failed = tuple(failed)


class NotStarted(Refused):
    """A transfer has its answer, which is no: the same id is always answered so. ``code`` says why."""

    code = "not-started"
    remedy = _REMEDY

    def __init__(self, transfer: str, reason: str) -> None:
        super().__init__(f"{transfer} was refused, and nothing has moved: {reason}")
        self.code = reason
