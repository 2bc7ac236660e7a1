"""Mapping documents: where they come from, and the evaluators that are made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.bulk.columns import ColumnEvaluator
from gateway.contract import PlatformAdapter
from gateway.convert import Program, load_program, program_from_canonical
from gateway.errors import IntegrityBroken, UsageError
from gateway.model.behaviour import Behaviour, read_behaviours
from gateway.model.canonical import digest as digest_of
from gateway.plugins import find_adapter
from gateway.ports import Journal, PublishedMapping
from gateway.resources import behaviour_table, schema, shipped_mappings
from gateway.service.catalogue import choose_scheme, scheme_of
from gateway.service.replaying import Replayer
from gateway.service.scheme import Converter, Scheme
from gateway.store.input_files import read_small

__all__ = [
    "Reading",
    "Versions",
    "journal_replayer",
    "known_behaviours",
    "make_converter",
    "program_from_file",
    "published_replayer",
    "select_scheme",
    "shipped_programs",
]


def make_converter(program: Program) -> Converter:
    """Return the bulk evaluator of one mapping version."""
    return ColumnEvaluator(program)


def shipped_programs(start: str = "") -> list[Program]:
    """Return every shipped mapping version, or those whose file names begin in a certain way."""
    shape, known = schema("mapping"), known_behaviours()
    return [
        load_program(text, shape, name=name, behaviours=known)
        for name, text in shipped_mappings()
        if name.startswith(start)
    ]


class Versions:
    """The versions of mappings that a gateway has, by id: of some files, else those that are shipped."""

    def __init__(self, files: Sequence[Path] = ()) -> None:
        self._found: dict[str, list[Program]] = {}
        for program in map(program_from_file, files):
            self._found.setdefault(program.id, []).append(program)

    def __call__(self, mapping: str) -> Sequence[Program]:
        """Return all versions of a mapping; none where there is no such mapping."""
        if mapping not in self._found:
            self._found[mapping] = shipped_programs(_file_start(mapping, ""))
        return self._found[mapping]

    def of_platform(self, platform: str) -> list[Program]:
        """Return all versions of a platform's mappings."""
        for program in shipped_programs(_file_start("", platform)):
            if program.id not in self._found:
                self(program.id)
        versions = [one for found in self._found.values() for one in found if one.platform == platform]
        return sorted(versions, key=lambda one: (one.id, one.version))


def known_behaviours() -> dict[str, Behaviour]:
    """Return the taxonomy of low-carbon acts by code."""
    return read_behaviours(behaviour_table())


def program_from_file(path: Path) -> Program:
    """Read one mapping document.

    Raises:
        LocalFileError: the file cannot be read.
        MappingRefused: it breaks its schema or means nothing; each finding with line and column.
    """
    return load_program(read_small(path), schema("mapping"), name=str(path), behaviours=known_behaviours())


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: the adapter's name, and the mapping (an id, or paths) or platform it is for."""

    adapter: str
    mappings: Sequence[str] = ()
    platform: str = ""

    def choose(self) -> tuple[PlatformAdapter, Scheme]:
        """Find the adapter and the scheme.

        Raises:
            UsageError: there is none, or more than one.
        """
        adapter = find_adapter(self.adapter)
        return adapter, select_scheme(adapter, self.mappings, platform=self.platform)


def select_scheme(adapter: PlatformAdapter, mappings: Sequence[str], *, platform: str = "") -> Scheme:
    """Choose the scheme that a command line names: an id, or paths of documents."""
    paths = [Path(name) for name in mappings if name.endswith((".yaml", ".yml"))]
    if paths and len(paths) == len(mappings):
        return scheme_of([program_from_file(path) for path in paths])
    if len(mappings) > 1:
        raise UsageError(
            "several --mapping are paths of one scheme's versions", remedy="name one id, or paths only"
        )
    mapping = "".join(mappings)
    start = _file_start(mapping, platform or adapter.platform or "")
    # the others are read only to say what there is in place of a name that nothing has
    known = shipped_programs(start) or shipped_programs()
    return choose_scheme(known, adapter, mapping=mapping, platform=platform)


def _file_start(mapping: str, platform: str) -> str:
    """Return how the file names of a mapping begin, or of all mappings of a platform."""
    place, _, scheme = mapping.rpartition("/")
    return f"{place.replace('/', '-')}/{scheme}.v" if mapping else f"{platform.replace('/', '-')}/"


def journal_replayer(journal: Journal) -> Replayer:
    """Return a replayer that knows the mappings a home has published, by digest, also those yet to come."""
    return Replayer(_Published(journal.mappings).program)


def published_replayer(mappings: Sequence[PublishedMapping]) -> Replayer:
    """Return a replayer that knows some published mappings, by digest."""
    return Replayer(_Published(lambda: mappings).program)


class _Published:
    """Programs of published mappings; what is published is looked up where a digest is not known yet."""

    def __init__(self, read: Callable[[], Sequence[PublishedMapping]]) -> None:
        self._read = read
        self._shape = schema("mapping")
        self._kept: dict[str, PublishedMapping] = {}

    def program(self, digest: str) -> Program:
        """Return the program of a digest.

        Raises:
            IntegrityBroken: there is none, or it is not what it says it is.
        """
        if digest not in self._kept:
            self._kept = {"sha256:" + mapping.digest: mapping for mapping in self._read()}
        mapping = self._kept.get(digest)
        if mapping is None:
            raise IntegrityBroken(f"no mapping with digest {digest} was published here", field=digest)
        named = f"the kept mapping {mapping.id} version {mapping.version}"
        if digest_of(mapping.canonical) != digest:
            raise IntegrityBroken(f"{named} is not its digest's", field=digest)
        program = program_from_canonical(mapping.canonical, self._shape)
        if (program.id, program.version) != (mapping.id, mapping.version):
            raise IntegrityBroken(f"{named} says of itself {program.id} version {program.version}")
        return program
