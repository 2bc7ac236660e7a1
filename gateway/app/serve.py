"""Join the parts of the service: what answers requests, and the sequencer that converts."""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Final

from gateway.api import ApiParts
from gateway.app.claims import withdrawing
from gateway.app.convert import crew_for, input_document
from gateway.app.cosigning import cosigned_of, quorum_of
from gateway.app.differing import trying
from gateway.app.home import OpenHome, open_home
from gateway.app.links import first_epoch, person_keys
from gateway.app.mappings import journal_replayer, make_converter, shipped_programs
from gateway.convert import Program
from gateway.errors import HomeBusy, NotFound
from gateway.plugins import find_adapter
from gateway.ports import Spool
from gateway.service.catalogue import require_unchanged, scheme_of
from gateway.service.onboarding import Gatekeeper
from gateway.service.ordering import Desk, Orders
from gateway.service.parts import Converting
from gateway.service.quorum import is_witnessed, require_witnessed
from gateway.service.receipts import FoundRecord, find_record
from gateway.service.scheme import Converter, Scheme
from gateway.service.sequencing import Sequencer
from gateway.service.submission import InputDocument
from gateway.service.submitting import Submitting
from gateway.store.group_commit import GroupCommit
from gateway.store.lately import Lately, LatelyPlatforms
from gateway.store.operations import SqlOperations
from gateway.store.platforms import SqlNonces
from gateway.store.spools import SpoolFolder
from gateway.transparency import read_policy

__all__ = ["Serving", "api_parts", "sequence"]

