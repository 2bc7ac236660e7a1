"""How often a platform may ask for something, counted by the minute and by worker."""

from datetime import datetime

from gateway.api.problems import TooMany

__all__ = ["Rate"]

MINUTE_SECONDS = 60


class Rate:
    """At most so many requests of one platform in a minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._minute = 0
        self._counts: dict[str, int] = {}

    def require(self, platform: str, *, now: datetime) -> None:
        """Count a request.

        Raises:
            TooMany: there were enough in this minute.
        """
        minute = int(now.timestamp()) // MINUTE_SECONDS
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        self._counts[platform] = self._counts.get(platform, 0) + 1
        if self._counts[platform] > self._most:
            raise TooMany(f"at most {self._most} such requests are taken in a minute")
