"""Bring the log up to the journal: what was decided is published, in the order it was decided."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from gateway.convert import Program
from gateway.errors import GatewayError, IntegrityBroken
from gateway.model.canonical import Json
from gateway.model.statement import PartySignature, mapping_statement
from gateway.model.strict import read_strict_object
from gateway.ports import Journal, Log, PublishedMapping
from gateway.signing import KeyRing, Signer, seal, verify_envelope

__all__ = ["PublishingRings", "mapping_publication", "publish_queue"]

ENTRIES_PER_APPEND = 4096  # one append holds its entries in memory; an entry has at most 64 KiB


class PublishingRings(NamedTuple):
    """The key ring in force, and the one that takes its place once the queue is published.

    They differ only while a change of keys is in the queue.
    """

    in_force: KeyRing
    announced: KeyRing


def publish_queue(journal: Journal, log: Log, *, rings: Callable[[], PublishingRings]) -> None:
    """Append every queued entry that the log does not have yet, each after a look at its signatures.

    What the log has signed cannot be taken back, so a changed queue must stop here and not at an audit.
    ``rings`` is asked only where there is something to publish.

    Raises:
        IntegrityBroken: the log is longer than the journal: the database is older than the log; or
            a queued entry is not as this home has signed it.
    """
    length = journal.length()
    if log.size > length:
        raise IntegrityBroken(
            f"the log has {log.size} entries, the database knows {length}",
            remedy="an older database was put back: restore the newest tanqiao.db before anything is written",
        )
    if log.size == length:
        return
    trusted = rings()
    while log.size < length:
        entries = journal.queued(log.size, ENTRIES_PER_APPEND)
        for position, entry in enumerate(entries, start=log.size):
            _require_signed(entry, trusted, position=position)
        log.append(entries)


def mapping_publication(
    program: Program,
    issuer: str,
    *,
    signers: Sequence[Signer],
    issued: str,
    approvals: Sequence[PartySignature] = (),
) -> tuple[PublishedMapping, bytes]:
    """Return a mapping version as it is published, and its log entry."""
    identity = (program.id, program.version, "sha256:" + program.digest)
    body = mapping_statement(issuer, identity, status=program.status, issued=issued, approvals=approvals)
    published = PublishedMapping(program.id, program.version, program.digest, program.canonical, -1)
    return published, seal(body, signers)


def _require_signed(entry: bytes, rings: PublishingRings, *, position: int) -> None:
    """Refuse an entry that the ring does not cover; a change of keys needs a key already in force, too."""
    try:
        envelope = read_strict_object(entry)
        body = verify_envelope(envelope, rings.announced, position=position)
        if rings.announced != rings.in_force:
            verify_envelope(_by_known_keys(envelope, rings.in_force), rings.in_force, position=position)
        if body.get("issuer") != rings.in_force.issuer:
            raise IntegrityBroken(f"expected a statement of {rings.in_force.issuer}")
    except GatewayError as error:
        raise IntegrityBroken(
            f"queued entry {position} is not as this home signed it, so it was not published: {error}",
            field="queue",
        ) from error


def _by_known_keys(envelope: dict[str, Json], ring: KeyRing) -> dict[str, Json]:
    """Leave out the signatures by keys that the ring does not have."""
    known = {key.id for key in ring.keys}
    signatures = cast("list[dict[str, Json]]", envelope["signatures"])  # it has been verified
    return {**envelope, "signatures": [entry for entry in signatures if entry["key"] in known]}
