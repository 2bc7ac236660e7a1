"""Join the parts of looking at claims, closing them and withdrawing records."""

from datetime import date
from pathlib import Path

from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.kinds import shipped
from gateway.app.records.check import record_of
from gateway.service.claims.closing import close_claims, day_to_close
from gateway.service.claims.views import claim_of, claim_word, reversed_records
from gateway.service.claims.withdrawing import Withdrawing, Withdrawn, withdraw_record

__all__ = ["close", "listed", "show", "withdraw", "withdrawing", "word"]


def listed(root: Path, *, platform: str = "") -> list[dict[str, object]]:
    """Return the records that do not count, of one platform or of all."""
    with open_home(root) as opened:
        found = reversed_records(opened.journal, opened.reversals)
        return [one for one in found if platform in ("", one["platform"], one["of_platform"])]


def word(root: Path, record_id: str) -> str:
    """Say whether a record counts."""
    with open_home(root) as opened:
        return claim_word(record_id, opened.journal)


def show(root: Path, record_id: str) -> dict[str, object]:
    """Return the claim of one record."""
    found = record_of(root, record_id)
    with open_home(root) as opened:
        return claim_of(
            found,
            journal=opened.journal,
            files=opened.reversals,
            kinds=shipped(),
            index=opened.index(),
        )


def close(root: Path, day: str) -> str:
    """Close the claims of all days up to one; return the last day that is closed now."""
    with open_home(root, writing=True) as opened:
        claims = opened.journal.claims
        close_claims(day_to_close(day, now=opened.clock.now()), claims, kinds=shipped())
        return date.fromordinal(claims.closed()).isoformat() if claims.closed() else day


def withdraw(root: Path, record_id: str) -> Withdrawn:
    """Withdraw a record; see :func:`gateway.service.claims.withdrawing.withdraw_record`."""
    found = record_of(root, record_id)
    with open_home(root, writing=True) as opened:
        return withdraw_record(found, withdrawing(opened))


def withdrawing(opened: OpenHome) -> Withdrawing:
    """Return the parts of withdrawing."""
    return Withdrawing(
        kinds=shipped(),
        journal=opened.journal,
        reversing=opened.reversing(),
        log=opened.log,
        index=opened.index(),
        rings=opened.publishing_rings,
        clock=opened.clock,
    )
