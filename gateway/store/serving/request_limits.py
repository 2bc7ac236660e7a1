"""How many requests a platform may send: counted in Redis for all workers, or by each worker for itself."""

import logging
import time
from collections.abc import Callable
from math import ceil
from typing import Final

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter
from redis import ConnectionPool

__all__ = ["PlatformLimits"]

RETRY_SECONDS: Final = 5  # so long after Redis failed each worker counts for itself
_logger = logging.getLogger(__name__)


class PlatformLimits:
    """Requests of each platform within a minute (:class:`gateway.ports.RequestLimits`)."""

    def __init__(
        self,
        per_minute: int,
        *,
        pool: ConnectionPool | None = None,
        prefix: str = "",
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without ``pool`` each worker counts for itself; ``prefix`` keeps gateways apart."""
        self._limit = RateLimitItemPerMinute(per_minute)
        self._alone = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: RateLimiter | None = None
        if pool is not None:
            storage = RedisStorage(
                "redis://", connection_pool=pool, key_prefix=f"tanqiao:{prefix}:limit", wrap_exceptions=True
            )
            self._shared = SlidingWindowCounterRateLimiter(storage)
        self._seconds = seconds
        self._failed_at = -float(RETRY_SECONDS)

    def wait(self, platform: str) -> int:
        """Count a request; return how many seconds the platform has to wait, 0 if it may go on."""
        return self.waits(platform, 1)[0]

    def waits(self, platform: str, requests: int) -> list[int]:
        """Count so many requests one after the other; return for each how many seconds it has to wait."""
        if self._shared is not None and self._seconds() - self._failed_at >= RETRY_SECONDS:
            try:
                return self._asked(self._shared, platform, requests=requests)
            except StorageError:
                self._failed_at = self._seconds()
                _logger.warning("requests are counted by each worker for itself: Redis does not answer")
        return self._asked(self._alone, platform, requests=requests)

    def _asked(self, limiter: RateLimiter, platform: str, *, requests: int) -> list[int]:
        if limiter.hit(self._limit, platform, cost=requests):
            return [0] * requests
        passed = 0
        while passed < requests - 1 and limiter.hit(self._limit, platform):  # all of them are too many
            passed += 1
        reset = limiter.get_window_stats(self._limit, platform).reset_time
        seconds = max(1, ceil(reset - time.time()))  # noqa: TID251 - the window is told in the machine's time
        return [0] * passed + [seconds] * (requests - passed)
