"""A circuit breaker: who does not answer is left alone for a while, then tried with a single request."""

from typing import Final

__all__ = ["Breaker"]

FAILURES: Final = 5  # in a row
OPEN_SECONDS: Final = 1.0  # doubled by each failed trial
OPEN_SECONDS_MAX: Final = 60.0


class Breaker:
    """Tells whether a request may be made; moments are seconds of any clock that never goes back."""

    def __init__(self, *, failures: int = FAILURES) -> None:
        self._most = failures
        self._failed = 0
        self._pause = OPEN_SECONDS
        self._closed_at = 0.0
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Tell whether it is open: nothing but trials is let through."""
        return self._failed >= self._most

    def admits(self, now: float) -> bool:
        """Tell whether a request may be made; where it is open, one at a time after its pause."""
        if not self.is_open:
            return True
        if self._trying or now < self._closed_at:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """Note that an answer came: it is closed again."""
        self._failed, self._pause, self._trying = 0, OPEN_SECONDS, False

    def failed(self, now: float) -> None:
        """Note that none came."""
        was_open, self._trying = self.is_open, False
        self._failed += 1
        if self.is_open:
            self._pause = min(self._pause * 2, OPEN_SECONDS_MAX) if was_open else OPEN_SECONDS
            self._closed_at = now + self._pause
