"""Tell since when the newest checkpoint lacks its witnesses, and refuse to go on without them for long."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.errors import Refused
from gateway.ports import Clock, CosignedNotes
from gateway.transparency import Policy, QuorumPending, verify_checkpoint

__all__ = ["Quorum", "Unwitnessed", "is_witnessed", "require_witnessed"]


class Unwitnessed(Refused):
    """The log has been without its quorum of witnesses for so long that nothing more is taken."""

    code = "unwitnessed"
    remedy = "send it again later, with the same idempotency key; operators see /v1/ready"


def is_witnessed(policy: Policy, note: bytes) -> bool:
    """Tell whether a checkpoint has the quorum of a policy; a bad signature raises, as always."""
    try:
        verify_checkpoint(policy, note)
    except QuorumPending:
        return False
    return True


def require_witnessed(stopped: Sequence[str]) -> None:
    """Refuse new submissions for what :meth:`Quorum.stopped` has said.

    Raises:
        Unwitnessed: the quorum has been missing for too long.
    """
    if stopped:
        raise Unwitnessed("; ".join(stopped))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """Watches the quorum by the reports of the process that gathers cosignatures.

    Where that process has died, its last report counts: from then on nobody has asked the witnesses.
    """

    notes: CosignedNotes
    published: Callable[[], bytes]
    clock: Clock
    alarm: timedelta
    stop: timedelta

    def missing_for(self) -> timedelta:
        """Return for how long the newest checkpoint has been without its quorum; zero where it is not."""
        status = self.notes.status()
        if status is None or status.quorum == "none":
            return timedelta()
        since = status.waiting_since
        if not since and not self.notes.witnessed().startswith(self.published()):
            since = status.reported
        return self.clock.now() - datetime.fromisoformat(since) if since else timedelta()

    def stopped(self) -> list[str]:
        """Say what keeps submissions out, one line each."""
        missing = self.missing_for()
        return [_words(missing)] if missing > self.stop else []

    def warnings(self) -> list[str]:
        """Say what operators should look at: a quorum that is missing, witnesses that fail."""
        status = self.notes.status()
        missing = self.missing_for()
        lines = [_words(missing)] if missing > self.alarm else []
        failing = [] if status is None else [one for one in status.witnesses if one.failures]
        return lines + [f"witness {one.name} failed {one.failures} times: {one.trouble}" for one in failing]


def _words(missing: timedelta) -> str:
    return f"the quorum of witnesses has been missing for {int(missing.total_seconds())} seconds"
