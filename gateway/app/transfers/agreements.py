"""Join the parts of agreements between platforms."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.mappings import Versions
from gateway.app.reviewing.publications import approved_at
from gateway.convert import Program
from gateway.errors import NotFound
from gateway.model.canonical import canonical_bytes
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.ports import Corridor, CorridorDocument, CorridorKind, Platforms
from gateway.resources import schema
from gateway.service.agreements.agreeing import Agreeing, receive_document
from gateway.service.agreements.announcing import Announcing, announce_documents
from gateway.service.agreements.book import DOCUMENT_BYTES_MAX, AgreementBook
from gateway.service.agreements.drafts import co_sign, draft_agreement, pause_body, resume_body
from gateway.store.files.durable import write_durably
from gateway.store.files.inputs import read_small
from gateway.store.files.keys import FileSigner
from gateway.store.serving.platforms import SqlPlatforms

__all__ = [
    "Corridor",
    "agreeing",
    "announcing",
    "draft",
    "listed",
    "pause",
    "publish",
    "resume",
    "show",
    "sign",
]


def agreeing(opened: OpenHome, versions: Versions, *, platforms: Platforms | None = None) -> Agreeing:
    """Return the parts of receiving documents."""
    return Agreeing(
        profile=opened.facts.profile,
        corridors=opened.journal.corridors,
        platforms=platforms or SqlPlatforms(opened.database),
        scheme=versions,
        shape=Shape(schema("agreement")),
        clock=opened.clock,
    )


def announcing(opened: OpenHome, versions: Versions) -> Announcing:
    """Return the parts of announcing what was received; the home is open for writing."""
    return Announcing(
        issuer=opened.facts.issuer,
        journal=opened.journal,
        log=opened.log,
        platforms=SqlPlatforms(opened.database),
        scheme=versions,
        signers=opened.record_signers(),
        rings=opened.publishing_rings,
        clock=opened.clock,
    )


def draft(root: Path, corridor: Corridor, *, out: Path, mappings: Sequence[Path]) -> dict[str, object]:
    """Write a draft of the next version of an agreement."""
    with open_home(root) as opened:
        versions = Versions(mappings, approved=approved_at(opened))
        source, destination = (_mappings(versions, one) for one in (corridor.source, corridor.destination))
        book = AgreementBook(opened.journal.corridors)
        before = book.versions(corridor.source, corridor.destination)
        now = opened.clock.now()
    body = draft_agreement(
        source,
        destination,
        before=before[-1] if before else None,
        now=now,
    )
    _write(out, body)
    return {"draft": str(out), "version": body["version"], "behaviours": len(_listed(body["behaviours"]))}


def sign(file: Path, *, key: Path) -> dict[str, object]:
    """Sign a draft, or what the other party has signed, in place."""
    signer = FileSigner(key, "http")
    shape = Shape(schema("agreement"))
    envelope = read_strict_object(co_sign(read_small(file), signer, shape=shape), DOCUMENT_BYTES_MAX)
    _write(file, envelope)
    return {"file": str(file), "key": signer.key_id, "signatures": len(_listed(envelope["signatures"]))}


def publish(root: Path, file: Path, *, mappings: Sequence[Path]) -> dict[str, object]:
    """Check a signed document, keep it, and announce it in the log."""
    return _received(root, read_small(file), mappings=mappings)


def listed(root: Path, corridor: Corridor) -> list[dict[str, object]]:
    """Return agreements and pauses, and which are in force."""
    with open_home(root) as opened:
        documents, now = opened.journal.corridors, opened.clock.now()
        book = AgreementBook(documents)
        rows = []
        for one in documents.of(corridor.source, corridor.destination):
            pair = one.source, one.destination
            found = book.in_force(*pair, now=now)
            holding = {pause.digest for pause in book.pauses(*pair, now=now)}
            in_force = one.digest in holding or (found is not None and found.digest == one.digest)
            rows.append(_row(one) | {"in_force": in_force})
        return rows


def show(root: Path, digest: str) -> dict[str, Any]:
    """Return a document as it was signed.

    Raises:
        NotFound: there is none of that digest.
    """
    with open_home(root) as opened:
        found = opened.journal.corridors.document(digest)
    if found is None:
        raise NotFound(f"there is no agreement {digest}", remedy="tanqiao agreement list shows them")
    shown: dict[str, Any] = json.loads(found.document)
    return shown


def pause(
    root: Path, corridor: Corridor, *, by: str, key: Path, reason: str, until: str
) -> dict[str, object]:
    """Pause a corridor, signed by one of its platforms or the coordinator."""
    with open_home(root) as opened:
        pair, now = (corridor.source, corridor.destination), opened.clock.now()
    body = pause_body(pair, by=by, reason=reason, until=until, now=now)
    return _signed(root, body, key=key)


def resume(root: Path, digest: str, *, key: Path) -> dict[str, object]:
    """End a pause before its time, signed by who paused the corridor."""
    paused = show(root, digest)["body"]
    with open_home(root) as opened:
        pair, now = (paused["source"], paused["destination"]), opened.clock.now()
    return _signed(root, resume_body(pair, by=str(paused["by"]), pause=digest, now=now), key=key)


def _signed(root: Path, body: dict[str, Any], *, key: Path) -> dict[str, object]:
    shape = Shape(schema("agreement"))
    return _received(root, co_sign(canonical_bytes(body), FileSigner(key, "http"), shape=shape), mappings=())


def _received(root: Path, data: bytes, *, mappings: Sequence[Path]) -> dict[str, object]:
    with open_home(root, writing=True) as opened:
        versions = Versions(mappings, approved=approved_at(opened))
        kept = receive_document(data, agreeing(opened, versions))
        announce_documents(announcing(opened, versions))
        return _row(opened.journal.corridors.document(kept.digest) or kept)


def _mappings(versions: Versions, platform: str) -> list[Program]:
    found = versions.of_platform(platform)
    if not found:
        raise NotFound(
            f"there are no mappings of {platform} here",
            remedy="name their files with --mapping; `tanqiao mapping list` shows what is shipped",
        )
    return found


def _row(document: CorridorDocument) -> dict[str, object]:
    return {
        "kind": document.kind.value,
        "source": document.source,
        "destination": document.destination,
        "version": document.version if document.kind is CorridorKind.AGREEMENT else "",
        "digest": document.digest,
        "received": document.received,
        "log_entry": "" if document.position is None else document.position,
    }


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _write(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    write_durably(path, text.encode() + b"\n")
