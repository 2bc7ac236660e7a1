"""Witness logs of others: cosign only what continues the log that was seen before."""

from dataclasses import dataclass

from gateway.ports import Clock, WitnessMemory
from gateway.transparency import (
    EMPTY_ROOT,
    Checkpoint,
    CheckpointRefused,
    ForkEvidence,
    Sign,
    SignedNote,
    UnknownLog,
    VerifierKey,
    WitnessRequest,
    claimed_origin,
    cosign_note,
    read_checkpoint,
    read_note,
    read_witness_request,
    require_consistent,
    signed_by_log,
)

__all__ = ["Witness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness: one key, and what it remembers of each log."""

    key: VerifierKey
    sign: Sign
    memory: WitnessMemory
    clock: Clock

    def cosign(self, data: bytes) -> bytes:
        """Answer an add-checkpoint request with the witness's signature line.

        1. read  2. the log is known  3. the log has signed it  4. it continues what was cosigned last
        5. cosign  6. keep it, for good  7. answer; from 4 to 6 no other request comes between.

        Raises:
            MalformedLogText: the request is not written as it should be.
            UnknownLog, NotSignedByLog: it comes from no log that this witness follows.
            StaleOldSize: the proof begins at another size than the last that was cosigned.
            CheckpointRefused: it is inconsistent with what was cosigned; if that proves a fork, it is kept.
        """
        request = read_witness_request(data)
        note = read_note(request.note)
        origin = claimed_origin(note)
        keys = self.memory.keys(origin)
        if not keys:
            raise UnknownLog(f"no log of the origin {origin[:120]!r} is followed here")
        signed = signed_by_log(note, keys)

        def judge(latest: bytes) -> bytes:
            self._require_continues(request, signed, latest=latest)
            timestamp = int(self.clock.now().timestamp())
            return bytes(cosign_note(signed, key=self.key, sign=self.sign, timestamp=timestamp))

        kept = read_note(self.memory.decide(origin, judge))
        return str(kept.signatures[-1]).encode()

    def _require_continues(self, request: WitnessRequest, signed: SignedNote, *, latest: bytes) -> None:
        try:
            require_consistent(request, _checkpoint(latest, origin=claimed_origin(signed)))
        except CheckpointRefused as refused:
            self._keep_if_fork(latest, bytes(signed), found=refused.found)
            raise

    def _keep_if_fork(self, latest: bytes, note: bytes, *, found: Checkpoint | None) -> None:
        """Keep two checkpoints of one size and two roots: they prove a fork, whatever else is said.

        Of two sizes the log alone can show the proof; a monitor makes it from the log's own tiles.
        """
        if not latest or found is None:
            return
        known = read_checkpoint(read_note(latest).text)
        if known.tree_size == found.tree_size and known.root_hash != found.root_hash:
            self.memory.keep_evidence(bytes(ForkEvidence(latest, note, found.root_hash)))


def _checkpoint(note: bytes, *, origin: str) -> Checkpoint:
    return read_checkpoint(read_note(note).text) if note else Checkpoint(origin, 0, EMPTY_ROOT)
