"""Holds, credits and returns: what is reserved until the decision."""

import sqlite3
from typing import Any

from gateway.sandbox.city.faults import Defect
from gateway.sandbox.city.refusals import Refusal, RefusalCode
from gateway.sandbox.city.work import Work

__all__ = ["place_hold", "place_return", "post_points", "prepare_credit", "release"]

Json = dict[str, Any]


def place_hold(work: Work, document: Json) -> Json:
    """Take points out of what the account can spend, until the decision."""
    work.require_account(document)
    work.require_other(document, "destination")
    work.require_new(document["transfer"])
    _require_sum(document, "points")
    _require_consent(work, document)
    spending = Defect.OVERSPENDING in work.defects
    _add_move(work, document, resource="holds", co2e_mg=_sum(document, "co2e_mg"), state="held")
    for number, lot in enumerate(document["lots"]):
        points = int(lot["points"])
        grant = _grant_of(work, document["account"], lot=lot, number=number)
        if grant["left_points"] < points:
            told = "less than that is left of the lot"
            raise Refusal(RefusalCode.LOT_SPENT, told, field=f"/lots/{number}/points")
        if not spending:
            _take(work, grant["number"], points=points)
        taken = 0 if spending else grant["number"]
        _add_part(work, document["transfer"], number=number, taken=taken, lot=lot)
    return {"state": "held", "placed": work.stamp}


def prepare_credit(work: Work, document: Json) -> Json:
    """Make sure that points can be issued, and wait for the decision."""
    work.require_account(document)
    work.require_other(document, "source")
    work.require_new(document["transfer"])
    _require_sum(document, "points")
    _require_sum(document, "co2e_mg")
    if "original" in document:
        _require_original(work, document)
    _add_move(work, document, resource="credits", co2e_mg=int(document["co2e_mg"]), state="prepared")
    for number, lot in enumerate(document["lots"]):
        _add_part(work, document["transfer"], number=number, taken=0, lot=lot)
    if Defect.HASTY in work.defects:
        post_points(work, document["transfer"])
    return {"state": "prepared", "placed": work.stamp}


def place_return(work: Work, document: Json) -> Json:
    """Reserve what is unspent of the points that a transfer brought, oldest lot first."""
    work.require_account(document)
    work.require_new(document["transfer"])
    original = work.one(
        "SELECT points FROM moves WHERE transfer = ? AND resource = 'credits' AND state = 'posted'"
        " AND account = ?",
        document["original"],
        document["account"],
    )
    if original is None:
        told = "no points came to this account by that transfer"
        raise Refusal(RefusalCode.ORIGINAL_UNKNOWN, told, field="/original")
    grants = work.db.execute(
        "SELECT number, record, points, left_points, co2e_mg, valid_through FROM grants"
        " WHERE account = ? AND arrived = ? AND left_points > 0 ORDER BY number",
        (document["account"], document["original"]),
    ).fetchall()
    wanted, lots = int(document["points"]), []
    if sum(grant["left_points"] for grant in grants) < wanted:
        told = "less than that is unspent of what the transfer brought"
        raise Refusal(RefusalCode.RETURN_EXCEEDS, told, field="/points")
    _add_move(work, document, resource="returns", co2e_mg=0, state="held")
    for number, grant in enumerate(grants):
        points = min(wanted, grant["left_points"])
        if not points:
            break
        lot = {"record": grant["record"], "points": str(points), "co2e_mg": "0"}
        _take(work, grant["number"], points=points)
        _add_part(work, document["transfer"], number=number, taken=grant["number"], lot=lot)
        lots.append({"record": grant["record"], "points": str(points)})
        wanted -= points
    return {"state": "held", "placed": work.stamp, "lots": lots}


def release(work: Work, transfer: str) -> None:
    """Give the account what a hold or a return had taken."""
    work.db.execute(
        "UPDATE grants SET left_points = left_points + held.points"
        " FROM (SELECT taken, sum(points) AS points FROM parts WHERE transfer = ? GROUP BY taken) AS held"
        " WHERE held.taken = grants.number",  # a hold may name an act twice
        (transfer,),
    )


