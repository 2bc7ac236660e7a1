"""Tables beside the ledger's: where the lots and the platforms of a transfer are found, and where to call."""

from typing import Final

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, String, Table

from gateway.store.tables import METADATA

__all__ = ["addresses", "ends", "lots"]

lots: Final = Table(
    "transfer_lots",
    METADATA,
    Column("record", String, nullable=False),
    Column("transfer", String, nullable=False),
    Column("part", Integer, nullable=False),  # its place among the parts that are reserved
    Column("destination", String, nullable=False),
    Column("rates", String, nullable=False),
    PrimaryKeyConstraint("record", "transfer"),
)

ends: Final = Table(
    "transfer_ends",
    METADATA,
    Column("platform", String, nullable=False),  # either end
    Column("transfer", String, nullable=False),
    PrimaryKeyConstraint("platform", "transfer"),
)

addresses: Final = Table(
    "platform_addresses",
    METADATA,
    Column("platform", String, primary_key=True),
    Column("url", String, nullable=False),
)
