"""Join the parts of closing days."""

from pathlib import Path

from gateway.app.base.home import open_home
from gateway.errors import Refused
from gateway.service.days import Closing, close_day
from gateway.service.publishing import publish_queue

__all__ = ["close_day_of"]


def close_day_of(root: Path, day: str, *, platform: str = "") -> dict[str, object]:
    """Close a day of one platform, or of every platform that has something to state for it."""
    with open_home(root, writing=True) as opened:
        parts = Closing(
            issuer=opened.facts.issuer,
            journal=opened.journal,
            records=opened.records,
            signers=opened.record_signers(),
            clock=opened.clock,
        )
        platforms = [platform] if platform else opened.journal.platforms()
        closed = {}
        for one in platforms:
            try:
                made = close_day(one, day, parts=parts)
            except Refused:
                if platform:
                    raise
                continue
            closed[one] = f"supplement {made.supplement}" if made.supplement else "closed"
        if not closed:
            raise Refused(
                f"no platform has anything to close for {day}", remedy="a day closes three days after it"
            )
        publish_queue(opened.journal, opened.log, rings=opened.publishing_rings)
        return {"day": day, "platforms": closed, "log_entries": opened.log.size}
