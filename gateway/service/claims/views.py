"""What a coordinator sees of claims: pairs of records, platforms, and coarse times while they are open."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from gateway.claims import CLOSE_DAYS, Act, Kinds, holding
from gateway.ports import ClaimState, Findings, Journal
from gateway.service.claims.claiming import platform_tag
from gateway.service.claims.reversing import KeptReversal, read_reversals, state_after
from gateway.service.receipts.proving import FoundRecord
from gateway.signing import KeyedIndex

__all__ = ["claim_of", "claim_word", "reversed_records"]

_WORDS = {
    ClaimState.HOLDS: "counts",
    ClaimState.SET_OFF: "already-claimed",
    ClaimState.WITHDRAWN: "withdrawn",
}


def reversed_records(journal: Journal, files: Findings) -> Iterator[dict[str, object]]:
    """Yield each record that does not count, why, and which one counts instead."""
    last: dict[str, KeptReversal] = {}
    for row in journal.claims.reversals():
        for kept in read_reversals(row, files):
            last[str(kept.document["record"])] = kept
    for record, kept in last.items():
        if state_after(kept.document) != ClaimState.HOLDS:
            yield {
                "record": record,
                "platform": kept.document["platform"],
                "reason": kept.document["reason"],
                "since": kept.document["issued"],
                "counts_instead": kept.by or None,
                "of_platform": kept.by_platform or None,
            }


def claim_word(record: str, journal: Journal) -> str:
    """Say whether a record counts: ``none`` for one without a claim, which counts at its platform."""
    name = bytes.fromhex(record)
    state = journal.claims.states(name).get(name)
    return "none" if state is None else _WORDS[state]


def claim_of(
    found: FoundRecord, *, journal: Journal, files: Findings, kinds: Kinds, index: KeyedIndex
) -> dict[str, object]:
    """Return the claim of one record, and, while its day is open, what it is compared with."""
    record = bytes.fromhex(found.row.id)
    instead = [one for one in reversed_records(journal, files) if one["record"] == found.row.id]
    closes = date.fromisoformat(found.row.day) + timedelta(days=CLOSE_DAYS)
    platforms = {platform_tag(index, name): name for name in journal.platforms()}
    held = holding((journal.claims.find(record) or (b"", []))[1], kinds)
    return {
        "record": found.row.id,
        "platform": found.batch.platform,
        "day": found.row.day,
        "claim": claim_word(found.row.id, journal),
        "closes": closes.isoformat(),
        "counts_instead": instead[0]["counts_instead"] if instead else None,
        "of_platform": instead[0]["of_platform"] if instead else None,
        "one_act_with": [
            _seen(other, kinds, platforms=platforms, counts=held[other] is None)
            for other in _pairs(record, held)
        ],
    }


def _pairs(record: bytes, held: Mapping[Act, Act | None]) -> list[Act]:
    """Return the act that holds instead of a record's, and those that do not because of it."""
    return [
        other
        for act, by in held.items()
        if by is not None
        for one, other in ((act, by), (by, act))
        if one.record == record
    ]


def _seen(act: Act, kinds: Kinds, *, platforms: Mapping[int, str], counts: bool) -> dict[str, object]:
    return {
        "record": act.record.hex(),
        "platform": platforms.get(act.platform, ""),
        "kind": kinds.kinds[act.kind].name,
        "hour": None if act.whole else _hour(act.start),
        "counts": counts,
    }


def _hour(second: int) -> str:
    """Write the hour in which an act began, in UTC: enough to talk about it, not to follow somebody."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).strftime("%Y-%m-%dT%HZ")
