"""Reversals: records that count no longer, or again, as documents, batches and signed statements.

A reversal names a record and why; never the record that counts instead, which may be another platform's.
That one stands beside the document, for the coordinator.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from gateway.errors import IntegrityBroken
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.packed import cut_hex
from gateway.model.statement import ReversalStatement
from gateway.ports import ClaimState, ClaimStore, FindingFile, Findings, NewReversals, ReversalRow
from gateway.service.claims.claiming import Reversed
from gateway.signing import Signer, seal
from gateway.transparency import BatchTree, leaf_hash, leaf_hashes

__all__ = ["REVERSAL_TYPE", "KeptReversal", "Reversing", "read_reversals", "state_after"]

REVERSAL_TYPE: Final = "tanqiao/reversal/1"
_ID_BYTES: Final = 16
_STATES: Final = {
    ("reversed", "already-claimed"): ClaimState.SET_OFF,
    ("reversed", "withdrawn"): ClaimState.WITHDRAWN,
    ("restored", "claim-free"): ClaimState.HOLDS,
}


class KeptReversal(NamedTuple):
    """A reversal as it is kept: the document that was hashed, and which record counts instead, if any."""

    document: dict[str, Any]
    by: str
    by_platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversing:
    """Writes reversals; joined by ``gateway.app``."""

    issuer: str
    claims: ClaimStore
    files: Findings
    signers: Sequence[Signer]
    random_bytes: Callable[[int], bytes]

    def write(
        self, found: Iterable[Reversed], *, platforms: Mapping[int, str], issued: str
    ) -> list[NewReversals]:
        """Write the files of reversals and sign their statements; they count once they are decided.

        Args:
            found: what counts no longer, or again.
            platforms: platforms by the tags that acts have.
            issued: the moment of the decision.
        """
        by_platform: dict[str, list[Reversed]] = {}
        for one in found:
            by_platform.setdefault(platforms[one.platform], []).append(one)
        first = self.claims.next_reversals()
        return [
            self._batch(first + number, by_platform[platform], platforms=platforms, issued=issued)
            for number, platform in enumerate(sorted(by_platform))
        ]

    def sweep(self) -> None:
        """Remove what a killed run has written of reversals that were never decided."""
        self.files.keep_only({row.number for row in self.claims.reversals()})

    def _batch(
        self, number: int, found: Sequence[Reversed], *, platforms: Mapping[int, str], issued: str
    ) -> NewReversals:
        platform = platforms[found[0].platform]
        others = {tag: name.encode() for tag, name in platforms.items()} | {0: b""}
        documents = self._documents(platform, found, issued=issued)
        leaves = leaf_hashes(documents)
        lines = [
            b'{"by":"%b","by_platform":"%b","document":%b}'
            % (one.by.hex().encode(), others[one.by_platform], document)
            for one, document in zip(found, documents, strict=True)
        ]
        series, previous = self.claims.reversal_head(platform)
        root = BatchTree(leaves).root
        statement = ReversalStatement(
            issuer=self.issuer,
            platform=platform,
            sequence=series,
            previous=previous,
            root=root.hex(),
            size=len(found),
            issued=issued,
        )
        entry = seal(statement.body(), self.signers)
        file = self.files.write(number, lines)
        return NewReversals(platform, series, entry, digest(entry), root, len(found), issued, file.digest)

    def _documents(self, platform: str, found: Sequence[Reversed], *, issued: str) -> list[bytes]:
        """Write reversals straight to canonical bytes; a test holds them equal to those of the document."""
        ids = cut_hex(self.random_bytes(_ID_BYTES * len(found)), _ID_BYTES)
        issuer = canonical_bytes(self.issuer).decode()
        return [
            (
                f'{{"effect":"{"restored" if one.holds else "reversed"}","id":"{name}","issued":"{issued}",'
                f'"issuer":{issuer},"platform":"{platform}","reason":"{one.reason}",'
                f'"record":"{one.record.hex()}","type":"{REVERSAL_TYPE}"}}'
            ).encode()
            for name, one in zip(ids, found, strict=True)
        ]


def read_reversals(row: ReversalRow, files: Findings) -> list[KeptReversal]:
    """Read a batch of reversals and hold it to its signed root.

    Raises:
        IntegrityBroken: it is not what was signed.
    """
    lines = files.read(row.number, FindingFile(row.digest, row.size))
    parsed = map(orjson.loads, lines)
    kept = [KeptReversal(line["document"], line["by"], line["by_platform"]) for line in parsed]
    leaves = [leaf_hash(canonical_bytes(one.document)) for one in kept]
    if len(kept) != row.size or BatchTree(leaves).root != row.root:
        raise IntegrityBroken(f"reversals {row.number}: the file gives another root than was signed")
    return kept


def state_after(document: Mapping[str, Json]) -> bytes:
    """Return the state of a record once a reversal of it is decided."""
    try:
        return _STATES[str(document["effect"]), str(document["reason"])]
    except KeyError as error:
        raise IntegrityBroken("a reversal has an effect that its reason does not give") from error
