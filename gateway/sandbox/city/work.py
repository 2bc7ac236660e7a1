"""What the handling of one message gets: the transaction, the city, the moment."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from gateway.sandbox.city.refusals import Refusal, RefusalCode
from gateway.sandbox.city.rules import City
from gateway.signing import KeyRing

__all__ = ["LOCAL", "Work", "moment_text"]

LOCAL: Final = timezone(timedelta(hours=8))  # Asia/Shanghai has had no other since 1991
Json = dict[str, Any]


class Work(NamedTuple):
    """``ring`` has the gateway's keys; ``defects`` are the mistakes that the city makes on purpose."""

    db: sqlite3.Connection
    city: City
    ring: KeyRing
    now: datetime
    defects: frozenset[str]

    @property
    def today(self) -> str:
        """Return the city's local day."""
        return self.now.astimezone(LOCAL).date().isoformat()

    @property
    def stamp(self) -> str:
        """Return the moment as it stands in documents."""
        return moment_text(self.now)

    def one(self, query: str, *values: object) -> sqlite3.Row | None:
        """Return the one row of a query."""
        found: sqlite3.Row | None = self.db.execute(query, values).fetchone()
        return found

    def require_account(self, document: Mapping[str, Any]) -> None:
        """Refuse an account that is not here or may not move points, and points of another unit."""
        account = self.one("SELECT suspended FROM residents WHERE account = ?", document["account"])
        if account is None:
            raise Refusal(RefusalCode.ACCOUNT_UNKNOWN, "there is no such account", field="/account")
        if account["suspended"]:
            raise Refusal(RefusalCode.ACCOUNT_SUSPENDED, "the account is suspended", field="/account")
        if document["unit"] != self.city.unit:
            raise Refusal(RefusalCode.UNIT_DIFFERS, f"the unit here is {self.city.unit}", field="/unit")

    def require_new(self, transfer: str) -> None:
        """Refuse a transfer that is decided already, or of which there is something else."""
        if self.one("SELECT 1 FROM decisions WHERE transfer = ?", transfer):
            told = "the transfer was decided before this came"
            raise Refusal(RefusalCode.TRANSFER_DECIDED, told, field="/transfer")
        if self.one("SELECT 1 FROM moves WHERE transfer = ?", transfer):
            told = "another message of this transfer was taken"
            raise Refusal(RefusalCode.TRANSFER_TAKEN, told, field="/transfer")

    def require_other(self, document: Mapping[str, Any], name: str) -> None:
        """Refuse a move whose other end is this platform too."""
        if document[name] == self.city.platform:
            raise Refusal(RefusalCode.PLATFORM_DIFFERS, "a move has two platforms", field=f"/{name}")


def moment_text(moment: datetime) -> str:
    """Return a moment in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
