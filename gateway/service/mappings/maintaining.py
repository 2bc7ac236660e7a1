"""Publish a mapping version that its maintainers have approved, by whoever may write to the home."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.convert import Program
from gateway.errors import Refused
from gateway.model.statement import PartySignature
from gateway.ports import (
    Clock,
    Journal,
    Log,
    MaintainerSignature,
    MappingPublication,
    Publications,
    PublicationState,
    PublishedMapping,
    SignatureQuorum,
)
from gateway.service.acts.scheme import Scheme, require_admitted
from gateway.service.mappings.approving import Maintainers, Publication, read_publication
from gateway.service.mappings.catalogue import require_unchanged
from gateway.service.moments import instant_text
from gateway.service.publishing import PublishingRings, mapping_publication, publish_queue
from gateway.signing import Signer

__all__ = [
    "Approved",
    "Judging",
    "Maintaining",
    "PublicationWithdrawn",
    "keep_signed",
    "publish",
    "publish_approved",
    "require_approved",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What tells whether a version may be published; joined by ``gateway.app``.

    ``program`` reads canonical text; ``require_checked`` does what ``tanqiao mapping check`` does.
    """

    profile: str
    journal: Journal
    publications: Publications
    maintainers: Callable[[], Maintainers]
    program: Callable[[bytes], Program]
    require_checked: Callable[[Program], None]
    clock: Clock

    def require_free(self, program: Program) -> None:
        """Refuse what this home admits nowhere, or a number that was published with another text.

        Raises:
            MappingNotAdmitted: its figures have no source, and this is no test home.
            MappingChanged: the number was published with another text.
        """
        scheme = Scheme(program.id, (program,))
        require_admitted(scheme, self.profile)
        require_unchanged(scheme, self.journal.mappings())


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintaining:
    """What publishing needs; joined by ``gateway.app``."""

    issuer: str
    judging: Judging
    log: Log
    signers: Sequence[Signer]
    rings: Callable[[], PublishingRings]


class PublicationWithdrawn(Refused):
    """A version was taken back by who had handed it in."""

    code = "publication-withdrawn"
    remedy = "hand in another text; what was withdrawn takes no more signatures"


class Approved(NamedTuple):
    """A version, with the signatures of maintainers who say that it may be published."""

    program: Program
    signatures: Sequence[PartySignature]


def require_approved(publication: Publication, judging: Judging) -> Approved:
    """Check whether a version may be published; nothing is written.

    1. meaning  2. signatures  3. that its number is free  4. its own tests

    Raises:
        MappingRefused: its text is no mapping.
        MappingNotAdmitted: its figures have no source, and this is no test home.
        ApprovalRefused: a signature does not hold, or is over something else.
        QuorumMissing: too few maintainers have signed.
        MappingChanged: the number was published with another text.
        ChecksFailed: its own tests fail.
    """
    program = judging.program(publication.canonical)
    publication.require_names(program.id, program.version)
    signatures = judging.maintainers().require_quorum(publication.approval)
    judging.require_free(program)
    if all(one.digest != program.digest for one in judging.journal.mappings()):
        judging.require_checked(program)
    return Approved(program, signatures)


def publish_approved(data: bytes, parts: Maintaining) -> PublishedMapping:
    """Check a publication and put its mapping into the log; a repeated one is answered like the first time.

    1. form  2. all that :func:`require_approved` checks  3. keep, so that a kill loses nothing  4. publish

    Raises:
        MalformedDocument: it has not the form.
        PublicationWithdrawn: it was taken back.
    """
    judging, publication = parts.judging, read_publication(data)
    approved = require_approved(publication, judging)
    keep_signed(approved, judging, proposer="")
    return publish(approved, parts)


def publish(approved: Approved, parts: Maintaining) -> PublishedMapping:
    """Put a version into the log, once: what a kill leaves undone is done by the next call.

    1. decide, in one transaction  2. publish  3. note where it stands: from then on it is in use
    """
    judging, program = parts.judging, approved.program
    if all(one.digest != program.digest for one in judging.journal.mappings()):
        issued = instant_text(judging.clock.now())
        made = mapping_publication(
            program, parts.issuer, signers=parts.signers, issued=issued, approvals=approved.signatures
        )
        judging.journal.publish_mapping(*made)
    publish_queue(judging.journal, parts.log, rings=parts.rings)
    published = next(one for one in judging.journal.mappings() if one.digest == program.digest)
    judging.publications.settle(program.digest, published.position)
    return published


def keep_signed(approved: Approved, judging: Judging, *, proposer: str) -> MappingPublication:
    """Keep a version and signatures by maintainers, be they enough or not; return what is kept then.

    Raises:
        PublicationWithdrawn: it was taken back.
    """
    program, maintainers = approved.program, judging.maintainers()
    made = MappingPublication(
        digest=program.digest,
        id=program.id,
        version=program.version,
        canonical=program.canonical,
        received=instant_text(judging.clock.now()),
        signatures=tuple(
            MaintainerSignature(one.key, base64.b64decode(one.public_key), one.value)
            for one in approved.signatures
        ),
        proposer=proposer,
    )
    quorum = SignatureQuorum(frozenset(maintainers.key_ids), maintainers.quorum)
    kept = judging.publications.keep(made, quorum=quorum)
    if kept.state is PublicationState.WITHDRAWN:
        raise PublicationWithdrawn(f"{kept.id} version {kept.version} was withdrawn at {kept.withdrawn}")
    return kept
