"""Used nonces: in Redis while it can be relied on, in the database otherwise, and never twice.

One row of the database (``nonce_stores``) says which store is in charge. Why no nonce is accepted twice,
whatever happens to Redis, is argued in docs/decisions/0023-several-hosts.md. The rules it rests on:

1. Who has used a nonce up in a store then reads the row. What it accepts was in charge at that moment.
2. A change is committed first, open-ended, and dated afterwards: whoever read the row before has received
   its request before that date.
3. Leaving Redis sets the floor to that date: what was created until then is refused, it may be used already.
4. Going back to Redis dates ``both_until``: what was created until then, or lies in the future, is asked of
   both stores.
5. A Redis that was restarted, emptied or replaced has another run id or no marker, and is left at once.

``ALLOWANCE`` is by how much the clocks of this gateway's own hosts may differ.
"""

import logging
from datetime import datetime
from typing import Final, NamedTuple

from redis import Redis, RedisError
from sqlalchemy import Connection, delete, select, tuple_, update

from gateway.ports import Clock, NonceUse
from gateway.store.database import Database
from gateway.store.dialects import upsert
from gateway.store.group_commit import GroupCommit
from gateway.store.serving_tables import nonce_stores, nonces

__all__ = ["SharedNonces"]

ALLOWANCE: Final = 2
RETRY_SECONDS: Final = 5
SWEEP_SECONDS: Final = 60
OPEN: Final = 2**62  # a date that is still to be set
CHANGES_MAX: Final = 3  # changes of the store that one request follows
_LOST: Final = -1
_USE: Final = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if run ~= ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""
_logger = logging.getLogger(__name__)


class _Charge(NamedTuple):
    """Which store is in charge: the run of a Redis server, or the database where ``server`` is empty."""

    version: int
    server: str
    floor: int
    both_until: int


class _Request(NamedTuple):
    """A nonce and the seconds in which its request was created, arrived, and ends to be valid."""

    key_id: str
    nonce: str
    created: int
    now: int
    expires: int


class SharedNonces:
    """Used nonces of all workers (:class:`gateway.ports.Nonces`); without ``redis``, in the database."""

    def __init__(
        self, database: Database, writes: GroupCommit, *, clock: Clock, redis: Redis | None, prefix: str
    ) -> None:
        self._database = database
        self._writes = writes
        self._clock = clock
        self._redis = redis
        self._script = None if redis is None else redis.register_script(_USE)
        self._prefix = f"tanqiao:{prefix}:nonce:"
        self._tried = self._swept = 0
        self._known = self._charge()

    def use(
        self, key_id: str, nonce: str, *, created: datetime, expires: datetime, now: datetime
    ) -> NonceUse:
        """Use a nonce up."""
        moments = (int(moment.timestamp()) for moment in (created, now, expires))
        request = _Request(key_id, nonce, *moments)
        self._sweep(request.now)
        self._return_to_redis(request.now)
        charge = self._known
        fresh_in: set[str] = set()
        for _ in range(CHANGES_MAX):
            if charge.server not in fresh_in:
                used = self._use_in(charge, request)
                if used is not NonceUse.FRESH:
                    return used
                fresh_in.add(charge.server)
            self._known = found = self._charge()
            if found.version == charge.version:
                return self._judged(found, request, in_database="" in fresh_in)
            charge = found
        return NonceUse.UNKNOWN

    def _judged(self, charge: _Charge, request: _Request, *, in_database: bool) -> NonceUse:
        """Tell what a nonce is that was new in the store in charge, given since when it is in charge."""
        if request.created <= charge.floor:
            return NonceUse.UNKNOWN
        of_both = request.created > request.now or request.created <= charge.both_until
        if of_both and not in_database:
            return self._use_in_database(request)
        return NonceUse.FRESH

    def _use_in(self, charge: _Charge, request: _Request) -> NonceUse:
        if not charge.server:
            return self._use_in_database(request)
        if self._script is None:  # it is another worker that has this Redis
            return self._leave(charge, "this worker has no TANQIAO_REDIS")
        keys = [self._prefix + "marker", f"{self._prefix}{request.key_id}:{request.nonce}"]
        milliseconds = max(1, request.expires - request.now + ALLOWANCE) * 1000
        try:
            answer = self._script(keys=keys, args=[charge.server, milliseconds])
        except RedisError as error:
            return self._leave(charge, type(error).__name__)
        if answer == _LOST:
            return self._leave(charge, "it was restarted, emptied or replaced")
        return NonceUse.FRESH if answer else NonceUse.USED

    def _use_in_database(self, request: _Request) -> NonceUse:
        values = {"key_id": request.key_id, "nonce": request.nonce, "expires": request.expires}

        def write(connection: Connection) -> bool:
            new = upsert(connection, nonces).values(values).on_conflict_do_nothing()
            return connection.execute(new.returning(nonces.c.expires)).first() is not None

        return NonceUse.FRESH if self._writes.submit(write).result() else NonceUse.USED

    def _charge(self) -> _Charge:
        """Read which store is in charge; a change that nobody has dated yet is dated now."""
        columns = [nonce_stores.c[name] for name in _Charge._fields]
        with self._database.read() as connection:
            found = _Charge(*connection.execute(select(*columns)).one())
        if OPEN in found:
            self._date()
        return found

    def _change(self, charge: _Charge, **values: int | str) -> bool:
        """Put another store in charge, if none was since; its date stays open until it is committed."""
        row = update(nonce_stores).where(nonce_stores.c.version == charge.version)
        changed = row.values(version=charge.version + 1, **values)
        with self._database.write(alone=False) as connection:
            done = connection.execute(changed).rowcount == 1
        if done:
            self._date()
        return done

    def _date(self) -> None:
        date = int(self._clock.now().timestamp()) + 1 + ALLOWANCE
        with self._database.write(alone=False) as connection:
            for column in (nonce_stores.c.floor, nonce_stores.c.both_until):
                connection.execute(update(nonce_stores).where(column == OPEN).values({column.name: date}))

    def _leave(self, charge: _Charge, reason: str) -> NonceUse:
        """Put the database in charge; whether this nonce was used in Redis cannot be told."""
        self._tried = int(self._clock.now().timestamp())
        if self._change(charge, server="", floor=OPEN):
            _logger.warning("nonces go to the database: Redis: %s", reason)
        self._known = self._charge()
        return NonceUse.UNKNOWN

    def _return_to_redis(self, now: int) -> None:
        """Now and then see whether Redis can be put in charge."""
        if self._redis is None or self._known.server or now - self._tried < RETRY_SECONDS:
            return
        self._tried = now
        try:
            told = self._redis.info()
            if told["role"] != "master" or (told["maxmemory"] and told["maxmemory_policy"] != "noeviction"):
                _logger.warning("nonces stay in the database: Redis is a replica, or evicts keys")
                return
            self._redis.set(self._prefix + "marker", "1")
        except RedisError:
            return
        self._change(self._known, server=told["run_id"], both_until=OPEN)
        self._known = self._charge()

    def _sweep(self, now: int) -> None:
        """Now and then forget what has expired; rows that another worker sweeps are left to it."""
        if now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        ended = select(nonces.c.key_id, nonces.c.nonce).where(nonces.c.expires < now)
        names = tuple_(nonces.c.key_id, nonces.c.nonce)
        sweep = delete(nonces).where(names.in_(ended.with_for_update(skip_locked=True)))
        self._writes.submit(lambda connection: connection.execute(sweep).rowcount).result()
