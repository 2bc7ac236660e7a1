"""The tables of webhooks: endpoints, events, and the events on their way to endpoints. No personal data."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from gateway.store.sql.tables import METADATA

__all__ = ["deliveries", "events", "unwitnessed", "webhooks"]

webhooks: Final = Table(
    "webhooks",
    METADATA,
    Column("id", String, primary_key=True),
    Column("platform", String, ForeignKey("platforms.id"), nullable=False, index=True),
    Column("url", String, nullable=False),
    Column("events", String, nullable=False),  # types, a space between them
    Column("description", String, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("created", String, nullable=False),
    Column("disabled", String, nullable=False),
    Column("failing", String, nullable=False),
)

events: Final = Table(
    "webhook_events",
    METADATA,
    Column("id", String, primary_key=True),
    Column("platform", String, ForeignKey("platforms.id"), nullable=False),
    Column("type", String, nullable=False),
    Column("payload", String, nullable=False),
    Column("created", String, nullable=False, index=True),
)

deliveries: Final = Table(
    "webhook_deliveries",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("webhook", String, ForeignKey("webhooks.id"), nullable=False),
    Column("event", String, ForeignKey("webhook_events.id"), nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("detail", String, nullable=False),
    UniqueConstraint("webhook", "event"),
    Index("ix_webhook_deliveries_due", "state", "webhook", "next_at"),
)

unwitnessed: Final = Table(
    "webhook_unwitnessed",
    METADATA,
    Column("operation", String, primary_key=True),
    Column("platform", String, ForeignKey("platforms.id"), nullable=False),
    Column("log_size", BigInteger, nullable=False, index=True),  # at which its records are in the log
)
