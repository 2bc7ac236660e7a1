"""Publish a mapping version that its maintainers have approved, by whoever may write to the home."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.convert import Program
from gateway.ports import Clock, Journal, Log, PublishedMapping
from gateway.service.approving import Maintainers, read_publication
from gateway.service.catalogue import require_unchanged
from gateway.service.moments import instant_text
from gateway.service.publishing import PublishingRings, mapping_publication, publish_queue
from gateway.service.scheme import Scheme, require_admitted
from gateway.signing import Signer

__all__ = ["Maintaining", "publish_approved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintaining:
    """What publishing needs; joined by ``gateway.app``.

    ``program`` reads canonical text; ``require_checked`` does what ``tanqiao mapping check`` does.
    """

    issuer: str
    profile: str
    journal: Journal
    log: Log
    maintainers: Callable[[], Maintainers]
    program: Callable[[bytes], Program]
    require_checked: Callable[[Program], None]
    signers: Sequence[Signer]
    rings: Callable[[], PublishingRings]
    clock: Clock


def publish_approved(data: bytes, parts: Maintaining) -> PublishedMapping:
    """Check a publication and put its mapping into the log; a repeated one is answered like the first time.

    1. form  2. meaning  3. signatures  4. that its number is free  5. its own tests  6. publish

    Raises:
        MalformedDocument: it has not the form.
        MappingRefused: its text is no mapping.
        MappingNotAdmitted: its figures have no source, and this is no test home.
        ApprovalRefused: a signature does not hold, or is over something else.
        QuorumMissing: too few maintainers have signed.
        MappingChanged: the number was published with another text.
        ChecksFailed: its own tests fail.
    """
    publication = read_publication(data)
    program = parts.program(publication.canonical)
    scheme = Scheme(program.id, (program,))
    require_admitted(scheme, parts.profile)
    publication.require_names(program.id, program.version)
    approvals = parts.maintainers().require_quorum(publication.approval)
    published = parts.journal.mappings()
    require_unchanged(scheme, published)
    if all(one.digest != program.digest for one in published):
        parts.require_checked(program)
        issued = instant_text(parts.clock.now())
        made = mapping_publication(
            program, parts.issuer, signers=parts.signers, issued=issued, approvals=approvals
        )
        parts.journal.publish_mapping(*made)
    publish_queue(parts.journal, parts.log, rings=parts.rings)
    return next(one for one in parts.journal.mappings() if one.digest == program.digest)