IDLE_SECONDS: Final = 2.0  # after so long without work the sequencer lets go of the home
COUNTED_SECONDS: Final = 0.25
POLL_SECONDS: Final = 0.02
RESTART_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How to serve. ``mappings`` are the shipped ones where empty."""

    root: Path
    host: str = "127.0.0.1"
    port: int = 8420
    workers: int = 1
    mappings: tuple[Path, ...] = ()


class _Schemes:
    """The schemes of this gateway, by mapping id."""

    def __init__(self, programs: list[Program]) -> None:
        self.programs = programs
        by_id: dict[str, list[Program]] = {}
        for program in programs:
            by_id.setdefault(program.id, []).append(program)
        self._schemes = {name: scheme_of(versions) for name, versions in by_id.items()}

    def scheme(self, mapping: str) -> Scheme:
        """Return a scheme.

        Raises:
            NotFound: there is no such mapping here.
        """
        found = self._schemes.get(mapping)
        if found is None:
            raise NotFound(f"there is no mapping {mapping}", field="/mapping", remedy="see /v1/mappings")
        return found


class _Converters:
    """The converters of mapping versions, each made once; another process makes its own."""

    def __init__(self) -> None:
        self._made: dict[str, Converter] = {}

    def __call__(self, program: Program) -> Converter:
        if program.digest not in self._made:
            self._made[program.digest] = make_converter(program)
        return self._made[program.digest]

    def __reduce__(self) -> tuple[type["_Converters"], tuple[()]]:
        return _Converters, ()


@dataclass(frozen=True, slots=True)
class _HomeSpools:
    """The spool folder, its files as documents to convert."""

    folder: SpoolFolder

    def write(self, name: str, contents: Sequence[bytes]) -> None:
        self.folder.write(name, contents)

    def document(self, spool: Spool) -> InputDocument:
        file = self.folder.file(spool.name)
        return input_document(replace(file, name=spool.operations[0].name or file.name))

    def drop(self, name: str) -> None:
        self.folder.drop(name)


def _programs(serving: Serving) -> list[Program]:
    from gateway.app.mappings import program_from_file

    return [program_from_file(path) for path in serving.mappings] or shipped_programs()


@contextmanager
def api_parts(serving: Serving) -> Iterator[ApiParts]:
    """Open a home for answering requests."""
    schemes = _Schemes(_programs(serving))
    with open_home(serving.root) as opened, GroupCommit(opened.database) as writes:
        database = opened.database
        platforms, operations = LatelyPlatforms(database), SqlOperations(database, writes)
        spools = SpoolFolder(opened.home.spool)
        waiting = Lately[None, int](lambda _: operations.waiting(), seconds=COUNTED_SECONDS)
        quorum, cosigned = quorum_of(opened), cosigned_of(opened)
        stopped = Lately[None, list[str]](lambda _: quorum.stopped(), seconds=COUNTED_SECONDS)
        submitting = Submitting(
            operations=operations,
            scheme=schemes.scheme,
            waiting=lambda: waiting(None),
            clock=opened.clock,
            random_bytes=os.urandom,
            require_open=lambda: require_witnessed(stopped(None)),
        )
        yield ApiParts(
            issuer=opened.facts.issuer,
            origin=opened.facts.origin,
            clock=opened.clock,
            gatekeeper=Gatekeeper(platforms=platforms, nonces=SqlNonces(writes), clock=opened.clock),
            submitting=submitting,
            desk=Desk(
                submitting=submitting,
                links=opened.journal.claims,
                index=opened.index,
                keys=partial(person_keys, opened),
            ),
            index=opened.index,
            platforms=platforms,
            operations=operations,
            journal=opened.journal,
            records=opened.records,
            log=lambda: opened.log,
            log_folder=opened.home.log,
            replayer=lambda: journal_replayer(opened.journal),
            trying=trying(schemes.programs),
            uploading=spools.uploading,
            ready=partial(_missing, opened),
            quorum=quorum,
            checkpoint=lambda: cosigned.published(opened.log.checkpoint),
            witnessed=partial(_is_witnessed, opened),
        )


def _missing(opened: OpenHome) -> list[str]:
    """Return what keeps the service from its work, one line each."""
    missing = []
    if not (opened.home.log / "checkpoint").is_file():
        missing.append("the log has no checkpoint")
    return missing


def _is_witnessed(opened: OpenHome, note: bytes) -> bool:
    return is_witnessed(read_policy(opened.trust.policy()), note)


def sequence(serving: Serving, *, stop: Callable[[], bool]) -> None:
    """Convert what is submitted until told to stop; the home is held only while there is work."""
    schemes = _Schemes(_programs(serving))
    with open_home(serving.root) as waiting, GroupCommit(waiting.database) as writes:
        operations = SqlOperations(waiting.database, writes)
        _make_first_epoch(serving.root, stop=stop)
        while not stop():
            if not operations.waiting():
                time.sleep(POLL_SECONDS)
                continue
            try:
                with open_home(serving.root, writing=True) as opened:
                    _sequence_while_busy(opened, schemes, stop=stop)
            except HomeBusy:
                time.sleep(RESTART_SECONDS)  # a command line works on the home, or another sequencer does


def _make_first_epoch(root: Path, *, stop: Callable[[], bool]) -> None:
    while not stop():
        try:
            first_epoch(root)
            break
        except HomeBusy:
            time.sleep(RESTART_SECONDS)


def _sequence_while_busy(opened: OpenHome, schemes: _Schemes, *, stop: Callable[[], bool]) -> None:
    with GroupCommit(opened.database) as writes:
        sequencer = _sequencer(opened, schemes, operations=SqlOperations(opened.database, writes))
        sequencer.resume()
        busy_until = time.monotonic() + IDLE_SECONDS
        while not stop() and time.monotonic() < busy_until:
            if sequencer.step():
                busy_until = time.monotonic() + IDLE_SECONDS
            else:
                time.sleep(POLL_SECONDS)


def _sequencer(opened: OpenHome, schemes: _Schemes, *, operations: SqlOperations) -> Sequencer:
    converting = replace(opened.converting(opened.home.scratch()), make_converter=_Converters())

    def parts(size: int) -> Converting:
        return replace(converting, crew=crew_for(size))

    return Sequencer(
        operations=operations,
        orders=_orders(opened),
        spools=_HomeSpools(SpoolFolder(opened.home.spool)),
        set_aside=opened.home,
        scheme=schemes.scheme,
        adapter=cache(find_adapter),
        parts=parts,
        require_unchanged=lambda scheme: require_unchanged(scheme, opened.journal.mappings()),
        new_name=lambda: secrets.token_hex(16),
    )


def _orders(opened: OpenHome) -> Orders:
    def find(record: str, batch: int) -> FoundRecord:
        return find_record(
            record,
            records=opened.records,
            journal=opened.journal,
            replayer=journal_replayer(opened.journal),
            issuer=opened.facts.issuer,
            batch=batch,
        )

    return Orders(
        links=opened.journal.claims,
        find=find,
        withdrawing=partial(withdrawing, opened),
        clock=opened.clock,
    )
