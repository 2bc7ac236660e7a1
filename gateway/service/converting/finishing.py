"""Finish one part: from the judge's verdict to records, their root, the bytes of their files, and the counts.

It needs no memory and touches nothing, so it can run in another process, and several parts at once.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson

from gateway.ports import EncodedFile, PrivateColumns
from gateway.service.acts.preparing import Prepared, Rejected
from gateway.service.acts.recording import frame_of, make_records
from gateway.service.acts.scheme import Scheme
from gateway.service.claims.claiming import already_claimed
from gateway.service.converting.findings import finding_lines, findings_of_part
from gateway.service.converting.part import Verdict
from gateway.service.moments import instant_text
from gateway.transparency import BatchTree

__all__ = ["Finished", "Finisher"]


class Finished(NamedTuple):
    """What a part became: everything that is written down of it.

    ``recorded`` acts have a record; the ``accepted`` among them count, ``co2e_mg`` and ``points`` are theirs.
    ``mappings`` are the digests of the mappings that its records cite, ``root`` is empty where nothing was
    accepted; ``rejected`` counts by readable day and code, ``quarantine`` has a line for each; ``found``
    counts by rule what people should look at of accepted acts, ``findings`` has a line for each.
    """

    recorded: int
    accepted: int
    co2e_mg: int
    points: int
    claims_differ: int
    mappings: list[str]
    root: bytes
    files: list[EncodedFile]
    rejected: Counter[tuple[str | None, str]]
    quarantine: list[bytes]
    found: dict[str, int]
    findings: list[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finisher:
    """Finishes parts of one scheme. ``encode`` gives the files of a batch's rows, one for each day."""

    scheme: Scheme
    issuer: str
    random_bytes: Callable[[int], bytes]
    encode: Callable[[PrivateColumns], list[EncodedFile]]
    dry_run: bool

    def finish(self, prepared: Prepared, verdict: Verdict, *, accepted: datetime) -> Finished:
        """Finish one part, accepted at that moment; a dry run only counts."""
        acts = prepared.acts.chosen(verdict.kept)
        off = {} if verdict.claimed is None else verdict.claimed.set_off
        rejected = sorted([*prepared.rejected, *_refused(prepared, verdict)], key=lambda row: row.origin)
        mappings = sorted(set(acts.mapping))
        programs = self.scheme.by_digest
        found = findings_of_part(prepared, verdict, acts=acts, programs=programs)
        root, files, findings = b"", list[EncodedFile](), list[bytes]()
        if mappings and not self.dry_run:
            issued = instant_text(accepted)  # an audit replays the caps by this moment
            frames = {
                digest: frame_of(programs[digest], issuer=self.issuer, issued=issued) for digest in mappings
            }
            ids = b"" if verdict.claimed is None else verdict.claimed.ids
            rows, leaves = make_records(
                acts, verdict.points, frames=frames, random_bytes=self.random_bytes, ids=ids
            )
            root, files = BatchTree(leaves).root, self.encode(rows)
            cited = [programs[digest] for digest in acts.mapping] if found.by_act else []
            findings = finding_lines(
                found, rows.id, kept=verdict.kept, origins=prepared.origins, programs=cited
            )
        return Finished(
            recorded=len(verdict.kept),
            accepted=len(verdict.kept) - len(off),
            co2e_mg=sum(acts.co2e_mg) - sum(acts.co2e_mg[place] for place in off),
            points=sum(verdict.points) - sum(verdict.points[place] for place in off),
            claims_differ=found.claims_differ,
            mappings=mappings,
            root=root,
            files=files,
            rejected=Counter((row.day, row.code) for row in rejected),
            quarantine=[] if self.dry_run else list(map(_quarantine_line, rejected)),
            found=found.by_rule(),
            findings=findings,
        )


def _refused(prepared: Prepared, verdict: Verdict) -> list[Rejected]:
    """Return what the judge did not accept, and what is recorded and does not count."""
    refused = list(verdict.refused)
    if verdict.claimed is not None:
        off = verdict.claimed.set_off.items()
        refused += [(verdict.kept[place], already_claimed(record)) for place, record in off]
    origins = prepared.origins.at([place for place, _ in refused])
    return [
        Rejected(origin, *refusal, prepared.acts.day[place])
        for origin, (place, refusal) in zip(origins, refused, strict=True)
    ]


def _quarantine_line(row: Rejected) -> bytes:
    place, also, fields = row.origin
    line: dict[str, object] = {
        "file": place.file,
        "row": place.row,
        "code": row.code,
        "detail": row.detail,
        "fields": orjson.Fragment(fields),
    }
    if row.field:
        line["field"] = row.field
    if also:
        line["also"] = [{"file": other.file, "row": other.row} for other in also]
    return orjson.dumps(line)
