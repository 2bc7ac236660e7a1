"""A scheme as the pipeline uses it: all versions, the one in force on a day, evaluators made once."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gateway.catalog import Timeline
from gateway.convert import (
    CapMeter,
    ConvertedBlock,
    ConvertedColumns,
    Program,
    Refusal,
    RoleColumns,
    SourceReader,
)
from gateway.errors import Refused
from gateway.model.codes import Rejection
from gateway.model.columns import RowTable, picked

__all__ = [
    "Converter",
    "MakeConverter",
    "MappingNotAdmitted",
    "Scheme",
    "SchemeColumns",
    "SchemeEvaluator",
    "require_admitted",
]

Row = Mapping[str, str]
MakeConverter = Callable[[Program], "Converter"]


class Converter(Protocol):
    """Converts many acts by one mapping version."""

    def convert_batch(
        self, rows: Sequence[Row] | RowTable, roles: RoleColumns, *, places: Sequence[int]
    ) -> ConvertedColumns:
        """Convert the rows at some places, whose roles have been read."""
        ...


class MappingNotAdmitted(Refused):
    """The mapping may not be used in a home of this profile."""

    code = "mapping-not-admitted"
    remedy = "use a mapping whose figures have sources, or a home made with: tanqiao init --profile test"


@dataclass(frozen=True, slots=True)
class Scheme:
    """All versions of one mapping; they share one ``source`` section."""

    id: str
    programs: tuple[Program, ...]

    @property
    def platform(self) -> str:
        """Return the platform whose rules these are."""
        return self.programs[0].platform

    @property
    def by_digest(self) -> dict[str, Program]:
        """Return the versions by the digest that records cite."""
        return {"sha256:" + program.digest: program for program in self.programs}

    def only(self, digests: Collection[str]) -> "Scheme":
        """Return the scheme as it is of these versions alone; the whole where it has not all of them."""
        programs = tuple(program for program in self.programs if program.digest in digests)
        return Scheme(self.id, programs) if programs and len(programs) == len(digests) else self


def require_admitted(scheme: Scheme, profile: str) -> None:
    """Refuse figures without a source outside of test homes."""
    for program in scheme.programs:
        if program.status == "illustrative" and profile != "test":
            raise MappingNotAdmitted(
                f"mapping {program.id} version {program.version} is illustrative: its figures have no source"
            )


class SchemeColumns(NamedTuple):
    """What became of a batch: converted acts in blocks, each with its version, and refusals by place."""

    blocks: list[tuple[Program, ConvertedBlock]]
    refusals: dict[int, Refusal]


@dataclass(slots=True)
class SchemeEvaluator:
    """Reads roles once, chooses the version by the day of the act, and converts in batches."""

    scheme: Scheme
    make_converter: MakeConverter
    _timeline: Timeline[Program] = field(init=False)
    _reader: SourceReader = field(init=False)
    _converters: dict[int, Converter] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._timeline = Timeline(self.scheme.programs)
        self._reader = SourceReader(self.scheme.programs[-1])  # a later version may know more codes

    @property
    def needs_start_order(self) -> bool:
        """Tell whether some cap or rule goes by the start of acts, so that they must be sorted first."""
        return any(
            CapMeter(program).needs_start_order or program.source.overlap is not None
            for program in self.scheme.programs
        )

    def read(self, rows: Sequence[Row] | RowTable) -> RoleColumns:
        """Read who, what and when of each row."""
        return self._reader.read_columns(rows)

    def convert(self, rows: RowTable, roles: RoleColumns) -> SchemeColumns:
        """Convert each row by the version in force on its day; a row without roles keeps its refusal."""
        done = SchemeColumns([], dict(roles.refusals))
        for program, places in self._by_program(roles, done.refusals):
            if program.version not in self._converters:
                self._converters[program.version] = self.make_converter(program)
            converted = self._converters[program.version].convert_batch(rows, roles, places=places)
            done.blocks.extend((program, block) for block in converted.blocks)
            done.refusals.update(converted.refusals)
        return done

    def _by_program(
        self, roles: RoleColumns, refusals: dict[int, Refusal]
    ) -> Iterable[tuple[Program, list[int]]]:
        places = [place for place in range(len(roles.day)) if place not in refusals]
        in_force = {day: self._timeline.on(day) for day in set(picked(roles.day, places))}
        first = next(iter(in_force.values()), None)
        if first is not None and all(program is first for program in in_force.values()):
            yield first, places
            return
        by_version: dict[int, list[int]] = {}
        for place in places:
            program = in_force[roles.day[place]]
            if program is None:
                refusals[place] = self._not_in_force()
            else:
                by_version.setdefault(program.version, []).append(place)
        for program in self.scheme.programs:
            if program.version in by_version:
                yield program, by_version[program.version]

    def _not_in_force(self) -> Refusal:
        first = self.scheme.programs[0].effective_from.isoformat()
        detail = f"no version of {self.scheme.id} covers that day; the first begins on {first}"
        return Refusal(Rejection.MAPPING_NOT_IN_FORCE, "day", detail)
