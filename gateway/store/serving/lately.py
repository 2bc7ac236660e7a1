"""What was read lately: asked again only after a while, so that busy moments do not repeat a query."""

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from gateway.ports import Platform, PlatformKey
from gateway.store.serving.platforms import SqlPlatforms
from gateway.store.sql.database import Database

__all__ = ["Lately", "LatelyPlatforms"]

K = TypeVar("K")
T = TypeVar("T")
REMEMBERED_SECONDS: Final = 1.0
REMEMBERED_MAX: Final = 10_000  # answers; more than there are platforms and keys


class Lately(Generic[K, T]):
    """Remembers answers for some seconds; an empty answer is never remembered."""

    def __init__(self, ask: Callable[[K], T], *, seconds: float, most: int = REMEMBERED_MAX) -> None:
        self._ask = ask
        self._seconds = seconds
        self._most = most
        self._answers: dict[K, tuple[float, T]] = {}

    def __call__(self, about: K) -> T:
        """Return an answer that is no older than the seconds."""
        now = time.monotonic()
        found = self._answers.get(about)
        if found is not None and now - found[0] < self._seconds:
            return found[1]
        answer = self._ask(about)
        if len(self._answers) >= self._most:
            self._answers.clear()
        if answer is not None:
            self._answers[about] = (now, answer)
        return answer

    def forget(self, about: K) -> None:
        """Ask anew the next time."""
        self._answers.pop(about, None)


class LatelyPlatforms(SqlPlatforms):
    """Platforms and keys, remembered for a second: a suspension or revocation counts from then on."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._key_lately = Lately(super().key, seconds=REMEMBERED_SECONDS)
        self._platform_lately = Lately(super().platform, seconds=REMEMBERED_SECONDS)

    def key(self, key_id: str) -> PlatformKey | None:
        """Return a key, revoked or not, as it was at most a second ago."""
        return self._key_lately(key_id)

    def revoke_key(self, key_id: str, *, now: str) -> None:
        """End a key; here it ends at once."""
        super().revoke_key(key_id, now=now)
        self._key_lately.forget(key_id)

    def suspend(self, platform: str, reason: str) -> None:
        """Keep a platform out or let it in again; here at once."""
        super().suspend(platform, reason)
        self._platform_lately.forget(platform)

    def platform(self, platform: str) -> Platform | None:
        """Return a platform as it was at most a second ago."""
        return self._platform_lately(platform)
