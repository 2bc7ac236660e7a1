"""Moments as signed documents write them."""

from datetime import UTC, datetime

__all__ = ["instant_text", "moment_text"]


def instant_text(moment: datetime) -> str:
    """Write a moment in UTC with whole seconds and ``Z``: 2026-11-22T05:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_text(seconds: int) -> str:
    """Write a moment that is given in seconds since 1970."""
    return instant_text(datetime.fromtimestamp(seconds, UTC))
