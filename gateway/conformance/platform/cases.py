"""The cases that every platform passes, each with the clause of docs/reference/platform-api.md."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from gateway.conformance.platform import decision_cases as decisions
from gateway.conformance.platform import message_cases as messages
from gateway.conformance.platform import signature_cases as signatures
from gateway.conformance.platform.speaking import Unmet
from gateway.conformance.platform.trial import PlatformTrial

__all__ = ["CASES", "PlatformCase"]


@dataclass(frozen=True, slots=True)
class PlatformCase:
    """One case: its name, the clause that it tries, and the attempt, which raises what is not so."""

    name: str
    clause: str
    attempt: Callable[[PlatformTrial], None]

    def run(self, trial: PlatformTrial) -> dict[str, Any]:
        """Try it; returns what was expected, how it ended, and every request with its answer."""
        trial.exchanges.clear()
        finding = ""
        try:
            self.attempt(trial)
        except Unmet as unmet:
            finding = str(unmet)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            finding = f"an answer is not formed as openapi/platform.yaml says: {error!r}"
        return {
            "case": self.name,
            "clause": self.clause,
            "expects": (self.attempt.__doc__ or "").removeprefix("Check that "),
            "outcome": "failed" if finding else "passed",
            "finding": finding,
            "exchanges": [exchange.shown() for exchange in trial.exchanges],
        }


CASES: Final = (
    PlatformCase("request-unsigned", "1.1", signatures.request_unsigned),
    PlatformCase("request-by-a-stranger", "1.1", signatures.request_by_a_stranger),
    PlatformCase("request-altered", "1.1", signatures.request_altered),
    PlatformCase("request-out-of-time", "1.1", signatures.request_out_of_time),
    PlatformCase("replay", "1.1", signatures.replay),
    PlatformCase("answers-are-bound", "1.2", signatures.answers_are_bound),
    PlatformCase("refusals-are-bound", "1.2", signatures.refusals_are_bound),
    PlatformCase("same-document", "2.1", messages.same_document),
    PlatformCase("other-document", "2.2", messages.other_document),
    PlatformCase("refusal-sticks", "2.3", messages.refusal_sticks),
    PlatformCase("batch", "2.5", messages.batch),
    PlatformCase("hold-reserves", "3.1", messages.hold_reserves),
    PlatformCase("hold-stays", "3.2", messages.hold_stays),
    PlatformCase("unknown-account", "3.3", messages.unknown_account),
    PlatformCase("sums", "3.3", messages.sums),
    PlatformCase("credit-waits", "4.1", messages.credit_waits),
    PlatformCase("commit-captures", "5.1", decisions.commit_captures),
    PlatformCase("abort-gives-back", "5.1", decisions.abort_gives_back),
    PlatformCase("decision-forged", "5.2", decisions.decision_forged),
    PlatformCase("decision-of-another-amount", "5.3", decisions.decision_of_another_amount),
    PlatformCase("abort-before-its-hold", "5.4", decisions.abort_before_its_hold),
    PlatformCase("commit-of-nothing", "5.5", decisions.commit_of_nothing),
    PlatformCase("returns", "6.1", decisions.returns),
    PlatformCase("statements", "7.1", decisions.statements),
    PlatformCase("links", "8.1", decisions.links),
)
"""All cases, in the order in which they are run."""
