"""Tables beside the ledger's: where the transfers of a platform are found, and where it is called."""

from typing import Final

from sqlalchemy import Column, PrimaryKeyConstraint, String, Table

from gateway.store.tables import METADATA

__all__ = ["addresses", "ends"]

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
