"""The tables of a home's database.

Nothing here names a person: rows with personal data live in the record files, and the sorted runs of
events and caps (``runs``) hold keyed hashes. Positions are indexes of the log, given out by the
deciding transaction.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

__all__ = [
    "METADATA",
    "batches",
    "carried_usage",
    "closed_claims",
    "days",
    "erasures",
    "files",
    "findings",
    "links",
    "mappings",
    "own_spans",
    "parts",
    "queue",
    "rejections",
    "reversals",
    "runs",
    "submissions",
]

METADATA: Final = MetaData()

queue = Table(
    "queue",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
)

mappings = Table(
    "mappings",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("canonical", LargeBinary, nullable=False),
    Column("position", BigInteger, ForeignKey("queue.position"), nullable=False),
    UniqueConstraint("id", "version"),
)

submissions = Table(
    "submissions",
    METADATA,
    Column("id", String, primary_key=True),
    Column("description", String, nullable=False),
    Column("finished", Integer, nullable=False),
)

parts = Table(
    "parts",
    METADATA,
    Column("submission", String, ForeignKey("submissions.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("counts", String, nullable=False),
    PrimaryKeyConstraint("submission", "number"),
)

batches = Table(
    "batches",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("platform", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("series", BigInteger, nullable=False),
    Column("entry_digest", String, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("submission", String, ForeignKey("submissions.id"), nullable=False),
    Column("part", Integer, nullable=False),
    Column("position", BigInteger, ForeignKey("queue.position"), nullable=False),
    Column("issued", String, nullable=False),
    UniqueConstraint("platform", "kind", "series"),
)

files = Table(
    "files",
    METADATA,
    Column("path", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("batch", BigInteger, ForeignKey("batches.number"), nullable=False, index=True),
    Column("day", String, nullable=False),
    Column("rows", Integer, nullable=False),
)

runs = Table(
    "runs",
    METADATA,
    Column("number", Integer, primary_key=True),  # a later run is newer
    Column("kind", String, nullable=False),
    Column("level", Integer, nullable=False),
    Column("file", String, nullable=False, unique=True),
    Column("digest", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
)

rejections = Table(
    "rejections",
    METADATA,
    Column("submission", String, nullable=False),
    Column("part", Integer, nullable=False),
    Column("platform", String, nullable=False),
    Column("day", String, nullable=False),  # empty: no readable day
    Column("code", String, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("supplement", Integer),  # of the day statement that states them; none yet where null
    PrimaryKeyConstraint("submission", "part", "day", "code"),
)

days = Table(
    "days",
    METADATA,
    Column("platform", String, nullable=False),
    Column("day", String, nullable=False),  # empty: rejected rows without a readable day
    Column("supplement", Integer, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("position", BigInteger, ForeignKey("queue.position"), nullable=False),
    PrimaryKeyConstraint("platform", "day", "supplement"),
)

erasures = Table(
    "erasures",
    METADATA,
    Column("notice", String, primary_key=True),
    Column("position", BigInteger, ForeignKey("queue.position"), nullable=False),
    Column("records", BigInteger, nullable=False),
)

carried_usage = Table(
    "carried_usage",
    METADATA,
    Column("key", LargeBinary, primary_key=True),
    Column("scheme", String, nullable=False),
    Column("cap", String, nullable=False),
    Column("period", String, nullable=False),
    Column("used", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

findings = Table(
    "findings",
    METADATA,
    Column("batch", BigInteger, ForeignKey("batches.number"), primary_key=True, autoincrement=False),
    Column("digest", String, nullable=False),
    Column("size", BigInteger, nullable=False),
)

own_spans = Table(
    "own_spans",
    METADATA,
    Column("key", LargeBinary, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("last_day", BigInteger, nullable=False, index=True),
    PrimaryKeyConstraint("key", "start", "end"),
    sqlite_with_rowid=False,
)

links = Table(
    "links",
    METADATA,
    Column("account", LargeBinary, primary_key=True),  # the pseudonym inside the platform
    Column("person", LargeBinary, nullable=False, index=True),  # the pseudonym across platforms
    Column("platform", String, nullable=False),
    Column("epoch", Integer, nullable=False),  # of the key that the person's pseudonym is made with
    Column("consent", String, nullable=False),
    Column("linked", String, nullable=False),
    Column("shared", Integer, nullable=False),
    Column("after", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

reversals = Table(
    "reversals",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("platform", String, nullable=False),
    Column("series", BigInteger, nullable=False),
    Column("entry_digest", String, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("issued", String, nullable=False),
    Column("digest", String, nullable=False),  # of the file
    Column("position", BigInteger, ForeignKey("queue.position"), nullable=False),
    UniqueConstraint("platform", "series"),
)

closed_claims = Table(
    "closed_claims",
    METADATA,
    Column("day", BigInteger, primary_key=True, autoincrement=False),  # the last of all is the one in force
)
