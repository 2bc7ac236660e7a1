"""Take answers of platforms that come later than the question: posted to this gateway, or in a file.

An answer names the message by its transfer, its kind and the digest of what it said. It does what the same
answer would have done at once, and no more: the transfer's machine has an outcome for whatever comes again,
late, or against what is known. Who did not get the message, and who got another, is refused.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from gateway.errors import GatewayError, MalformedDocument, NotFound, Refused
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.transfer import is_id
from gateway.ports import Answered, Declined, Dialects, OutboxMessage, Way
from gateway.protocol import Outcome
from gateway.service.each import tried
from gateway.service.submitting.taking import Busy
from gateway.service.transfers.carrying import Carrier, Make, Seen, event_of
from gateway.service.transfers.telling import said_of

__all__ = [
    "ANSWERED",
    "OUTCOMES",
    "AnswerContradicts",
    "AnswerDiffers",
    "AnswerOpen",
    "Answering",
    "LateAnswer",
    "Noted",
    "OtherDialect",
    "read_answer",
    "require_dialect",
]

ANSWERED: Final = ("hold", "credit", "decision")
"""What is answered later: the kinds of messages about transfers."""
OUTCOMES: Final = ("done", "refused")
_DIGEST: Final = re.compile("sha256:[0-9a-f]{64}")
_CODE: Final = re.compile("[a-z0-9-]{1,64}")
_FORM: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {
    "transfer": ("tr_ and 26 characters", lambda text: is_id(text, "tr")),
    "about": (f"one of {', '.join(ANSWERED)}", ANSWERED.__contains__),
    "digest": ("sha256: and 64 digits", lambda text: _DIGEST.fullmatch(text) is not None),
    "outcome": (" or ".join(OUTCOMES), OUTCOMES.__contains__),
    "code": ("up to 64 letters a-z, digits and -", lambda text: _CODE.fullmatch(text) is not None),
}
_NOT_SENT: Final = "no such message was sent to this platform"


class AnswerDiffers(Refused):
    """An answer is about other content than that of the message that was sent."""

    code = "answer-differs"
    remedy = "answer what was sent; docs/reference/platform-api.md says what its digest is of"


class AnswerContradicts(Refused):
    """An answer says something else than the platform said of the same message before."""

    code = "answer-contradicts"
    remedy = "one message has one answer, for ever; call the gateway's operator, who was told of this, too"


class AnswerOpen(Refused):
    """A refusal that ends nothing: a decision is refused, or with a code that leaves open what was taken."""

    code = "answer-open"
    remedy = "find out at the platform what stands in its way: it is told again until it has done it"


class OtherDialect(Refused):
    """Answers of this platform do not come in this way."""

    code = "other-dialect"
    remedy = "the operator records what is spoken with a platform: tanqiao platform dialect"


class LateAnswer(NamedTuple):
    """What a platform has done about a message. ``digest`` is that of what the message said."""

    transfer: str
    about: str
    digest: str
    outcome: Answered | Declined


class Noted(NamedTuple):
    """An answer that was taken: whether anything has come of it, or it was known or too late."""

    answer: LateAnswer
    is_news: bool


class _Meant(NamedTuple):
    """The transfer and the event that an answer means, if it means any."""

    message: OutboxMessage
    make: Make | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Takes late answers; joined by ``gateway.app``."""

    carrier: Carrier
    dialects: Dialects

    def take(self, answer: LateAnswer, *, sender: str) -> Noted:
        """Take one answer; see :meth:`take_all`.

        Raises:
            NotFound: no such message was sent to this platform.
            AnswerDiffers: the message said something else.
            AnswerContradicts: it was answered in another way before.
            AnswerOpen: it is a refusal of what cannot be refused.
            Busy: it cannot be written now.
        """
        (noted,) = self.take_all([answer], sender=sender)
        if isinstance(noted, GatewayError):
            raise noted
        return noted

    def take_all(self, answers: Sequence[LateAnswer], *, sender: str) -> list[Noted | GatewayError]:
        """Take answers of one platform, each for itself; the same again changes nothing.

        1. what each is about  2. what it means to its transfer  3. take the steps  4. nothing is sent again
        """
        seen = self.carrier.read_all({one.transfer for one in answers})
        meant = [tried(partial(_meant, one, seen.get(one.transfer), sender=sender)) for one in answers]
        events = [
            (number, answers[number].transfer, one.make)
            for number, one in enumerate(meant)
            if isinstance(one, _Meant) and one.make is not None
        ]
        steps = self.carrier.happen_all([(name, make) for _, name, make in events], seen=seen)
        outcomes = {
            number: None if done is None else done.outcome
            for (number, _, _), done in zip(events, steps, strict=True)
        }
        over = [
            (answers[number].transfer, one.message)
            for number, one in enumerate(meant)
            if isinstance(one, _Meant) and outcomes.get(number) not in (None, Outcome.REFUSED)
        ]
        if over:
            self.carrier.outbox.answered(over)
        return [
            one if isinstance(one, GatewayError) else _noted(answers[number], number, outcomes=outcomes)
            for number, one in enumerate(meant)
        ]


