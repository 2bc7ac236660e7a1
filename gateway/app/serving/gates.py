"""Join what stands at the door of the service: the store of nonces, and limits of requests."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from gateway.app.base.home import OpenHome
from gateway.errors import LocalFileError
from gateway.service.access.onboarding import Gatekeeper
from gateway.settings import Settings, read_settings
from gateway.store.serving.lately import LatelyPlatforms
from gateway.store.serving.nonces import SharedNonces
from gateway.store.serving.request_limits import PlatformLimits
from gateway.store.sql.group_commit import GroupCommit

__all__ = ["gatekeeper", "platform_limits", "redis_client"]

REDIS_SECONDS: Final = 0.5


@contextmanager
def redis_client(settings: Settings) -> Iterator[Redis | None]:
    """Give a client that neither waits long nor repeats by itself what may have been done."""
    if not settings.redis:
        yield None
        return
    try:
        client = Redis.from_url(
            settings.redis,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    except (ValueError, RedisError) as error:
        raise LocalFileError(
            "TANQIAO_REDIS is no address of a Redis server", remedy="write redis://HOST:PORT/0"
        ) from error
    with closing(client):
        yield client


def gatekeeper(
    opened: OpenHome, platforms: LatelyPlatforms, *, writes: GroupCommit, redis: Redis | None
) -> Gatekeeper:
    """Join what decides who may come in."""
    nonces = SharedNonces(
        opened.database, writes, clock=opened.clock, redis=redis, prefix=opened.facts.origin
    )
    limits = platform_limits(opened, redis, per_minute=read_settings().requests_per_minute)
    return Gatekeeper(platforms=platforms, nonces=nonces, limits=limits, clock=opened.clock)


def platform_limits(
    opened: OpenHome, redis: Redis | None, *, per_minute: int, what: str = ""
) -> PlatformLimits:
    """Return how often a platform may ask, counted for all workers where there is a Redis."""
    pool = None if redis is None else redis.connection_pool
    return PlatformLimits(per_minute, pool=pool, prefix=opened.facts.origin + what)
