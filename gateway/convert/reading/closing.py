"""Read that a whole programme has ended."""

from datetime import date, timedelta

from gateway.convert.program import Closed
from gateway.convert.reading.node import Node

__all__ = ["read_closed"]


def read_closed(root: Node, until: date | None) -> Closed | None:
    """Read the day of the end and what was left then; a programme that has ended covers no later day."""
    node = root.get("closed")
    if node is None:
        return None
    day = node.date("on")
    if until is None:
        node.report("date", "expected effective.until of a programme that is closed, got none")
    elif day < until - timedelta(days=1):
        node["on"].report("date", f"expected a day not before the last one covered, got {day}")
    return Closed(on=day, snapshot=node.word("snapshot"))
