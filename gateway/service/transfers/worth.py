"""What a recorded act is worth to another platform: by the basis of an agreement, and by its own rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

import orjson

from gateway.catalog import Timeline
from gateway.convert import CarriedEvaluator, Converted, Program, Refusal, Stated, expires_on
from gateway.model.codes import Rejection
from gateway.model.transfer import TransferRefusal
from gateway.ports import PrivateRow, PublishedMapping
from gateway.recognition import Agreement, NotWorth, Worth

__all__ = ["Rulebook", "WorthFound", "stated_inputs"]

_REDUCING: Final = frozenset({"gram", "per_act"})  # kinds of points behind which a reduction stands


class WorthFound(NamedTuple):
    """What an act is worth, by which versions, and until when the destination's points for it last."""

    worth: Worth | NotWorth
    basis: Program | None
    destination: Program | None
    expires: date | None


@dataclass(slots=True)
class Rulebook:
    """The published rules by mapping id and day; each version is compiled once.

    ``published`` tells what stands in the log; :meth:`look_again` asks it. ``program_of`` gives the program
    of a digest, ``known`` all versions of a mapping that this gateway has, so that one that was never
    published is noticed and not passed over.
    """

    published: Callable[[], Sequence[PublishedMapping]]
    program_of: Callable[[str], Program]
    known: Callable[[str], Sequence[Program]]
    _published: dict[str, tuple[str, int]] = field(init=False, default_factory=dict)
    _timelines: dict[str, Timeline[Program]] = field(init=False, default_factory=dict)
    _evaluators: dict[str, CarriedEvaluator] = field(init=False, default_factory=dict)

    def look_again(self) -> None:
        """Take note of what was published since."""
        found = {one.digest: (one.id, one.version) for one in self.published()}
        if found != self._published:
            self._published, self._timelines = found, {}

    def in_force(self, mapping: str, day: int) -> Program | NotWorth:
        """Return the version of a mapping that is in force on a day, if it stands in the log."""
        program = self._timeline(mapping).on(day)
        told = date.fromordinal(day)
        if program is None:
            return NotWorth(
                TransferRefusal.MAPPING_NOT_IN_FORCE, f"no version of {mapping} is in force on {told}"
            )
        if program.digest not in self._published:
            detail = f"{mapping} version {program.version}, in force on {told}, is not in the log yet"
            return NotWorth(TransferRefusal.MAPPING_NOT_IN_FORCE, detail)
        return program

    def convert(self, program: Program, behaviour: str, *, stated: Stated, day: int) -> Converted | NotWorth:
        """Evaluate an act by a version."""
        if program.digest not in self._evaluators:
            self._evaluators[program.digest] = CarriedEvaluator(program)
        outcome = self._evaluators[program.digest].convert(behaviour, stated, day=day)
        if isinstance(outcome, Refusal):
            code = (
                TransferRefusal.MAPPING_NOT_IN_FORCE
                if outcome.code is Rejection.MAPPING_NOT_IN_FORCE
                else TransferRefusal.BASIS_NOT_COMPUTABLE
            )
            return NotWorth(code, f"{program.id} version {program.version}: {outcome.detail}")
        if not outcome.co2e_mg:
            detail = f"{program.id} version {program.version} gives no reduction for it"
            return NotWorth(TransferRefusal.BASIS_NOT_COMPUTABLE, detail)
        return outcome

    def worth(self, row: PrivateRow, agreement: Agreement) -> WorthFound:
        """Return what a recorded act is worth under an agreement.

        An act that the agreement does not admit has no worth, too; that has its own checks.
        """
        mapping = agreement.behaviours.get(row.behaviour)
        if mapping is None:
            return WorthFound(NotWorth(TransferRefusal.BEHAVIOUR_NOT_ADMITTED, ""), None, None, None)
        day, stated = date.fromisoformat(row.day), stated_inputs(row.inputs)
        found = self._valued(mapping, row.behaviour, stated=stated, day=day.toordinal())
        if isinstance(found, NotWorth):
            return WorthFound(found, None, None, None)
        destination, credited = found
        expires = expires_on(destination.expiry, day)
        if destination.kind not in _REDUCING:
            detail = f"the points of {destination.id} stand for no reduction"
            nothing = NotWorth(TransferRefusal.BASIS_NOT_COMPUTABLE, detail)
            return WorthFound(nothing, None, destination, expires)
        basis, compared = found
        if agreement.basis:
            other = self._valued(agreement.basis, row.behaviour, stated=stated, day=day.toordinal())
            if isinstance(other, NotWorth):
                return WorthFound(other, None, destination, expires)
            basis, compared = other
        worth = Worth(
            basis_mg=compared.co2e_mg,
            destination_mg=credited.co2e_mg,
            destination_points=Fraction(*credited.points_exact),
            factor=agreement.factors.get(row.evidence, Fraction(0)),
        )
        return WorthFound(worth, basis, destination, expires)

    def _valued(
        self, mapping: str, behaviour: str, *, stated: Stated, day: int
    ) -> tuple[Program, Converted] | NotWorth:
        program = self.in_force(mapping, day)
        if isinstance(program, NotWorth):
            return program
        outcome = self.convert(program, behaviour, stated=stated, day=day)
        return outcome if isinstance(outcome, NotWorth) else (program, outcome)

    def _timeline(self, mapping: str) -> Timeline[Program]:
        if mapping not in self._timelines:
            versions = {program.version: program for program in self.known(mapping)}
            for digest, (name, version) in self._published.items():
                if name == mapping:
                    versions[version] = self.program_of("sha256:" + digest)
            self._timelines[mapping] = Timeline(versions.values())
        return self._timelines[mapping]


def stated_inputs(text: str) -> Stated:
    """Return what a kept row states: value and unit of each input."""
    return {name: (entry["value"], entry["unit"]) for name, entry in orjson.loads(text).items()}
