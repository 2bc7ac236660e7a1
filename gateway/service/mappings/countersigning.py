"""Gather signatures over mapping versions that maintainers send one by one; publish what enough have signed.

Whoever answers requests only keeps; whoever may write to the home publishes. What counts are the signatures:
who brings them is transport.
"""

import orjson

from gateway.convert import Program
from gateway.errors import GatewayError, HomeBusy, IntegrityBroken, Refused, Unreachable
from gateway.model.canonical import Json
from gateway.ports import MappingPublication, PublicationState
from gateway.service.access.rules import own, proposed_by
from gateway.service.faults import problem_document
from gateway.service.mappings.approving import Maintainers, Publication, approving_body, read_publication
from gateway.service.mappings.maintaining import (
    Approved,
    Judging,
    Maintaining,
    keep_signed,
    publish,
    require_approved,
)
from gateway.service.moments import instant_text

__all__ = [
    "TooLateToWithdraw",
    "missing_keys",
    "publish_due",
    "receive_publication",
    "withdraw_publication",
]


class TooLateToWithdraw(Refused):
    """Enough maintainers have signed a version: it is published, or about to be."""

    code = "too-late-to-withdraw"
    remedy = "publish another version; what stands in the log stays there"


def receive_publication(data: bytes, judging: Judging, *, sender: str = "") -> MappingPublication:
    """Check a version and the signatures that come with it, and keep both; nothing is published here.

    1. form  2. signatures  3. meaning  4. whose mapping it is  5. that its number is free  6. its own tests,
    before it is kept for the first time  7. keep

    What is published already is answered as it stands, whatever signatures come with it.

    Args:
        data: the publication, as `tanqiao mapping sign` writes it.
        judging: what tells whether it may be published.
        sender: the platform that sends it; empty for a coordinator, who may send any.

    Raises:
        MalformedDocument: it has not the form.
        ApprovalRefused: a signature does not hold, is by nobody who may, or is over something else.
        QuorumMissing: this gateway has no maintainers.
        MappingRefused: its text is no mapping.
        NotFound: it is another platform's.
        MappingNotAdmitted: its figures have no source, and this is no test home.
        MappingChanged: the number was published with another text.
        ChecksFailed: its own tests fail.
        PublicationWithdrawn: it was taken back.
    """
    publication = read_publication(data)
    known = judging.publications.publication(publication.digest.removeprefix("sha256:"))
    if known is not None and known.state is PublicationState.PUBLISHED:
        _require_own(judging.program(known.canonical), sender)
        return known
    signed = judging.maintainers().require_signatures(publication.approval)
    program = judging.program(publication.canonical)
    _require_own(program, sender)
    publication.require_names(program.id, program.version)
    judging.require_free(program)
    if known is None:
        judging.require_checked(program)
    return keep_signed(Approved(program, signed), judging, proposer=sender)


def withdraw_publication(name: str, judging: Judging, *, asker: str = "") -> MappingPublication:
    """Take back a version that not enough have signed, for good; again it is answered alike.

    What is wrong with a text can be mended in another; the signatures over this one count no more.

    Args:
        name: the digest of the text.
        judging: what there is.
        asker: the platform that asks; empty for a coordinator.

    Raises:
        NotFound: who asks has not handed it in.
        TooLateToWithdraw: enough have signed.
    """
    proposed = proposed_by(judging.publications.publication(name.removeprefix("sha256:")), asker)
    moment = instant_text(judging.clock.now())
    kept = proposed_by(judging.publications.withdraw(proposed.digest, moment), asker)
    if kept.state is not PublicationState.WITHDRAWN:
        raise TooLateToWithdraw(f"{kept.id} version {kept.version} is {kept.state}: enough have signed it")
    return kept


def publish_due(parts: Maintaining) -> int:
    """Publish every version that enough maintainers have signed; returns how many were looked at.

    All is judged once more: who the maintainers are, and what else was published, may have changed. What
    cannot be published is kept with the reason, and nobody else waits for it.
    """
    due = parts.judging.publications.due()
    for one in due:
        try:
            approved = _approved(one, parts.judging)
        except (IntegrityBroken, Unreachable, HomeBusy):
            raise  # the fault of this home, not of what was signed
        except GatewayError as error:
            fault = orjson.dumps(problem_document(error)).decode()
            parts.judging.publications.refuse(one.digest, fault)
            continue
        publish(approved, parts)
    return len(due)


def missing_keys(publication: MappingPublication, maintainers: Maintainers) -> list[str]:
    """Return the ids of the maintainers' keys that have not signed, in the order of their names."""
    signed = {one.key for one in publication.signatures}
    named = sorted(maintainers.key_ids.items(), key=lambda one: one[1])
    return [key for key, _ in named if key not in signed]


def _require_own(program: Program, sender: str) -> None:
    if sender:
        own(program, sender, what="mapping of this platform")


def _approved(kept: MappingPublication, judging: Judging) -> Approved:
    """Judge a version with the signatures that count today: who is no maintainer any more is left out."""
    counted = judging.maintainers().key_ids
    signatures: list[Json] = [
        {"key": one.key, "value": one.value} for one in kept.signatures if one.key in counted
    ]
    body = approving_body(kept.id, kept.version, digest_name="sha256:" + kept.digest)
    envelope: dict[str, Json] = {"body": body, "signatures": signatures}
    return require_approved(Publication(kept.canonical, envelope), judging)
