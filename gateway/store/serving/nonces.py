"""Used nonces: in Redis while it can be relied on, in the database otherwise, and never twice.

One row of the database (``nonce_stores``) says which store is in charge. Why no nonce is accepted twice,
whatever happens to Redis, is argued in docs/decisions/0023-several-hosts.md. The rules it rests on:

1. Who has used a nonce up in a store then reads the row, alone or with others who have done so before the
   reading begins. What it accepts was in charge at that moment.
2. A change is committed first, open-ended, and dated afterwards: whoever read the row before has received
   its request before that date.
3. Leaving Redis sets the floor to that date: what was created until then is refused, it may be used already.
4. Going back to Redis dates ``both_until``: what was created until then, or lies in the future, is asked of
   both stores.
5. A Redis that was restarted, emptied or replaced has another run id or no marker, and is left at once.

``ALLOWANCE`` is by how much the clocks of this gateway's own hosts may differ.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from redis import Redis, RedisError
from sqlalchemy import Connection, delete, select, tuple_, update

from gateway.ports import Clock, NonceUse, SignedNonce
from gateway.store.serving.tables import nonce_stores, nonces
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import upsert
from gateway.store.sql.group_commit import GroupCommit

__all__ = ["SharedNonces"]

ALLOWANCE: Final = 2
RETRY_SECONDS: Final = 5
SWEEP_SECONDS: Final = 60
OPEN: Final = 2**62  # a date that is still to be set
CHANGES_MAX: Final = 3  # changes of the store that one request follows
_USE: Final = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if run ~= ARGV[1] or redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local fresh = {}
for at = 2, #KEYS do
  fresh[at - 1] = redis.call('SET', KEYS[at], '', 'NX', 'PX', ARGV[at]) and 1 or 0
end
return fresh
"""
_logger = logging.getLogger(__name__)


class _Charge(NamedTuple):
    """Which store is in charge: the run of a Redis server, or the database where ``server`` is empty."""

    version: int
    server: str
    floor: int
    both_until: int

    def remembered(self, requests: "Sequence[_Request]") -> list[NonceUse]:
        """Tell what nonces are that the store in charge does not know, given since when it is in charge."""
        return [NonceUse.UNKNOWN if one.created <= self.floor else NonceUse.FRESH for one in requests]

    def asks_both(self, request: "_Request") -> bool:
        """Tell whether the database has to be asked, too."""
        return request.created > request.now or request.created <= self.both_until


class _Request(NamedTuple):
    """A nonce and the seconds in which its request was created, arrived, and ends to be valid."""

    key_id: str
    nonce: str
    created: int
    now: int
    expires: int


