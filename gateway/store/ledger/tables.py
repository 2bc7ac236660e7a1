"""The tables of the ledger and of transfers. No personal data: lots and persons are keyed or random names.

``ledger_head`` is one row. Whoever changes the books locks it first, so that changes follow one another,
also those of several processes. ``reservations``, ``decisions`` and ``ledger_changes`` together are the
journal, in the order of ``number``; every other table of the ledger can be rebuilt from it.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from gateway.store.sql.tables import METADATA

__all__ = [
    "ARRIVED",
    "accounts",
    "changes",
    "counters",
    "decisions",
    "flows",
    "head",
    "lots",
    "outbox",
    "positions",
    "postings",
    "requests",
    "reservations",
    "transfers",
    "windows",
]

_COUNTED: Final = BigInteger().with_variant(Integer, "sqlite")

head: Final = Table(
    "ledger_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("decision", String, nullable=False),  # the digest of the last one
    Column("window", BigInteger, nullable=False),  # the open one
)

reservations: Final = Table(
    "reservations",
    METADATA,
    Column("transfer", String, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("body", Text, nullable=False),
)

decisions: Final = Table(
    "decisions",
    METADATA,
    Column("transfer", String, primary_key=True),  # at most one for each
    Column("number", BigInteger, nullable=False, unique=True),
    Column("body", Text, nullable=False),
)

changes: Final = Table(
    "ledger_changes",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("body", Text, nullable=False),
)

postings: Final = Table(
    "postings",
    METADATA,
    Column("number", BigInteger, nullable=False),  # of the journal's entry
    Column("line", Integer, nullable=False),
    Column("debit", String, nullable=False),
    Column("credit", String, nullable=False),
    Column("amount", BigInteger, nullable=False),
    PrimaryKeyConstraint("number", "line"),
)

accounts: Final = Table(
    "accounts",
    METADATA,
    Column("platform", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("asset", String, nullable=False),
    Column("balance", BigInteger, nullable=False),
    PrimaryKeyConstraint("platform", "kind", "asset"),
)

positions: Final = Table(
    "positions",
    METADATA,
    Column("platform", String, nullable=False),
    Column("other", String, nullable=False),  # empty: all others together
    Column("committed_out", BigInteger, nullable=False),
    Column("committed_in", BigInteger, nullable=False),
    Column("reserved_out", BigInteger, nullable=False),
    Column("cap", BigInteger),
    Column("cover", BigInteger),
    Column("paused", Boolean, nullable=False),
    PrimaryKeyConstraint("platform", "other"),
)

lots: Final = Table(
    "lots",
    METADATA,
    Column("name", String, primary_key=True),
    Column("platform", String, nullable=False),
    Column("record", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("mg", BigInteger, nullable=False),
    Column("movable_mg", BigInteger, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("expires", Integer),
    *(
        Column(f"{use}_{asset}", BigInteger, nullable=False)
        for use in ("transit", "moved", "retired", "returned")
        for asset in ("mg", "points")
    ),
    Column("disputed", Boolean, nullable=False),
    Column("origin", String, nullable=False),  # the lot that it came from; empty: a record's
    Column("rates", String, nullable=False),
    Column("origin_mg", BigInteger, nullable=False),
)

ARRIVED: Final = text("origin <> ''")
Index("ix_lots_origin", lots.c.origin, postgresql_where=ARRIVED, sqlite_where=ARRIVED)

counters: Final = Table(
    "counters",
    METADATA,
    Column("key", String, primary_key=True),
    Column("used", BigInteger, nullable=False),
)

flows: Final = Table(
    "flows",
    METADATA,
    Column("window", BigInteger, nullable=False),
    Column("source", String, nullable=False),
    Column("destination", String, nullable=False),
    Column("returned", Boolean, nullable=False),
    Column("mg", BigInteger, nullable=False),
    PrimaryKeyConstraint("window", "source", "destination", "returned"),
)

windows: Final = Table(
    "windows",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),
)

transfers: Final = Table(
    "transfers",
    METADATA,
    Column("id", String, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("due", BigInteger),  # the second since 1970 at which its timer runs out
    Column("document", Text, nullable=False),
)
Index(
    "ix_transfers_due",
    transfers.c.due,
    postgresql_where=text("due IS NOT NULL"),
    sqlite_where=text("due IS NOT NULL"),
)

outbox: Final = Table(
    "outbox",
    METADATA,
    Column("number", _COUNTED, primary_key=True),
    Column("transfer", String, nullable=False),
    Column("platform", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("due", BigInteger, nullable=False, index=True),  # when it may be taken (again)
    Column("attempts", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # a number that was ended late must not be that of a newer message
)

requests: Final = Table(
    "requests",
    METADATA,
    Column("platform", String, nullable=False),
    Column("id", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("body", Text),  # until it may be forgotten
    Column("answer", Text),  # none yet where null
    Column("received", BigInteger, nullable=False),
    PrimaryKeyConstraint("platform", "id"),
)
