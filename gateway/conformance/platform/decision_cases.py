"""Clauses 5 to 8: only the gateway's signed decision moves points; returns, statements, accounts."""

from datetime import timedelta
from typing import Any

from gateway.conformance.platform.requiring import require, require_refused, require_same, require_state
from gateway.conformance.platform.trial import PlatformTrial
from gateway.model.canonical import canonical_bytes, digest
from gateway.transparency import leaf_hash, root_of

__all__ = [
    "abort_before_its_hold",
    "abort_gives_back",
    "commit_captures",
    "commit_of_nothing",
    "decision_forged",
    "decision_of_another_amount",
    "links",
    "returns",
    "statements",
]


def commit_captures(trial: PlatformTrial) -> None:
    """Check that a commit captures the hold, once; another decision is a conflict."""
    document = trial.hold()
    trial.say("holds", document)
    decision = trial.decision(document)
    first = trial.say("decisions", decision)
    repeats = {"transfer": document["transfer"], "digest": digest(canonical_bytes(decision["body"]))}
    require_state(first, "captured", repeats=repeats)
    require_same(first, trial.say("decisions", decision))
    require_state(trial.ask(f"holds/{document['id']}"), "captured")
    require_state(trial.ask(f"decisions/{document['transfer']}"), "captured")
    other = trial.say("decisions", trial.decision(document, "ABORT"))
    require_refused(other, 409, code="idempotency-conflict", field="/body/decision")


def abort_gives_back(trial: PlatformTrial) -> None:
    """Check that an abort releases the hold, and what was held can be held again; a credit is cancelled."""
    event, granted = trial.whole_lot()
    lot = {"record": trial.record(), "points": str(granted), "co2e_mg": "10", "event": event}
    for _ in range(2):
        document = trial.hold(lot)
        require_state(trial.say("holds", document), "held")
        require_state(trial.say("decisions", trial.decision(document, "ABORT")), "released")
    came = trial.credit()
    trial.say("credits", came)
    require_state(trial.say("decisions", trial.decision(came, "ABORT")), "cancelled")


def abort_before_its_hold(trial: PlatformTrial) -> None:
    """Check that an abort that comes first is kept: the hold or credit that comes after it is refused."""
    for resource, document in (("holds", trial.hold()), ("credits", trial.credit())):
        require_state(trial.say("decisions", trial.decision(document, "ABORT")), "none")
        require_refused(trial.say(resource, document), 422, code="transfer-decided", field="/transfer")


def commit_of_nothing(trial: PlatformTrial) -> None:
    """Check that a commit of what never came is refused, and does not stick."""
    document = trial.hold()
    decision = trial.decision(document)
    require_refused(trial.say("decisions", decision), 404, code="move-unknown")
    require_state(trial.say("holds", document), "held")
    require_state(trial.say("decisions", decision), "captured")


def decision_forged(trial: PlatformTrial) -> None:
    """Check that a decision by another key, or altered after it was signed, does nothing nor sticks."""
    document = trial.hold()
    trial.say("holds", document)
    altered = trial.decision(document)
    altered["body"] = altered["body"] | {"reason": "altered"}
    for forged in (trial.decision(document, signer=trial.stranger), altered):
        require_refused(trial.say("decisions", forged), 400, code="decision-not-signed")
        require_state(trial.ask(f"holds/{document['id']}"), "held")
    require_state(trial.say("decisions", trial.decision(document)), "captured")


def decision_of_another_amount(trial: PlatformTrial) -> None:
    """Check that a commit over another amount than was reserved does nothing and does not stick."""
    document = trial.hold()
    trial.say("holds", document)
    refused = trial.say("decisions", trial.decision(document, points_out="2"))
    require_refused(refused, 409, code="amount-differs", field="/body/points_out")
    require_state(trial.ask(f"holds/{document['id']}"), "held")


def returns(trial: PlatformTrial) -> None:
    """Check that a return reserves what is unspent of a transfer's points, and never more."""
    came = trial.credit(5)
    trial.say("credits", came)
    trial.say("decisions", trial.decision(came))
    first, too_much = trial.give_back(came, 3), trial.give_back(came, 3)
    require_state(trial.say("returns", first), "held", repeats=first)
    require_refused(trial.say("returns", too_much), 422, code="return-exceeds", field="/points")
    require_state(trial.say("decisions", trial.decision(first)), "captured")
    never = trial.give_back(trial.credit(), 1)
    require_refused(trial.say("returns", never), 422, code="original-unknown", field="/original")


def statements(trial: PlatformTrial) -> None:
    """Check that what was decided stands in the day's statement, by transfer and by lot, and adds up."""
    held, came = trial.hold(), trial.credit()
    for resource, document in (("holds", held), ("credits", came)):
        trial.say(resource, document)
        trial.say("decisions", trial.decision(document))
    day = (trial.speaker.now() + timedelta(hours=8)).date().isoformat()
    totals, transfers = trial.ask(f"statements/{day}").document, _all(trial, day, part="transfers")
    lines = {line["transfer"]: line for line in transfers}
    for document, role in ((held, "source"), (came, "destination")):
        line = lines.get(document["transfer"], {})
        wanted = {"role": role, "points": document["points"]}
        found = {name: line.get(name) for name in wanted}
        require(found == wanted, f"expected {wanted} of {document['transfer']}, got {found}")
    sent = [line for line in transfers if line["role"] == "source" and "original" not in line]
    added = str(sum(int(line["points"]) for line in sent))
    require(
        totals["sent"]["points"] == added, f"expected {added} points sent, got {totals['sent']['points']}"
    )
    for name, entries in (("transfers_root", transfers), ("lots_root", _all(trial, day, part="lots"))):
        root = "sha256:" + root_of(leaf_hash(canonical_bytes(entry)) for entry in entries).hex()
        require(totals[name] == root, f"`{name}` is not the root over the lines")


def links(trial: PlatformTrial) -> None:
    """Check that a code tells its account once, with the verified identity; the query never repeats that."""
    if not trial.samples.codes:
        return
    link = {"id": trial.new_id("lk"), "code": trial.samples.codes[0]}
    first = trial.say("accounts/links", link)
    require_state(first, "linked")
    require(bool(first.document.get("identity")), "expected the verified `identity`")
    require_same(first, trial.say("accounts/links", link))
    again = link | {"id": trial.new_id("lk")}
    require_refused(trial.say("accounts/links", again), 422, code="code-unknown", field="/code")
    asked = trial.ask(f"accounts/links/{link['id']}").document
    require("identity" not in asked, "expected no `identity` in the answer to a query")


def _all(trial: PlatformTrial, day: str, *, part: str) -> list[dict[str, Any]]:
    """Read all pages of a list."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = trial.ask(f"statements/{day}/{part}" + (f"?cursor={cursor}" if cursor else "")).document
        found += page.get(part, [])
        cursor = page.get("next", "")
        if not cursor:
            return found
