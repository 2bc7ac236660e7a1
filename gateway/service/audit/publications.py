"""Audit what maintainers have signed: texts, signatures, and their places in the log."""

from collections.abc import Sequence

from gateway.errors import IntegrityBroken
from gateway.model.canonical import digest
from gateway.model.strict import read_strict_object
from gateway.ports import Journal, MappingPublication
from gateway.service.audit.report import Check
from gateway.service.mappings.approving import MAINTAINER, approving_body
from gateway.signing import key_id, verify_parties

__all__ = ["audit_publications"]


def audit_publications(kept: Sequence[MappingPublication], journal: Journal, *, check: Check) -> None:
    """Hold each version that was handed in, published or not, to its digest, its signatures and the log.

    Whether the keys were the maintainers' was checked when they came; here they are bound to their ids. The
    signatures that stand in the log must be among those that are kept.
    """
    published = journal.mappings()
    positions = {one.digest: one.position for one in published}
    settled = {one.digest for one in kept if one.position is not None}
    for mapping in published:
        with check.noting(f"publication of {mapping.id} version {mapping.version}"):
            if _approvals(mapping.position, journal) and mapping.digest not in settled:
                raise IntegrityBroken(
                    "the log has it with signatures of maintainers, and it is not kept as published"
                )
    for one in kept:
        with check.noting(f"publication of {one.id} version {one.version}, sha256:{one.digest}"):
            _require_signed(one)
            if one.position is not None:
                if positions.get(one.digest) != one.position:
                    raise IntegrityBroken("the journal has not published it at that place of the log")
                _require_logged(one, journal, position=one.position)
        check.looked_at += 1


def _require_signed(kept: MappingPublication) -> None:
    named = digest(kept.canonical)
    if named != "sha256:" + kept.digest:
        raise IntegrityBroken("its text is not its digest's")
    known = {one.key: one.public for one in kept.signatures if key_id(one.public, MAINTAINER) == one.key}
    body = approving_body(kept.id, kept.version, digest_name=named)
    for one in kept.signatures:  # one by one: more may have signed in the course of time than can at once
        verify_parties({"body": body, "signatures": [{"key": one.key, "value": one.value}]}, known.get)


def _require_logged(kept: MappingPublication, journal: Journal, *, position: int) -> None:
    values = {(one.key, one.value) for one in kept.signatures}
    if not _approvals(position, journal) <= values:
        raise IntegrityBroken("the log has a signature of it that is not kept")


def _approvals(position: int, journal: Journal) -> set[tuple[str, str]]:
    """Return the signatures of maintainers that a log entry has."""
    (entry,) = journal.queued(position, 1)
    body = read_strict_object(entry)["body"]
    approvals = body.get("approvals", []) if isinstance(body, dict) else []
    listed = approvals if isinstance(approvals, list) else []
    return {(str(one["key"]), str(one["value"])) for one in listed if isinstance(one, dict)}
