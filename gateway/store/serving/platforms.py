"""Platforms and their keys in the database."""

from typing import Any

from sqlalchemy import Select, delete, insert, select, update

from gateway.ports import Platform, PlatformKey
from gateway.store.serving import tables as t
from gateway.store.sql.database import Database

__all__ = ["SqlPlatforms"]


class SqlPlatforms:
    """Who may speak to this gateway (:class:`gateway.ports.Platforms`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def invite(self, platform: str, *, code_hash: bytes, expires: str, now: str) -> None:
        """Admit a platform whose first key is still to come; an earlier invitation lapses."""
        with self._database.write() as connection:
            known = select(t.platforms.c.id).where(t.platforms.c.id == platform)
            if connection.execute(known).first() is None:
                connection.execute(insert(t.platforms).values(id=platform, suspended="", created=now))
            connection.execute(delete(t.invitations).where(t.invitations.c.platform == platform))
            connection.execute(
                insert(t.invitations).values(platform=platform, code_hash=code_hash, expires=expires)
            )

    def enrol(self, platform: str, key: PlatformKey, *, code_hash: bytes) -> bool:
        """Use an invitation up and keep the key; False where there is none that fits at this moment."""
        fitting = (
            delete(t.invitations)
            .where(t.invitations.c.platform == platform, t.invitations.c.code_hash == code_hash)
            .where(t.invitations.c.expires > key.created)
        )
        with self._database.write() as connection:
            if not connection.execute(fitting).rowcount:
                return False
            connection.execute(insert(t.platform_keys).values(key._asdict()))
            return True

    def add_key(self, key: PlatformKey) -> None:
        """Keep one more key of a platform."""
        with self._database.write() as connection:
            connection.execute(insert(t.platform_keys).values(key._asdict()))

    def revoke_key(self, key_id: str, *, now: str) -> None:
        """End a key; what it signed before stays."""
        ending = update(t.platform_keys).where(t.platform_keys.c.id == key_id)
        with self._database.write() as connection:
            connection.execute(ending.where(t.platform_keys.c.revoked.is_(None)).values(revoked=now))

    def suspend(self, platform: str, reason: str) -> None:
        """Keep a platform out for a reason, or let it in again with an empty one."""
        with self._database.write() as connection:
            connection.execute(
                update(t.platforms).where(t.platforms.c.id == platform).values(suspended=reason)
            )

    def platform(self, platform: str) -> Platform | None:
        """Return a platform."""
        found = [one for one in self._platforms(platform) if one.id == platform]
        return found[0] if found else None

    def platforms(self) -> list[Platform]:
        """Return all platforms."""
        return self._platforms(None)

    def _platforms(self, wanted: str | None) -> list[Platform]:
        query = select(*(t.platforms.c[name] for name in Platform._fields)).order_by(t.platforms.c.id)
        with self._database.read() as connection:
            chosen = query if wanted is None else query.where(t.platforms.c.id == wanted)
            return [Platform(*row) for row in connection.execute(chosen)]

    def key(self, key_id: str) -> PlatformKey | None:
        """Return a key, revoked or not."""
        with self._database.read() as connection:
            row = connection.execute(_keys().where(t.platform_keys.c.id == key_id)).first()
        return None if row is None else PlatformKey(*row)

    def keys(self, platform: str) -> list[PlatformKey]:
        """Return the keys of a platform."""
        query = _keys().where(t.platform_keys.c.platform == platform).order_by(t.platform_keys.c.created)
        with self._database.read() as connection:
            return [PlatformKey(*row) for row in connection.execute(query)]


def _keys() -> Select[Any]:
    return select(*(t.platform_keys.c[name] for name in PlatformKey._fields))
