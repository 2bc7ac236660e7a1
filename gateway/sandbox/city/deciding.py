"""Decisions: nothing is captured, posted or given back without the gateway's signature over it."""

import sqlite3
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.model.canonical import canonical_bytes, digest
from gateway.sandbox.city.faults import Defect
from gateway.sandbox.city.moving import post_points, release
from gateway.sandbox.city.refusals import Refusal, RefusalCode
from gateway.sandbox.city.work import Work
from gateway.signing import verify_envelope

__all__ = ["carry_out"]

NEWEST: Final = 2**53 - 1  # a position past every entry: a key that has ended signs nothing that is new here
_ENDS: Final = {
    ("holds", "COMMIT"): "captured",
    ("holds", "ABORT"): "released",
    ("returns", "COMMIT"): "captured",
    ("returns", "ABORT"): "released",
    ("credits", "COMMIT"): "posted",
    ("credits", "ABORT"): "cancelled",
}
Json = dict[str, Any]


def carry_out(work: Work, document: Json) -> Json:
    """Carry the decision on a transfer out; an abort of what never came is kept against its late arrival."""
    body = document["body"]
    if Defect.UNCHECKED not in work.defects:
        _require_signed(work, document)
    if work.city.platform not in (body["source"], body["destination"]):
        told = "this platform is neither end of the transfer"
        raise Refusal(RefusalCode.MALFORMED, told, field="/body")
    move = work.one("SELECT * FROM moves WHERE transfer = ?", body["transfer"])
    if move is None:
        return _answer(work, body, state=_without_move(body))
    _require_same(work, body, move=move)
    state = _ENDS[move["resource"], body["decision"]]
    if state == "posted" and Defect.HASTY not in work.defects:
        post_points(work, body["transfer"])
    if state == "released":
        release(work, body["transfer"])
    work.db.execute(
        "UPDATE moves SET state = ?, day = ? WHERE transfer = ?", (state, work.today, body["transfer"])
    )
    return _answer(work, body, state=state)


def _answer(work: Work, body: Json, *, state: str) -> Json:
    answer = {
        "transfer": body["transfer"],
        "digest": digest(canonical_bytes(body)),
        "decision": body["decision"],
        "state": state,
        "done": work.stamp,
    }
    work.db.execute(
        "INSERT INTO decisions VALUES (?, ?, ?)",
        (body["transfer"], answer["digest"], canonical_bytes(answer).decode()),
    )
    return answer


def _without_move(body: Json) -> str:
    if body["decision"] == "COMMIT":
        told = "nothing of this transfer was ever taken here: a commit cannot be right"
        raise Refusal(RefusalCode.MOVE_UNKNOWN, told, field="/body/transfer")
    return "none"


def _require_signed(work: Work, document: Json) -> None:
    try:
        verify_envelope(document, work.ring, position=NEWEST)
    except GatewayError as error:
        raise Refusal(RefusalCode.DECISION_NOT_SIGNED, str(error), field="/signatures") from error


def _require_same(work: Work, body: Json, *, move: sqlite3.Row) -> None:
    """Refuse to capture or post another amount than was reserved, or at the other end."""
    at_source = move["resource"] != "credits"
    if body["source" if at_source else "destination"] != work.city.platform:
        told = "the decision has the two ends the other way round"
        raise Refusal(RefusalCode.AMOUNT_DIFFERS, told, field="/body/source")
    if body["decision"] == "ABORT":
        return
    name = "points_out" if at_source else "points_in"
    if int(body[name]) != move["points"]:
        told = f"{move['points']} points were reserved, the decision says {body[name]}"
        raise Refusal(RefusalCode.AMOUNT_DIFFERS, told, field=f"/body/{name}")
    if not at_source and int(body["recognised_mg"]) != move["co2e_mg"]:
        told = f"{move['co2e_mg']} mg were stated, the decision says {body['recognised_mg']}"
        raise Refusal(RefusalCode.AMOUNT_DIFFERS, told, field="/body/recognised_mg")
