"""Which version of a scheme is in force on which day."""

from gateway.catalog.timeline import Timeline, Version

__all__ = ["Timeline", "Version"]
