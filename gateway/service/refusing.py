"""A move that does not come about: the checks that failed, told by the first of them."""

from collections.abc import Sequence

from gateway.errors import Refused
from gateway.recognition import Failure

__all__ = ["TransferRefused"]


class TransferRefused(Refused):
    """A move does not come about. ``code`` is that of the first check that failed."""

    code = "transfer-refused"
    remedy = "docs/reference/transfer-checks.md says of each check what can be done"

    def __init__(self, failed: Sequence[Failure]) -> None:
        first = failed[0]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        super().__init__(f"{first.number} {first.code}: {first.detail}{more}", field=first.record)
        self.code = first.code.value
        self.failed = tuple(failed)
