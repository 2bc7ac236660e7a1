"""Mapping documents: where they come from, and the evaluators that are made of them."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.bulk.columns import ColumnEvaluator
from gateway.contract import PlatformAdapter
from gateway.convert import Program, load_program, program_from_canonical
from gateway.errors import IntegrityBroken, UsageError
from gateway.model.behaviour import Behaviour, read_behaviours
from gateway.model.canonical import digest as digest_of
from gateway.plugins import find_adapter
from gateway.ports import Journal, Publications, PublishedMapping
from gateway.resources import behaviour_table, schema, shipped_mappings
from gateway.service.acts.scheme import Converter, Scheme
from gateway.service.mappings.catalogue import choose_scheme, scheme_of
from gateway.service.receipts.replaying import Replayer
from gateway.store.files.inputs import read_small

__all__ = [
    "Approved",
    "Reading",
    "Versions",
    "journal_replayer",
    "known_behaviours",
    "make_converter",
    "program_from_file",
    "published_replayer",
    "select_scheme",
    "shipped_programs",
    "with_approved",
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


class Approved:
    """The versions that maintainers have approved at a home, with all that was published of their schemes.

    They are read again when there are more; ``seconds``: asked for that at most once in so long a time.
    """

    def __init__(self, publications: Publications, journal: Journal, *, seconds: float = 0.0) -> None:
        self._publications = publications
        self._journal = journal
        self._seconds = seconds
        self._asked = -seconds
        self._shape = schema("mapping")
        self._read: tuple[int, tuple[Program, ...]] = (0, ())

    def __call__(self) -> Sequence[Program]:
        """Return them; the same object until there are more."""
        now = time.monotonic()
        if now - self._asked < self._seconds:
            return self._read[1]
        self._asked = now
        return self.look_again()

    def look_again(self) -> Sequence[Program]:
        """Return them as they are at this moment."""
        count = self._publications.count()
        if count != self._read[0]:
            ids = {one.id for one in self._publications.every() if one.position is not None}
            known = {one.digest: one for one in self._read[1]}
            programs = (
                known.get(one.digest) or program_from_canonical(one.canonical, self._shape)
                for one in self._journal.mappings()
                if one.id in ids
            )
            self._read = (count, tuple(programs))
        return self._read[1]


def with_approved(given: Iterable[Program], approved: Iterable[Program]) -> list[Program]:
    """Return versions, those approved among them or in their place: what stands in the log counts."""
    return list({(one.id, one.version): one for one in [*given, *approved]}.values())


class Versions:
    """The versions of mappings that a gateway has, by id: of some files, else those that are shipped.

    Those that its maintainers have approved are there, too.
    """

    def __init__(
        self, files: Sequence[Path] = (), *, approved: Callable[[], Sequence[Program]] = tuple
    ) -> None:
        self._found: dict[str, list[Program]] = {}
        self._approved = approved
        for program in map(program_from_file, files):
            self._found.setdefault(program.id, []).append(program)

    def __call__(self, mapping: str) -> Sequence[Program]:
        """Return all versions of a mapping; none where there is no such mapping."""
        if mapping not in self._found:
            self._found[mapping] = shipped_programs(_file_start(mapping, ""))
        return with_approved(self._found[mapping], (one for one in self._approved() if one.id == mapping))

    def of_platform(self, platform: str) -> list[Program]:
        """Return all versions of a platform's mappings."""
        shipped = shipped_programs(_file_start("", platform))
        ids = {one.id for one in [*shipped, *self._approved()]} | set(self._found)
        versions = [one for mapping in ids for one in self(mapping) if one.platform == platform]
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

    def choose(self, approved: Sequence[Program] = ()) -> tuple[PlatformAdapter, Scheme]:
        """Find the adapter and the scheme; an id may be that of versions that maintainers have approved.

        Raises:
            UsageError: there is none, or more than one.
        """
        adapter = find_adapter(self.adapter)
        return adapter, select_scheme(adapter, self.mappings, platform=self.platform, approved=approved)


def select_scheme(
    adapter: PlatformAdapter,
    mappings: Sequence[str],
    *,
    platform: str = "",
    approved: Sequence[Program] = (),
) -> Scheme:
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
    near = [one for one in approved if mapping in ("", one.id)]
    known = with_approved(shipped_programs(start), near) or with_approved(shipped_programs(), approved)
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
