"""Clause 1: nobody but the gateway is listened to, and every answer is the platform's own."""

from dataclasses import replace
from datetime import timedelta

from gateway.conformance.platform.requiring import require, require_refused, require_same, require_state
from gateway.conformance.platform.speaking import Exchange
from gateway.conformance.platform.trial import PlatformTrial
from gateway.model.canonical import canonical_bytes

__all__ = [
    "answers_are_bound",
    "refusals_are_bound",
    "replay",
    "request_altered",
    "request_by_a_stranger",
    "request_out_of_time",
    "request_unsigned",
]


def request_unsigned(trial: PlatformTrial) -> None:
    """Check that a request without a signature is refused and does nothing."""
    document = trial.hold()
    message, content = trial.speaker.signed("/v1/holds", document)
    bare = {name: value for name, value in message.headers.items() if not name.startswith("signature")}
    _require_not_taken(
        trial, document, exchange=trial.deliver(replace(message, headers=bare), content, unbound=True)
    )


def request_by_a_stranger(trial: PlatformTrial) -> None:
    """Check that a request signed by another key, or by the gateway's key for decisions, is refused."""
    for signer in (trial.stranger, trial.decider):
        document = trial.hold()
        message, content = trial.speaker.signed("/v1/holds", document, signer=signer)
        _require_not_taken(trial, document, exchange=trial.deliver(message, content, unbound=True))


def request_altered(trial: PlatformTrial) -> None:
    """Check that a request of which content, digest, path, type or idempotency key was changed is refused."""
    document = trial.hold()
    other = canonical_bytes(document | {"expected_in_s": 31})
    message, content = trial.speaker.signed("/v1/holds", document)
    moved, _ = trial.speaker.signed("/v1/credits", document)
    for changed, sent in (
        (message, other),
        (replace(moved, url=message.url), content),
        (replace(message, headers={**message.headers, "content-type": "text/json"}), content),
        (replace(message, headers={**message.headers, "idempotency-key": "other"}), content),
    ):
        _require_not_taken(trial, document, exchange=trial.deliver(changed, sent, unbound=True))


def request_out_of_time(trial: PlatformTrial) -> None:
    """Check that a request signed ten minutes ago, or in ten minutes, is refused."""
    for minutes in (-10, 10):
        document = trial.hold()
        created = trial.speaker.now() + timedelta(minutes=minutes)
        message, content = trial.speaker.signed("/v1/holds", document, created=created)
        _require_not_taken(trial, document, exchange=trial.deliver(message, content, unbound=True))


def replay(trial: PlatformTrial) -> None:
    """Check that a signed request is good once; the same message signed anew gets its first answer."""
    document = trial.hold()
    message, content = trial.speaker.signed("/v1/holds", document)
    first = trial.deliver(message, content)
    again = trial.deliver(message, content, unbound=True)
    require(again.status == 401, f"expected 401 for the second time, got {again.status}")
    require_same(first, trial.say("holds", document))


def answers_are_bound(trial: PlatformTrial) -> None:
    """Check that each answer is signed over its status, its content and the request it answers."""
    document = trial.hold()
    require_state(trial.say("holds", document), "held")
    for _ in range(2):
        require_state(trial.ask(f"holds/{document['id']}"), "held")


def refusals_are_bound(trial: PlatformTrial) -> None:
    """Check that a refusal of a signed request is signed like any answer."""
    require_refused(trial.ask(f"holds/{trial.new_id('hd')}"), 404, code="not-found")


def _require_not_taken(trial: PlatformTrial, document: dict[str, object], *, exchange: Exchange) -> None:
    require(exchange.status == 401, f"expected 401, got {exchange.status}")
    require_refused(trial.ask(f"holds/{document['id']}"), 404, code="not-found")
