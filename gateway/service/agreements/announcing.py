"""Announce in the log what platforms have signed about their corridors, by whoever may write to the home."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.convert import Program
from gateway.model.canonical import Json
from gateway.model.statement import agreement_statement, corridor_statement
from gateway.model.strict import read_strict_object
from gateway.ports import Clock, CorridorDocument, CorridorKind, Journal, Log, Platforms
from gateway.recognition import agreement_of
from gateway.service.agreements.agreeing import party_signatures
from gateway.service.agreements.book import DOCUMENT_BYTES_MAX, corridor_body
from gateway.service.moments import instant_text
from gateway.service.publishing import PublishingRings, mapping_publication, publish_queue
from gateway.signing import Signer, seal

__all__ = ["Announcing", "announce_documents"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcing:
    """What announcing needs; joined by ``gateway.app``."""

    issuer: str
    journal: Journal
    log: Log
    platforms: Platforms
    scheme: Callable[[str], Sequence[Program]]
    signers: Sequence[Signer]
    rings: Callable[[], PublishingRings]
    clock: Clock


def announce_documents(parts: Announcing) -> int:
    """Publish every document that waits; before an agreement, the rules that it names. Returns how many."""
    waiting = parts.journal.corridors.waiting()
    for document in waiting:
        body = corridor_body(document)
        if document.kind is CorridorKind.AGREEMENT:
            agreement = agreement_of(body, document.digest)
            _publish_mappings([*agreement.behaviours.values(), agreement.basis], parts=parts)
        parts.journal.corridors.announce(document.digest, _entry(document, body, parts=parts))
    if waiting:
        publish_queue(parts.journal, parts.log, rings=parts.rings)
    return len(waiting)


def _publish_mappings(mappings: Iterable[str], *, parts: Announcing) -> None:
    """Publish every version that the log does not have; of one that it has in other words, its own counts."""
    numbers = {(one.id, one.version) for one in parts.journal.mappings()}
    for mapping in sorted(set(mappings) - {""}):
        for program in parts.scheme(mapping):
            if (program.id, program.version) not in numbers:
                issued = instant_text(parts.clock.now())
                made = mapping_publication(program, parts.issuer, signers=parts.signers, issued=issued)
                parts.journal.publish_mapping(*made)


def _entry(document: CorridorDocument, body: dict[str, Json], *, parts: Announcing) -> bytes:
    envelope = read_strict_object(document.document, DOCUMENT_BYTES_MAX)
    corridors = parts.journal.corridors
    signed = party_signatures(envelope, parts.platforms, corridors=corridors, now=None)
    issued = instant_text(parts.clock.now())
    if document.kind is CorridorKind.AGREEMENT:
        identity = (document.source, document.destination, document.version, document.digest)
        return seal(
            agreement_statement(parts.issuer, identity, signatures=signed, issued=issued), parts.signers
        )
    return seal(corridor_statement(parts.issuer, body, signature=signed[0], issued=issued), parts.signers)
