"""Tables beside the ledger's: where transfers are found, where platforms are called, what is spoken."""

from typing import Final

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, Table

from gateway.store.sql.tables import METADATA

__all__ = ["addresses", "arriving", "carried_files", "dialects", "ends"]

ends: Final = Table(
    "transfer_ends",
    METADATA,
    Column("platform", String, nullable=False),  # either end
    Column("transfer", String, nullable=False),
    PrimaryKeyConstraint("platform", "transfer"),
)

arriving: Final = Table(
    "transfer_lots",
    METADATA,
    Column("person", String, nullable=False),  # the pseudonym across platforms
    Column("lot", String, nullable=False),
    Column("transfer", String, nullable=False),  # which brings it, or takes of it
    PrimaryKeyConstraint("person", "lot", "transfer"),
)

addresses: Final = Table(
    "platform_addresses",
    METADATA,
    Column("platform", String, primary_key=True),
    Column("url", String, nullable=False),
)

dialects: Final = Table(
    "platform_dialects",
    METADATA,
    Column("platform", String, primary_key=True),
    Column("way", String, nullable=False),  # another than common JSON
    Column("form", String, nullable=False),  # of a file: whose columns
)

carried_files: Final = Table(
    "carried_files",
    METADATA,
    Column("platform", String, nullable=False),
    Column("heading", String, nullable=False),  # out: written for the platform; in: taken from it
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String, nullable=False),
    Column("moment", String, nullable=False),
    PrimaryKeyConstraint("platform", "heading", "sequence"),
)
