"""The tables of the service: platforms and their keys, used nonces, operations.

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

from gateway.store.tables import METADATA

__all__ = ["contents", "invitations", "nonces", "operations", "platform_keys", "platforms"]

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

operations: Final = Table(
    "operations",
    METADATA,
    Column("number", Integer, primary_key=True),  # in the order of arrival
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
    UniqueConstraint("platform", "key"),
)

contents: Final = Table(
    "contents",
    METADATA,
    Column("operation", Integer, ForeignKey("operations.number"), primary_key=True),
    Column("rows", LargeBinary, nullable=False),
)
