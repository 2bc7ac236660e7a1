"""Audit claims: reversals against the log, what counts against reversals, and open claims against the rule.

Once a day is closed the times of its acts are gone, so it can be proven no more that the right act holds;
what is proven for ever is that a record counts unless a logged reversal says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.claims import Act, Kinds, holding
from gateway.errors import IntegrityBroken
from gateway.ports import ClaimState, Findings, Journal, RecordFiles, ReversalRow
from gateway.service.audit.report import Check
from gateway.service.claims.reversing import read_reversals, state_after

__all__ = ["ClaimAudit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAudit:
    """Audits the claims of one home."""

    issuer: str
    kinds: Kinds
    journal: Journal
    records: RecordFiles
    reversals: Findings
    check: Check

    def audit(self) -> None:
        """Replay every reversal, then hold what is kept to it."""
        with self.check.noting():
            self.journal.claims.require_whole()
        states: dict[str, bytes] = {}
        platforms: dict[str, str] = {}
        rows = self.journal.claims.reversals()
        for row in rows:
            with self.check.noting(f"reversals {row.number}"):
                self._replay(row, states, platforms=platforms)
        self._require_records(platforms)
        self._require_states(states)
        for acts in self.journal.claims.open_groups():
            self._require_holding(acts)
        for name in self.reversals.strays({row.number for row in rows}):
            self.check.differs(
                f"reversals/{name} belongs to no batch; if a run was interrupted, run its command again"
            )

    def _replay(self, row: ReversalRow, states: dict[str, bytes], *, platforms: dict[str, str]) -> None:
        for document, *_ in read_reversals(row, self.reversals):
            record = str(document["record"])
            stated = (document["issuer"], document["platform"], document["issued"])
            if stated != (self.issuer, row.platform, row.issued):
                raise IntegrityBroken(f"the reversal of record {record} is of another batch")
            after, before = state_after(document), states.get(record, ClaimState.HOLDS)
            if after == before or before == ClaimState.WITHDRAWN:
                raise IntegrityBroken(f"the reversal of record {record} changes nothing")
            if platforms.setdefault(record, row.platform) != row.platform:
                raise IntegrityBroken(f"record {record} is reversed for two platforms")
            states[record] = after
            self.check.looked_at += 1

    def _require_records(self, platforms: Mapping[str, str]) -> None:
        """Look for every record that was reversed; without reversals no file is read."""
        missing = dict(platforms)
        for batch in self.journal.batches() if missing else ():
            for file in self.journal.files(batch.number):
                with self.check.noting():
                    for record in self.records.read_columns(file).id:
                        if missing.get(record) == batch.platform:
                            del missing[record]
        for record in missing:
            self.check.differs(f"record {record} was reversed and is not there")

    def _require_states(self, states: Mapping[str, bytes]) -> None:
        """Hold the state that is kept of each record to its reversals."""
        found = 0
        for record, state in self.journal.claims.all_states():
            found += record.hex() in states
            if states.get(record.hex(), ClaimState.HOLDS) != state:
                self.check.differs(f"record {record.hex()} counts otherwise than its reversals say")
        if found != len(states):
            self.check.differs(f"{len(states)} records were reversed, {found} of them have a state")

    def _require_holding(self, acts: list[Act]) -> None:
        """Judge an open group again."""
        states = self.journal.claims.states(b"".join([act.record for act in acts]))
        for act, by in holding(acts, self.kinds).items():
            expected = ClaimState.HOLDS if by is None else ClaimState.SET_OFF
            if states.get(act.record) != expected:
                self.check.differs(f"record {act.record.hex()}: its claim is not the one that the rule gives")
            self.check.looked_at += 1