def require_dialect(dialects: Dialects, platform: str, *, way: Way) -> None:
    """Refuse what comes in another way than the recorded one.

    Raises:
        OtherDialect: the platform speaks another dialect.
    """
    spoken = dialects.of(platform).way
    if spoken is not way:
        raise OtherDialect(f"{platform} speaks {spoken} with this gateway, not {way}")


def read_answer(stated: Mapping[str, Json]) -> LateAnswer:
    """Read an answer: ``transfer``, ``about``, ``digest``, ``outcome``, and ``code`` of a refusal.

    Raises:
        MalformedDocument: it is no such answer.
    """
    texts = {name: value for name, value in stated.items() if isinstance(value, str)}
    for name, (expected, holds) in _FORM.items():
        if not holds(texts.get(name, "refused" if name == "code" else "")):
            found = "something else" if name in stated else "nothing"
            raise MalformedDocument(
                f"`{name}` of an answer: expected {expected}, found {found}",
                field=f"/{name}",
                remedy="see docs/reference/platform-api.md, and corridor-files.md for a row of a file",
            )
    done = texts["outcome"] == OUTCOMES[0]
    outcome = Answered(document={}) if done else Declined(code=texts.get("code", "refused"), detail="")
    return LateAnswer(texts["transfer"], texts["about"], texts["digest"], outcome)


def _meant(answer: LateAnswer, seen: Seen | None, *, sender: str) -> _Meant:
    """Return what an answer means, if it is one to what was said to its sender."""
    if seen is None or sender not in (seen.move.quote.source, seen.move.quote.destination):
        raise NotFound(_NOT_SENT)
    message = OutboxMessage(sender, answer.about)
    said = said_of(seen.move, message, decision=seen.decision)
    if said is None:
        raise NotFound(_NOT_SENT)
    if digest(canonical_bytes(said)) != answer.digest:
        raise AnswerDiffers(f"the {answer.about} of {answer.transfer} said something else", field="/digest")
    key = str(said.get("id", answer.transfer))
    return _Meant(message, event_of(message, key, move=seen.move, outcome=answer.outcome))


def _noted(answer: LateAnswer, number: int, *, outcomes: dict[int, Outcome | None]) -> Noted | GatewayError:
    if number not in outcomes:
        told = f"this refusal does not end the {answer.about} of {answer.transfer}"
        return AnswerOpen(told, field="/code")
    outcome = outcomes[number]
    if outcome is None:
        return Busy(f"{answer.transfer} cannot be written now", remedy="send the answer again later")
    if outcome is Outcome.REFUSED:
        told = f"another answer to the {answer.about} of {answer.transfer} is known"
        return AnswerContradicts(told, field="/outcome")
    return Noted(answer, is_news=outcome is Outcome.TAKEN)
