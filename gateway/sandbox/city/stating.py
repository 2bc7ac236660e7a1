"""Statements: what was decided on a day, as totals, by lots and by transfers."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from gateway.model.canonical import canonical_bytes
from gateway.sandbox.city.faults import Defect
from gateway.sandbox.city.refusals import Refusal, RefusalCode
from gateway.sandbox.city.work import Work
from gateway.transparency import leaf_hash, root_of

__all__ = ["PAGE_LINES", "lots_of", "totals_of", "transfers_of"]

PAGE_LINES: Final = 500
_TRANSFERS: Final = (
    "SELECT transfer, resource, original, points, co2e_mg FROM moves"
    " WHERE day = ? AND state IN ('captured', 'posted') ORDER BY transfer"
)
_LOTS: Final = (
    "SELECT parts.transfer, parts.number, parts.record, parts.points, parts.co2e_mg"
    " FROM moves JOIN parts USING (transfer) WHERE day = ? AND state IN ('captured', 'posted')"
    " ORDER BY parts.transfer, parts.number"
)
Json = dict[str, Any]


def totals_of(work: Work, day: str) -> Json:
    """Return what a day added up to."""
    _require_day(day)
    transfers, lots = _transfers(work, day), _lots(work, day)
    return {
        "day": day,
        "platform": work.city.platform,
        "closed": day < work.today,
        "sent": _added(transfers, role="source", original=False),
        "received": _added(transfers, role="destination", original=False),
        "returned": _added(transfers, role="source", original=True),
        "taken_back": _added(transfers, role="destination", original=True),
        "lots": str(len(lots)),
        "lots_root": _root(lots),
        "transfers_root": _root(transfers),
    }


def transfers_of(work: Work, day: str, *, cursor: str) -> Json:
    """Return some transfers of a day, those after a transfer."""
    _require_day(day)
    lines = [line for line in _transfers(work, day) if line["transfer"] > cursor]
    more = {"next": lines[PAGE_LINES - 1]["transfer"]} if len(lines) > PAGE_LINES else {}
    return {"day": day, "transfers": lines[:PAGE_LINES], **more}


def lots_of(work: Work, day: str, *, cursor: str) -> Json:
    """Return some lots of a day, those from a place in the list."""
    _require_day(day)
    first = int(cursor) if cursor.isdigit() else 0
    lines = _lots(work, day)
    more = {"next": str(first + PAGE_LINES)} if len(lines) > first + PAGE_LINES else {}
    return {"day": day, "lots": lines[first : first + PAGE_LINES], **more}


def _transfers(work: Work, day: str) -> list[Json]:
    if Defect.SILENT in work.defects:
        return []
    rows = work.db.execute(_TRANSFERS, (day,))
    return [
        {
            "transfer": row["transfer"],
            "role": "destination" if row["resource"] == "credits" else "source",
            "points": str(row["points"]),
            "co2e_mg": str(row["co2e_mg"]),
            **({"original": row["original"]} if row["original"] else {}),
        }
        for row in rows
    ]


def _lots(work: Work, day: str) -> list[Json]:
    rows = work.db.execute(_LOTS, (day,))
    return [
        {
            "record": row["record"],
            "transfer": row["transfer"],
            "points": str(row["points"]),
            "co2e_mg": str(row["co2e_mg"]),
        }
        for row in rows
    ]


def _added(transfers: list[Json], *, role: str, original: bool) -> Json:
    chosen = [line for line in transfers if line["role"] == role and ("original" in line) == original]
    return {
        "transfers": str(len(chosen)),
        "points": str(sum(int(line["points"]) for line in chosen)),
        "co2e_mg": str(sum(int(line["co2e_mg"]) for line in chosen)),
    }


def _root(lines: Iterable[Json]) -> str:
    return "sha256:" + root_of(leaf_hash(canonical_bytes(line)) for line in lines).hex()


def _require_day(day: str) -> None:
    try:
        right = date.fromisoformat(day).isoformat() == day
    except ValueError:
        right = False
    if not right:
        raise Refusal(RefusalCode.NOT_FOUND, "there is no such day: write it as 2026-11-22")
