"""Have the own log witnessed: each newest checkpoint is taken to all witnesses, side by side.

One checkpoint is the target until the quorum has cosigned it or its time is over; otherwise a log that
grows quickly would have each of its checkpoints cosigned by another witness, and none by enough.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.errors import GatewayError, InvariantBroken
from gateway.ports import Clock, CosignedNotes, CosigningStatus, Log, WitnessPeers, WitnessState
from gateway.service.moments import instant_text
from gateway.service.witnesses.asking import Cosigned, ask_witness
from gateway.transparency import (
    BadSignature,
    Policy,
    SignedNote,
    VerifierKey,
    WitnessEntry,
    read_note,
    read_policy,
    verified_keys,
)

__all__ = ["Cosigning", "CosigningParts", "ProvableLog"]

ROUND_SECONDS: Final = 5.0
REPORT_SECONDS: Final = 5.0
BACKOFF_SECONDS: Final = 0.5  # doubled by each failure in a row
BACKOFF_SECONDS_MAX: Final = 60.0


class ProvableLog(Log, Protocol):
    """The own log, with proofs between its sizes."""

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Build the consistency proof from one size to another."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CosigningParts:
    """What cosigning needs. ``submit`` runs a function beside this one, one for each witness at a time."""

    policy: Callable[[], bytes]
    log: ProvableLog
    notes: CosignedNotes
    peers: WitnessPeers
    clock: Clock
    submit: Callable[[Callable[[], Cosigned]], Future[Cosigned]]


@dataclass(slots=True)
class _Asked:
    """One witness, and how asking it goes."""

    witness: WitnessEntry
    answer: Future[Cosigned] | None = None
    asked: bytes = b""
    size: int = 0
    failures: int = 0
    due: float = 0.0
    trouble: str = ""

    def state(self) -> WitnessState:
        return WitnessState(self.witness.name, self.size, self.failures, self.trouble)


@dataclass(slots=True, kw_only=True)
class Cosigning:
    """Gathers cosignatures, step by step; :meth:`step` never waits for a witness."""

    parts: CosigningParts
    _policy_bytes: bytes = b""
    _policy: Policy | None = None
    _asked: list[_Asked] = field(default_factory=list)
    _target: SignedNote | None = None
    _chosen: float = 0.0
    _reported: float = float("-inf")
    _waiting_since: str = ""
    _changed: bool = True

    def step(self, moment: float) -> bool:
        """Take what witnesses have answered, and ask those that are due; tells if the quorum is reached.

        1. the policy  2. answers  3. which checkpoint  4. ask  5. report

        ``moment`` is a clock that only goes forward, in seconds.
        """
        self._read_policy()
        for one in self._asked:
            self._take_answer(one, moment)
        self._choose(moment)
        if self._target is not None:
            cosigners = self._cosigners(self._target)
            for one in self._asked:
                if one.answer is None and one.due <= moment and one.witness.key not in cosigners:
                    self._ask(one, bytes(self._target))
        self._report(moment)
        return self._target is not None and not self._waiting_since

    def _read_policy(self) -> None:
        data = self.parts.policy()
        if data == self._policy_bytes:
            return
        self._policy_bytes, self._policy = data, read_policy(data)
        self._asked = [_Asked(witness) for witness in self._policy.witnesses if witness.url]
        self._target, self._changed = None, True  # what was enough may not be enough any more

    def _take_answer(self, one: _Asked, moment: float) -> None:
        if one.answer is None or not one.answer.done():
            return
        answer, one.answer = one.answer, None
        self._changed = True
        try:
            cosigned = answer.result()
        except GatewayError as error:
            one.failures, one.trouble = one.failures + 1, f"{error.code}: {error}"
            pause = BACKOFF_SECONDS * 2 ** min(one.failures - 1, 10)
            one.due = moment + min(pause, BACKOFF_SECONDS_MAX)
            return
        one.size, one.failures, one.trouble = cosigned.size, 0, ""
        if self._target is not None and read_note(one.asked).text == self._target.text:
            self._target = self._target.with_signature(cosigned.line)
            self._keep()

    def _choose(self, moment: float) -> None:
        """Turn to the newest checkpoint, unless the present one is still worth waiting for."""
        published = self.parts.log.checkpoint
        if not published:
            return
        note = read_note(published)
        if self._target is not None:
            same = note.text == self._target.text
            if same or (self._waiting_since and moment - self._chosen < ROUND_SECONDS):
                return
        self._target, self._chosen = self._known(note), moment
        self._keep()

    def _known(self, note: SignedNote) -> SignedNote:
        """Return a checkpoint with the cosignatures that an earlier run has gathered for it."""
        for kept in (self.parts.notes.witnessed(), self.parts.notes.newest()):
            if kept.startswith(bytes(note)):
                found = read_note(kept)
                try:
                    self._cosigners(found)
                except BadSignature:
                    continue  # the file was altered; the witnesses are asked again
                return found
        return note

    def _cosigners(self, note: SignedNote) -> frozenset[VerifierKey]:
        keys = [] if self._policy is None else [witness.key for witness in self._policy.witnesses]
        return verified_keys(note, keys)

    def _keep(self) -> None:
        """Keep the target as far as it is; note since when a quorum is waited for."""
        if self._target is None or self._policy is None:
            raise InvariantBroken("there is no checkpoint or no policy to gather cosignatures under")
        keys = self._cosigners(self._target)
        reached = self._policy.is_reached_by(keys)
        if keys or self._policy.witnesses:
            self.parts.notes.keep(bytes(self._target), is_witnessed=reached)
        if reached:
            self._waiting_since = ""
        elif not self._waiting_since:
            earlier = self.parts.notes.status()
            continued = earlier.waiting_since if earlier and self._reported < 0 else ""
            self._waiting_since = continued or instant_text(self.parts.clock.now())
        self._changed = True

    def _ask(self, one: _Asked, note: bytes) -> None:
        witness, known = one.witness, one.size
        one.asked = note
        one.answer = self.parts.submit(
            lambda: ask_witness(
                witness,
                note,
                known=known,
                send=self.parts.peers.add_checkpoint,
                consistency=self.parts.log.consistency,
            )
        )

    def _report(self, moment: float) -> None:
        if self._policy is None or (not self._changed and moment - self._reported < REPORT_SECONDS):
            return
        self._reported, self._changed = moment, False
        states = tuple(one.state() for one in self._asked)
        now = instant_text(self.parts.clock.now())
        self.parts.notes.report(CosigningStatus(now, self._policy.quorum, self._waiting_since, states))
