"""Agreements of platforms: signed by both, checked, kept, announced in the log; corridors paused and resumed.

A document counts when it stands in the log, save for a pause: that counts from the moment it is received.
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.convert import Program
from gateway.errors import NotFound, Refused
from gateway.model.canonical import canonical_bytes, digest
from gateway.model.ed25519 import require_sound_key
from gateway.model.shape import Shape
from gateway.model.statement import PartySignature
from gateway.ports import Clock, CorridorDocument, CorridorDocuments, CorridorKind, Platforms
from gateway.recognition import AGREEMENT_TYPE, AgreementRefused, agreement_of, day_of
from gateway.service.acts.scheme import Scheme, require_admitted
from gateway.service.agreements.book import AgreementBook, Body, body_of, read_corridor_document
from gateway.service.agreements.drafts import PAUSE_TYPE, RESUME_TYPE
from gateway.service.moments import instant_text
from gateway.signing import key_id, verify_parties

__all__ = [
    "COORDINATOR",
    "Agreeing",
    "AgreementConflict",
    "PauseRefused",
    "party_signatures",
    "receive_document",
]

COORDINATOR: Final = "coordinator"
PAUSE_MAX: Final = timedelta(days=366)  # a corridor that is to be closed has an agreement that ends
_KINDS: Final = {
    AGREEMENT_TYPE: CorridorKind.AGREEMENT,
    PAUSE_TYPE: CorridorKind.PAUSE,
    RESUME_TYPE: CorridorKind.RESUME,
}


class AgreementConflict(Refused):
    """The corridor has another agreement of this version already."""

    code = "agreement-conflict"
    remedy = "see the newest version, and write the change as its successor: tanqiao agreement list"


class PauseRefused(Refused):
    """A corridor cannot be paused or resumed in this way."""

    code = "pause-refused"
    remedy = "see what is in force: tanqiao agreement list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreeing:
    """What receiving documents needs; joined by ``gateway.app``."""

    profile: str
    corridors: CorridorDocuments
    platforms: Platforms
    scheme: Callable[[str], Sequence[Program]]
    shape: Shape
    clock: Clock


def receive_document(data: bytes, parts: Agreeing, *, sender: str = "") -> CorridorDocument:
    """Check a signed document and keep it; a repeated one is answered like the first time.

    1. form  2. signatures  3. meaning  4. that it follows on what there is  5. keep

    Args:
        data: the envelope.
        parts: what does the work.
        sender: the platform that sent it, where it came over the network.

    Raises:
        MalformedDocument: it has not the form.
        SignatureInvalid: a signature does not hold.
        AgreementRefused: it contradicts itself, its predecessor, or what this gateway knows.
        AgreementConflict: the corridor has another agreement of that version.
        PauseRefused: there is nothing that could be paused or resumed so.
        NotFound: the sender is not of this corridor.
    """
    envelope, body = read_corridor_document(data, parts.shape)
    source, destination = str(body["source"]), str(body["destination"])
    if sender not in ("", source, destination):
        raise NotFound("that is another's corridor", remedy="send documents of your own corridors")
    name = digest(canonical_bytes(body))
    known = parts.corridors.document(name)
    if known is not None:
        return known
    kind = _KINDS[str(body["type"])]
    if kind is CorridorKind.AGREEMENT:
        _require_agreement(envelope, name, parts=parts)
    else:
        _require_signed_by(envelope, [_party(body)], parts=parts)
        _require_pause(body, kind, parts=parts)
    made = CorridorDocument(
        digest=name,
        kind=kind,
        source=source,
        destination=destination,
        version=int(str(body.get("version", 0))),
        document=canonical_bytes(envelope),
        received=instant_text(parts.clock.now()),
    )
    if not parts.corridors.receive(made):
        raise AgreementConflict(f"the corridor has another version {made.version}", field="/version")
    return parts.corridors.document(name) or made


def _require_agreement(envelope: Body, name: str, *, parts: Agreeing) -> None:
    body = body_of(envelope)
    made = agreement_of(body, name)
    _require_signed_by(envelope, [made.source, made.destination], parts=parts)
    versions = AgreementBook(parts.corridors).versions(*made.corridor)
    if any(one.version == made.version for one in versions):
        raise AgreementConflict(f"the corridor has another version {made.version}", field="/version")
    made.require_succeeds(versions[-1] if versions else None)
    today = day_of(parts.clock.now())
    if made.effective_from < today:
        raise AgreementRefused(
            f"expected a first day of {today} or later, got {made.effective_from}",
            field="/valid/from",
            remedy="nothing is agreed backwards: choose a day to come, and have both sign anew",
        )
    if made.coordinator:
        require_sound_key(base64.b64decode(made.coordinator))
    for behaviour, mapping in made.behaviours.items():
        _require_counts(mapping, behaviour, parts=parts)
        if made.basis:
            _require_counts(made.basis, behaviour, parts=parts)


def _require_counts(mapping: str, behaviour: str, *, parts: Agreeing) -> None:
    programs = parts.scheme(mapping)
    if not programs:
        raise AgreementRefused(f"this gateway has no mapping {mapping}", field="/behaviours")
    require_admitted(Scheme(mapping, tuple(programs)), parts.profile)
    if not any(behaviour in program.behaviours for program in programs):
        raise AgreementRefused(f"mapping {mapping} has no figure for {behaviour}", field="/behaviours")


def _require_pause(body: Mapping[str, Any], kind: CorridorKind, *, parts: Agreeing) -> None:
    now = parts.clock.now()
    book = AgreementBook(parts.corridors)
    source, destination = body["source"], body["destination"]
    if kind is CorridorKind.PAUSE:
        if not book.versions(source, destination):
            raise PauseRefused(f"there is no agreement from {source} to {destination}")
        if not instant_text(now) < body["until"] <= instant_text(now + PAUSE_MAX):
            raise PauseRefused(
                f"expected an end within {PAUSE_MAX.days} days from now, got {body['until']}", field="/until"
            )
        return
    pause = next(
        (one for one in book.pauses(source, destination, now=now) if one.digest == body["pause"]), None
    )
    if pause is None:
        raise PauseRefused("there is no such pause that holds", field="/pause")
    if pause.by != body["by"]:
        raise PauseRefused(
            f"the corridor was paused by {pause.by}, who alone may end that early", field="/by"
        )


def _party(body: Mapping[str, Any]) -> str:
    by = str(body["by"])
    if by not in (body["source"], body["destination"], COORDINATOR):
        raise PauseRefused("a corridor is paused by one of its platforms or by the coordinator", field="/by")
    return by


def _require_signed_by(envelope: Body, parties: Sequence[str], *, parts: Agreeing) -> None:
    """Check that each party has signed, and nobody else."""
    signed = party_signatures(envelope, parts.platforms, corridors=parts.corridors, now=parts.clock.now())
    found = sorted(one.party for one in signed)
    if found != sorted(parties):
        raise AgreementRefused(
            f"expected signatures of {' and '.join(parties)}, got those of {' and '.join(found)}",
            field="/signatures",
            remedy="have each party sign: tanqiao agreement sign",
        )


def party_signatures(
    envelope: Body, platforms: Platforms, *, corridors: CorridorDocuments, now: datetime | None
) -> list[PartySignature]:
    """Verify all signatures by keys in force; without a moment by any that ever were: of what is kept.

    Raises:
        SignatureInvalid: one does not hold.
    """
    whose: dict[str, tuple[str, bytes]] = {}
    body = body_of(envelope)
    coordinators = {} if body["type"] == AGREEMENT_TYPE else _coordinators(body, corridors, now=now)

    def find(name: str) -> bytes | None:
        if name in coordinators:
            whose[name] = (COORDINATOR, coordinators[name])
            return coordinators[name]
        key = platforms.key(name)
        if key is None or (key.revoked is not None and now is not None):
            return None
        whose[name] = (key.platform, key.public)
        return key.public

    _, names = verify_parties(envelope, find)
    values = {str(one["key"]): str(one["value"]) for one in _signatures(envelope)}
    return [
        PartySignature(whose[name][0], name, base64.b64encode(whose[name][1]).decode(), values[name])
        for name in names
    ]


def _signatures(envelope: Body) -> list[Body]:
    listed = envelope["signatures"]
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _coordinators(
    body: Mapping[str, Any], corridors: CorridorDocuments, *, now: datetime | None
) -> dict[str, bytes]:
    """Return the coordinators' keys by id: of the version in force and those to come, or of all."""
    book, corridor = AgreementBook(corridors), (str(body["source"]), str(body["destination"]))
    in_force = None if now is None else book.in_force(*corridor, now=now)
    versions = book.versions(*corridor)
    chosen = [one for one in versions if in_force is None or one.version >= in_force.version]
    keys = [base64.b64decode(one.coordinator) for one in chosen if one.coordinator]
    return {key_id(public, "http"): public for public in keys}
