"""A scheme as the pipeline uses it: all versions, the one in force on a day, evaluators made once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.catalog import Timeline
from gateway.convert import CapMeter, Converted, Program, Refusal, Roles, SourceReader
from gateway.errors import Refused
from gateway.model.codes import Rejection
from gateway.model.source import SourceRow

__all__ = ["MakeConverter", "MappingNotAdmitted", "Scheme", "SchemeEvaluator", "require_admitted"]

RowConverter = Callable[[Sequence[Mapping[str, str]], Sequence[Roles]], Sequence[Converted | Refusal]]
MakeConverter = Callable[[Program], RowConverter]


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


def require_admitted(scheme: Scheme, profile: str) -> None:
    """Refuse figures without a source outside of test homes."""
    for program in scheme.programs:
        if program.status == "illustrative" and profile != "test":
            raise MappingNotAdmitted(
                f"mapping {program.id} version {program.version} is illustrative: its figures have no source"
            )


@dataclass(slots=True)
class SchemeEvaluator:
    """Reads roles once, chooses the version by the day of the act, and converts in batches."""

    scheme: Scheme
    make_converter: MakeConverter
    _timeline: Timeline[Program] = field(init=False)
    _reader: SourceReader = field(init=False)
    _converters: dict[int, RowConverter] = field(init=False, default_factory=dict)
    _meters: dict[int, CapMeter] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._timeline = Timeline(self.scheme.programs)
        self._reader = SourceReader(self.scheme.programs[-1])  # a later version may know more codes

    @property
    def needs_start_order(self) -> bool:
        """Tell whether some cap or rule goes by the start of acts, so that they must be sorted first."""
        return any(
            self.meter(program).needs_start_order or program.source.overlap is not None
            for program in self.scheme.programs
        )

    def meter(self, program: Program) -> CapMeter:
        """Return the cap meter of one version."""
        if program.version not in self._meters:
            self._meters[program.version] = CapMeter(program)
        return self._meters[program.version]

    def read(self, rows: Sequence[SourceRow]) -> list[Roles | Refusal]:
        """Read who, what and when of each row."""
        return self._reader.read_batch([row.fields for row in rows])

    def convert(
        self, rows: Sequence[SourceRow], roles: Sequence[Roles | Refusal]
    ) -> list[tuple[Program, Converted] | Refusal]:
        """Convert each row by the version in force on its day; refusals pass through."""
        results: list[tuple[Program, Converted] | Refusal | None] = [None] * len(rows)
        places: dict[int, list[int]] = {}
        programs: dict[int, Program] = {}
        for place, role in enumerate(roles):
            if isinstance(role, Refusal):
                results[place] = role
                continue
            program = self._timeline.on(role.day)
            if program is None:
                results[place] = self._not_in_force()
                continue
            programs[program.version] = program
            places.setdefault(program.version, []).append(place)
        for version, taken in places.items():
            self._convert_version(programs[version], taken, rows=rows, roles=roles, results=results)
        return results  # type: ignore[return-value]  # every place was filled above

    def _convert_version(
        self,
        program: Program,
        places: list[int],
        *,
        rows: Sequence[SourceRow],
        roles: Sequence[Roles | Refusal],
        results: list[tuple[Program, Converted] | Refusal | None],
    ) -> None:
        if program.version not in self._converters:
            self._converters[program.version] = self.make_converter(program)
        some_rows = [rows[place].fields for place in places]
        some_roles = [roles[place] for place in places]
        outcomes = self._converters[program.version](some_rows, some_roles)  # type: ignore[arg-type]  # refusals left above
        for place, outcome in zip(places, outcomes, strict=True):
            results[place] = outcome if isinstance(outcome, Refusal) else (program, outcome)

    def _not_in_force(self) -> Refusal:
        first = self.scheme.programs[0].effective_from.isoformat()
        detail = f"no version of {self.scheme.id} covers that day; the first begins on {first}"
        return Refusal(Rejection.MAPPING_NOT_IN_FORCE, "day", detail)