def post_points(work: Work, transfer: str) -> None:
    """Issue the points of a credit, lot by lot."""
    work.db.execute(
        "INSERT INTO grants (account, arrived, record, points, left_points, co2e_mg, valid_through)"
        " SELECT moves.account, moves.transfer, parts.record, sum(parts.points), sum(parts.points),"
        " sum(parts.co2e_mg), coalesce(min(nullif(parts.valid_through, '')), '')"
        " FROM parts JOIN moves USING (transfer)"
        " WHERE transfer = ? GROUP BY parts.record ORDER BY min(parts.number)",
        (transfer,),
    )


def _grant_of(work: Work, account: str, *, lot: Json, number: int) -> sqlite3.Row:
    """Return the points of a lot: those of the city's own act, or those that came by a transfer."""
    if "event" in lot:
        grant = work.one(
            "SELECT * FROM grants WHERE account = ? AND event = ? AND event <> ''", account, lot["event"]
        )
    else:
        grant = work.one(
            "SELECT * FROM grants WHERE account = ? AND arrived = ? AND arrived <> '' AND record = ?",
            account,
            lot.get("arrived", ""),
            lot["record"],
        )
    if grant is None:
        told = "the account has no points by this act or transfer"
        raise Refusal(RefusalCode.LOT_UNKNOWN, told, field=f"/lots/{number}")
    return grant


def _take(work: Work, grant: int, *, points: int) -> None:
    work.db.execute("UPDATE grants SET left_points = left_points - ? WHERE number = ?", (points, grant))


def _add_move(work: Work, document: Json, *, resource: str, co2e_mg: int, state: str) -> None:
    values = (
        document["transfer"],
        resource,
        document["id"],
        document["account"],
        int(document["points"]),
        co2e_mg,
        document.get("original", ""),
        state,
    )
    work.db.execute(
        "INSERT INTO moves (transfer, resource, id, account, points, co2e_mg, original, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def _add_part(work: Work, transfer: str, *, number: int, taken: int, lot: Json) -> None:
    values = (
        transfer,
        number,
        taken,
        lot["record"],
        int(lot["points"]),
        int(lot["co2e_mg"]),
        lot.get("valid_through", ""),
    )
    work.db.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _sum(document: Json, name: str) -> int:
    return sum(int(lot[name]) for lot in document["lots"])


def _require_sum(document: Json, name: str) -> None:
    if _sum(document, name) != int(document[name]):
        told = f"the lots do not add up to {document[name]}"
        raise Refusal(RefusalCode.SUM_DIFFERS, told, field=f"/{name}")


def _require_consent(work: Work, document: Json) -> None:
    """Where the city asks its residents itself, hold nothing that the resident did not agree to."""
    if not work.city.asks:
        return
    given = work.one(
        "SELECT 1 FROM consents WHERE account = ? AND purpose = 'move' AND transfer = ? AND points = ?"
        " AND state = 'given'",
        document["account"],
        document["transfer"],
        int(document["points"]),
    )
    if given is None:
        told = "the resident has not agreed to this move"
        raise Refusal(RefusalCode.CONSENT_MISSING, told, field="/transfer")


def _require_original(work: Work, document: Json) -> None:
    """Take back no more than was ever sent by the transfer that is undone."""
    sent = work.one(
        "SELECT points FROM moves WHERE transfer = ? AND resource = 'holds' AND state = 'captured'"
        " AND account = ?",
        document["original"],
        document["account"],
    )
    if sent is None:
        told = "this account has sent nothing by that transfer"
        raise Refusal(RefusalCode.ORIGINAL_UNKNOWN, told, field="/original")
    back = work.one(
        "SELECT coalesce(sum(points), 0) AS points FROM moves WHERE original = ? AND resource = 'credits'"
        " AND state <> 'cancelled'",
        document["original"],
    )
    if (back["points"] if back else 0) + int(document["points"]) > sent["points"]:
        raise Refusal(RefusalCode.RETURN_EXCEEDS, "more than was sent would come back", field="/points")
