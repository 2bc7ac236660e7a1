"""The machine's clock."""

from datetime import UTC, datetime

__all__ = ["SystemClock"]


class SystemClock:
    """The machine's clock, in UTC and whole seconds."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC).replace(microsecond=0)
