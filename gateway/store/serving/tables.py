"""The tables of the service: platforms and their keys, used nonces, operations, operators.

``contents`` holds rows of a submission until they are converted, so it is the only table of this database
with personal data in it.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from gateway.store.sql.tables import METADATA

__all__ = [
    "contents",
    "invitations",
    "leases",
    "nonce_stores",
    "nonces",
    "operations",
    "operators",
    "platform_keys",
    "platforms",
]

_COUNTED: Final = BigInteger().with_variant(
    Integer, "sqlite"
)  # SQLite numbers rows itself only under this name

platforms: Final = Table(
    "platforms",
    METADATA,
    Column("id", String, primary_key=True),
    Column("suspended", String, nullable=False),
    Column("created", String, nullable=False),
)

invitations: Final = Table(
    "invitations",
    METADATA,
    Column("platform", String, ForeignKey("platforms.id"), primary_key=True),
    Column("code_hash", LargeBinary, nullable=False),
    Column("expires", String, nullable=False),
)

platform_keys: Final = Table(
    "platform_keys",
    METADATA,
    Column("id", String, primary_key=True),
    Column("platform", String, ForeignKey("platforms.id"), nullable=False, index=True),
    Column("public", LargeBinary, nullable=False, unique=True),
    Column("created", String, nullable=False),
    Column("revoked", String),
)

nonces: Final = Table(
    "nonces",
    METADATA,
    Column("key_id", String, nullable=False),
    Column("nonce", String, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
    PrimaryKeyConstraint("key_id", "nonce"),
)

operators: Final = Table(
    "operators",
    METADATA,
    Column("id", String, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("platform", String, nullable=False),
    Column("first_day", String, nullable=False),
    Column("last_day", String, nullable=False),
    Column("created", String, nullable=False),
    Column("expires", String, nullable=False),
    Column("revoked", String),
)

operations: Final = Table(
    "operations",
    METADATA,
    Column("number", _COUNTED, primary_key=True),  # in the order of arrival
    Column("id", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("platform", String, ForeignKey("platforms.id"), nullable=False),
    Column("key", String, nullable=False),
    Column("content_sha256", LargeBinary, nullable=False),
    Column("mapping", String, nullable=False),
    Column("adapter", String, nullable=False),
    Column("name", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("spool", String, index=True),
    Column("first_row", BigInteger, nullable=False),
    Column("result", String, nullable=False),
    Column("created", String, nullable=False),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("versions", String, nullable=False, server_default=""),  # digests; empty until it is taken
    Column("trace", String, nullable=False, server_default=""),  # traceparent of the request's span
    UniqueConstraint("platform", "key"),
)

contents: Final = Table(
    "contents",
    METADATA,
    Column("operation", _COUNTED, ForeignKey("operations.number"), primary_key=True),
    Column("rows", LargeBinary, nullable=False),
)

leases: Final = Table(
    "leases",
    METADATA,
    Column("name", String, primary_key=True),  # the log's origin: this database is that log's
    Column("holder", String, nullable=False),  # empty: nobody
    Column("term", BigInteger, nullable=False),  # one more for each holder
    Column("expires", BigInteger, nullable=False),  # by the database's clock
)

nonce_stores: Final = Table(
    "nonce_stores",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("server", String, nullable=False),  # the run of the Redis server in charge; empty: this database
    Column("floor", BigInteger, nullable=False),  # what was created until then is refused
    Column("both_until", BigInteger, nullable=False),  # what was created until then is asked of both
)
