"""A quick look at a whole batch, column by column, that may only ever say that all is well.

What is not plainly as it must be, and every batch with erased records, claims or findings, is left to the
audit row by row: that one words what differs, and decides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from gateway.convert import Converted, Program
from gateway.errors import GatewayError
from gateway.model.codes import EVIDENCE_GRADES, OWNERSHIPS
from gateway.model.record import RecordColumns
from gateway.ports import BatchRow, KeptColumns, RecordFile, RecordFiles
from gateway.service.acts.capping import Amounts, CapColumns, cap_columns
from gateway.service.acts.recording import ActColumns, content_bytes, frame_of, record_bytes
from gateway.service.receipts.replaying import Replayer
from gateway.signing import KeyedIndex, commitments
from gateway.transparency import BatchTree, leaf_hashes

__all__ = ["QuickLook", "Seen"]

REMEMBERED_MAX: Final = 1 << 18  # quantities; a city's distances repeat


class Seen(NamedTuple):
    """A batch whose rows, bytes, root, commitments and quantities are as they must be.

    What is left to look at needs the memory of batches before: ``amounts`` against ``caps`` must give the
    ``points``, and the index must lead from ``keys`` to ``contents``. ``mappings`` are the digests whose
    numbers the caps name.
    """

    mappings: list[str]
    keys: bytes
    contents: bytes
    amounts: Amounts
    caps: CapColumns
    points: list[int]


class _NotPlain(ValueError):
    """Something is not plainly as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickLook:
    """Looks at batches. ``published`` has the log position of each mapping digest."""

    issuer: str
    records: RecordFiles
    index: KeyedIndex
    replayer: Replayer
    published: Mapping[str, int]
    _quantities: dict[tuple[str, str, int, str], Converted] = field(default_factory=dict)

    def looks(self, batches: Iterable[tuple[BatchRow, Sequence[RecordFile]]]) -> Iterator[Seen | None]:
        """Yield for each batch what was seen, or None: then it must be looked at row by row."""
        for batch, files in batches:
            yield self.look(batch, files)

    def look(self, batch: BatchRow, files: Sequence[RecordFile]) -> Seen | None:
        """Look at one batch."""
        try:
            return self._seen(batch, self._rows(batch, files))
        except (GatewayError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return None

    def _rows(self, batch: BatchRow, files: Sequence[RecordFile]) -> KeptColumns:
        """Read all rows of a batch in the order of its leaves."""
        parts = [self.records.read_columns(file) for file in files]
        for file, part in zip(files, parts, strict=True):
            _require(len(part.day) == file.rows and set(part.day) == {file.day})
        rows = KeptColumns._make(
            [value for part in some for value in part] for some in zip(*parts, strict=True)
        )
        order = sorted(range(len(rows.day)), key=rows.leaf_index.__getitem__)
        _require([rows.leaf_index[place] for place in order] == list(range(batch.size)))
        if order == rows.leaf_index:
            return rows
        return KeptColumns._make([column[place] for place in order] for column in rows)

    def _seen(self, batch: BatchRow, rows: KeptColumns) -> Seen:
        mappings = sorted(set(rows.mapping))
        programs = [self._program(digest, batch) for digest in mappings]
        _require_words(rows, programs)
        acts = _acts_of(rows)
        self._require_bytes(batch, rows, programs=dict(zip(mappings, programs, strict=True)))
        days = {day: date.fromisoformat(day).toordinal() for day in set(rows.day)}
        converted = self._converted(rows, days=days)
        _require([one.co2e_mg for one in converted] == rows.co2e_mg)
        _require([one.points for one in converted] == rows.points_uncapped)
        numbers = {digest: number for number, digest in enumerate(mappings)}
        kinds = [
            (numbers[mapping], behaviour, days[day])
            for mapping, behaviour, day in zip(rows.mapping, rows.behaviour, rows.day, strict=True)
        ]
        accepted = datetime.strptime(batch.issued, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return Seen(
            mappings=mappings,
            keys=self.index.events(batch.platform, acts.event),
            contents=self.index.contents(content_bytes(acts)),
            amounts=Amounts(
                rows.points_uncapped,
                rows.co2e_mg,
                [one.points_exact[0] for one in converted],
                [one.points_exact[1] for one in converted],
            ),
            caps=cap_columns(programs, kinds, acts=acts, accepted=accepted, index=self.index),
            points=rows.points,
        )

    def _program(self, digest: str, batch: BatchRow) -> Program:
        program = self.replayer.program(digest)
        _require(program.platform == batch.platform and self.published[digest] < batch.position)
        return program

    def _require_bytes(self, batch: BatchRow, rows: KeptColumns, *, programs: Mapping[str, Program]) -> None:
        """Check commitments, leaves and root."""
        events, subjects = _hex(rows.event_commitment), _hex(rows.subject_commitment)
        values = [str(event).encode() for event in rows.event]
        _require(commitments(b"event", values, salts=_present(rows.event_salt)) == events)
        persons = [person.hex().encode() for person in _present(rows.person)]
        _require(commitments(b"subject", persons, salts=_present(rows.subject_salt)) == subjects)
        written = RecordColumns(
            rows.id,
            events,
            subjects,
            rows.day,
            rows.behaviour,
            rows.inputs,
            rows.evidence,
            rows.ownership,
            rows.co2e_mg,
            rows.points_uncapped,
            rows.points,
            rows.claimed_mg,
            rows.claimed_points,
        )
        frames = {
            digest: frame_of(program, issuer=self.issuer, issued=batch.issued)
            for digest, program in programs.items()
        }
        leaves = leaf_hashes(record_bytes(written, rows.mapping, frames=frames))
        _require(leaves == rows.leaf and BatchTree(leaves).root == batch.root)

    def _converted(self, rows: KeptColumns, *, days: Mapping[str, int]) -> list[Converted]:
        """Recompute every quantity; the same inputs under the same rules are computed once."""
        if len(self._quantities) > REMEMBERED_MAX:
            self._quantities.clear()
        known = self._quantities
        since = {
            (mapping, behaviour, day): self.replayer.first_day(mapping, behaviour, day=days[day])
            for mapping, behaviour, day in set(zip(rows.mapping, rows.behaviour, rows.day, strict=True))
        }
        found = []
        for kind, inputs in zip(
            zip(rows.mapping, rows.behaviour, rows.day, strict=True), rows.inputs, strict=True
        ):
            key = (kind[0], kind[1], since[kind], inputs)
            converted = known.get(key)
            if converted is None:
                mapping, behaviour, day = kind
                converted = known[key] = self.replayer.convert_text(
                    mapping, behaviour, day=days[day], inputs=inputs
                )
            found.append(converted)
        return found


def _require_words(rows: KeptColumns, programs: Sequence[Program]) -> None:
    """Check what goes into records as it is: words of closed sets, days, names; nothing erased or claimed."""
    known = {behaviour for program in programs for behaviour in program.formula.needs}
    _require(set(rows.behaviour) <= known)
    _require(set(rows.evidence) <= set(EVIDENCE_GRADES) and set(rows.ownership) <= set(OWNERSHIPS))
    _require(all(date.fromisoformat(day).isoformat() == day for day in set(rows.day)))
    _require(set(rows.claimed_mg) | set(rows.claimed_points) == {None})
    for column in (rows.event, rows.event_salt, rows.person, rows.subject_salt):
        _require(None not in column)


def _acts_of(rows: KeptColumns) -> ActColumns:
    return ActColumns(
        day=rows.day,
        behaviour=rows.behaviour,
        inputs=rows.inputs,
        evidence=rows.evidence,
        ownership=rows.ownership,
        mapping=rows.mapping,
        co2e_mg=rows.co2e_mg,
        points=rows.points_uncapped,
        claimed_mg=rows.claimed_mg,
        claimed_points=rows.claimed_points,
        event=[str(event) for event in rows.event],
        person=_present(rows.person),
        household=rows.household,
    )


def _present(column: Sequence[bytes | None]) -> list[bytes]:
    return [value for value in column if value is not None]


def _hex(column: Sequence[bytes]) -> list[str]:
    return [value.hex() for value in column]


def _require(condition: bool) -> None:
    if not condition:
        raise _NotPlain