_CHARGE: Final = select(*(nonce_stores.c[name] for name in _Charge._fields))


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
        self._known = self._read_charge()

    def use(self, signed: Sequence[SignedNonce], *, now: datetime) -> list[NonceUse]:
        """Use nonces up that have arrived until ``now``, in their order, each as if it came alone."""
        seconds = int(now.timestamp())
        requests = [_request(one, now=seconds) for one in signed]
        self._sweep(seconds)
        self._return_to_redis(seconds)
        charge, asked = self._known, set[str]()
        found = [NonceUse.FRESH] * len(requests)
        for _ in range(CHANGES_MAX):
            if charge.server not in asked:
                _narrow(found, requests, ask=partial(self._use_in, charge))
                asked.add(charge.server)
            if NonceUse.FRESH not in found:
                return found
            before, self._known = charge, self._read_charge()
            charge = self._known
            if charge.version == before.version:
                _narrow(found, requests, ask=charge.remembered)
                if "" not in asked:
                    _narrow(found, requests, ask=partial(self._use_in_both, charge))
                return found
        return [NonceUse.UNKNOWN if one is NonceUse.FRESH else one for one in found]

    def _use_in(self, charge: _Charge, requests: Sequence[_Request]) -> list[NonceUse]:
        if not charge.server:
            return self._use_in_database(requests)
        if self._script is None:  # it is another worker that has this Redis
            return self._leave(charge, "this worker has no TANQIAO_REDIS") * len(requests)
        keys = [f"{self._prefix}{request.key_id}:{request.nonce}" for request in requests]
        kept = [max(1, request.expires - request.now + ALLOWANCE) * 1000 for request in requests]
        try:
            fresh = self._script(keys=[self._prefix + "marker", *keys], args=[charge.server, *kept])
        except RedisError as error:
            return self._leave(charge, type(error).__name__) * len(requests)
        if len(fresh) != len(requests):
            return self._leave(charge, "it was restarted, emptied or replaced") * len(requests)
        return [NonceUse.FRESH if one else NonceUse.USED for one in fresh]

    def _use_in_both(self, charge: _Charge, requests: Sequence[_Request]) -> list[NonceUse]:
        """Use up in the database, too, what it may know alone, or has to know once Redis is left."""
        answers = iter(self._use_in_database([one for one in requests if charge.asks_both(one)]))
        return [next(answers) if charge.asks_both(one) else NonceUse.FRESH for one in requests]

    def _use_in_database(self, requests: Sequence[_Request]) -> list[NonceUse]:
        kept = [self._writes.submit_item(_use_up, request) for request in requests]
        return [one.result() for one in kept]

    def _read_charge(self) -> _Charge:
        """Read which store is in charge; a change that nobody has dated yet is dated now."""
        with self._database.read() as connection:
            found = _Charge(*connection.execute(_CHARGE).one())
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

    def _leave(self, charge: _Charge, reason: str) -> list[NonceUse]:
        """Put the database in charge; whether a nonce was used in Redis cannot be told."""
        self._tried = int(self._clock.now().timestamp())
        if self._change(charge, server="", floor=OPEN):
            _logger.warning("nonces go to the database: Redis: %s", reason)
        self._known = self._read_charge()
        return [NonceUse.UNKNOWN]

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
        self._known = self._read_charge()

    def _sweep(self, now: int) -> None:
        """Now and then forget what has expired; rows that another worker sweeps are left to it."""
        if now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        ended = select(nonces.c.key_id, nonces.c.nonce).where(nonces.c.expires < now)
        names = tuple_(nonces.c.key_id, nonces.c.nonce)
        sweep = delete(nonces).where(names.in_(ended.with_for_update(skip_locked=True)))
        self._writes.submit(lambda connection: connection.execute(sweep).rowcount).result()


def _request(signed: SignedNonce, *, now: int) -> _Request:
    created, expires = (int(moment.timestamp()) for moment in (signed.created, signed.expires))
    return _Request(signed.key_id, signed.nonce, created, now, expires)


def _narrow(
    found: list[NonceUse],
    requests: Sequence[_Request],
    *,
    ask: Callable[[Sequence[_Request]], Sequence[NonceUse]],
) -> None:
    """Ask about those that are still new, and write down what they are found to be."""
    fresh = [at for at, one in enumerate(found) if one is NonceUse.FRESH]
    for at, answer in zip(fresh, ask([requests[at] for at in fresh]), strict=True):
        found[at] = answer


def _use_up(connection: Connection, requests: Sequence[_Request]) -> list[NonceUse]:
    """Insert nonces; of one that is there twice, the first may be new."""
    firsts: dict[tuple[str, str], _Request] = {}
    for request in requests:
        firsts.setdefault((request.key_id, request.nonce), request)
    unless_known = upsert(connection, nonces).on_conflict_do_nothing()
    inserted = connection.execute(
        unless_known.returning(nonces.c.key_id, nonces.c.nonce),
        [{"key_id": one.key_id, "nonce": one.nonce, "expires": one.expires} for one in firsts.values()],
    )
    new = {(key_id, nonce) for key_id, nonce in inserted}
    return [
        NonceUse.FRESH if (name := (one.key_id, one.nonce)) in new and firsts[name] is one else NonceUse.USED
        for one in requests
    ]
