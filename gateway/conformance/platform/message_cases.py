"""Clauses 2 to 4: messages are taken once and for ever; holds and credits wait for the decision."""

from gateway.conformance.platform.requiring import require, require_refused, require_same, require_state
from gateway.conformance.platform.trial import PlatformTrial

__all__ = [
    "batch",
    "credit_waits",
    "hold_reserves",
    "hold_stays",
    "other_document",
    "refusal_sticks",
    "same_document",
    "sums",
    "unknown_account",
]

BEYOND = str(10**12)  # points that nobody has


def same_document(trial: PlatformTrial) -> None:
    """Check that the same id with the same document gets the same answer, byte for byte, and is done once."""
    for resource, document in (("holds", trial.hold()), ("credits", trial.credit())):
        first = trial.say(resource, document)
        require_state(first, "held" if resource == "holds" else "prepared", repeats=document)
        require_same(first, trial.say(resource, document))
        require_state(trial.ask(f"{resource}/{document['id']}"), first.document["state"], repeats=document)


def other_document(trial: PlatformTrial) -> None:
    """Check that the same id with another document is 409, with a pointer to the member that differs."""
    document = trial.hold()
    first = trial.say("holds", document)
    for name, value in (("expected_in_s", 31), ("account", "another")):
        refused = trial.say("holds", document | {name: value})
        require_refused(refused, 409, code="idempotency-conflict", field=f"/{name}")
    require_same(first, trial.say("holds", document))


def refusal_sticks(trial: PlatformTrial) -> None:
    """Check that a refusal for good stays the answer to its id, though the same could be done later."""
    lot = trial.lot()
    document = trial.hold(lot | {"points": BEYOND})
    first = trial.say("holds", document)
    require_refused(first, 422, code="lot-spent")
    require_same(first, trial.say("holds", document))
    require_same(first, trial.ask(f"holds/{document['id']}"))


def batch(trial: PlatformTrial) -> None:
    """Check that each line of a batch has its own outcome, in order, also where an id stands twice."""
    good, bad, last = trial.hold(), trial.hold(account="nobody-has-this"), trial.hold()
    items = {"items": [good, bad, good, good | {"expected_in_s": 31}, last]}
    first = trial.say("holds:batch", items)
    outcomes = first.document.get("outcomes", [])
    require([one.get("id") for one in outcomes] == [one["id"] for one in items["items"]], "expected each id")
    statuses = [one.get("status") for one in outcomes]
    require(statuses == [201, 422, 201, 409, 201], f"expected 201, 422, 201, 409, 201, got {statuses}")
    require(outcomes[0] == outcomes[2], "expected the same outcome for the same line")
    require_same(first, trial.say("holds:batch", items))
    require(
        trial.say("holds", good).document == outcomes[0].get("document"), "expected the line's answer alone"
    )


def hold_reserves(trial: PlatformTrial) -> None:
    """Check that what is held cannot be held again."""
    event, granted = trial.whole_lot()
    lot = {"record": trial.record(), "points": str(granted), "co2e_mg": "10", "event": event}
    require_state(trial.say("holds", trial.hold(lot)), "held")
    require_refused(trial.say("holds", trial.hold(lot | {"points": "1"})), 422, code="lot-spent")


def hold_stays(trial: PlatformTrial) -> None:
    """Check that a hold never ends by itself, however long no decision comes."""
    document = trial.hold(expected_in_s=1)
    require_state(trial.say("holds", document), "held")
    trial.pause(1.2)
    require_state(trial.ask(f"holds/{document['id']}"), "held")


def credit_waits(trial: PlatformTrial) -> None:
    """Check that points of a credit cannot be spent before the decision, and can after it."""
    came = trial.credit()
    require_state(trial.say("credits", came), "prepared")
    lot = came["lots"][0] | {"arrived": came["transfer"]}
    require_refused(trial.say("holds", trial.hold(lot)), 422, code="lot-unknown")
    require_state(trial.say("decisions", trial.decision(came)), "posted")
    require_state(trial.say("holds", trial.hold(lot)), "held")


def unknown_account(trial: PlatformTrial) -> None:
    """Check that an account, a unit or an act that is not the platform's is refused with its code."""
    account = trial.hold(account="nobody-has-this")
    require_refused(trial.say("holds", account), 422, code="account-unknown", field="/account")
    unit = trial.credit(unit="cn-000000/other-point")
    require_refused(trial.say("credits", unit), 422, code="unit-differs", field="/unit")
    act = trial.hold(trial.lot() | {"event": "no-such-act"})
    require_refused(trial.say("holds", act), 422, code="lot-unknown")


def sums(trial: PlatformTrial) -> None:
    """Check that lots must add up to what the message says."""
    document = trial.hold()
    refused = trial.say("holds", document | {"points": "2"})
    require_refused(refused, 422, code="sum-differs", field="/points")
