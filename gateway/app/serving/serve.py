"""Join the parts of the service: what answers requests, and the sequencer that converts."""

import os
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Final

from gateway.api import ApiParts, Limits, Measures
from gateway.api.traced import traceparent
from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.mappings import (
    Versions,
    journal_replayer,
    make_converter,
    program_from_file,
    shipped_programs,
)
from gateway.app.log.cosigning import cosigned_of, quorum_of
from gateway.app.log.decision_log import DecisionDuty, logging_decisions
from gateway.app.records.convert import crew_for, input_document
from gateway.app.records.disclosure import disclosed
from gateway.app.reviewing.differing import trying
from gateway.app.reviewing.publications import approved_at, judging, maintaining, publication_reader
from gateway.app.reviewing.schemes import Schemes
from gateway.app.serving.gates import gatekeeper, platform_limits, redis_client
from gateway.app.serving.identity import operator_gate
from gateway.app.serving.metrics import Figures, NoFigures
from gateway.app.serving.ordering import desk, make_first_epoch, orders
from gateway.app.transfers.agreements import agreeing, announcing
from gateway.app.transfers.moving import answering, transferring
from gateway.convert import Program
from gateway.errors import GatewayError, HomeBusy
from gateway.peers import addresses, read_target
from gateway.plugins import find_adapter
from gateway.ports import Clock, Spool, Worked, untraced
from gateway.resources import web_folder
from gateway.service.acts.scheme import Converter
from gateway.service.acts.submission import InputDocument
from gateway.service.agreements.announcing import announce_documents
from gateway.service.converting.outcomes import reasons_of, rejections_of
from gateway.service.converting.parts import Converting
from gateway.service.converting.sequencing import Sequencer
from gateway.service.mappings.catalogue import require_unchanged
from gateway.service.mappings.countersigning import publish_due
from gateway.service.receipts.disclosing import DayScope
from gateway.service.submitting.ordering import LINKS_PER_MINUTE
from gateway.service.submitting.taking import Submitting
from gateway.service.webhooks.endpoints import WebhookDesk
from gateway.service.witnesses.quorum import Quorum, is_witnessed, require_witnessed
from gateway.settings import ServiceSettings, read_settings
from gateway.signing import webhook_public_key
from gateway.store.files.spools import SpoolFolder
from gateway.store.journal.publications import SqlPublications
from gateway.store.ledger.books import SqlLedger
from gateway.store.serving.lately import Lately, LatelyPlatforms
from gateway.store.serving.operations import SqlOperations
from gateway.store.serving.webhooks import SqlWebhooks
from gateway.store.sql.group_commit import GroupCommit
from gateway.transparency import read_policy

__all__ = ["Serving", "api_parts", "sequence", "sequencer_of", "service_settings"]

IDLE_SECONDS: Final = 2.0  # after so long without work the sequencer lets go of the home
COUNTED_SECONDS: Final = 0.25
POLL_SECONDS: Final = 0.02
MANY: Final = 8  # operations of one step: they come faster than one by one
GATHERING_SECONDS: Final = 0.25  # a step that takes longer is worth its cost already
PAUSED_STEPS: Final = 2  # for so many times as long as a quick step more may gather: no second in all
ORPHANED: Final = timedelta(hours=1)  # a spool that nobody has written to for so long, and nothing refers to
REASONS_SECONDS: Final = 1.0  # so long a worker may still say what a person's erasure has removed
REASONS_MAX: Final = 16  # submissions whose reasons a worker holds
RESTART_SECONDS: Final = 1.0
MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How to serve. ``mappings`` are the shipped ones where empty."""

    root: Path
    host: str = "127.0.0.1"
    port: int = 8420
    workers: int = 1
    mappings: tuple[Path, ...] = ()
    settings: ServiceSettings = field(default_factory=ServiceSettings)


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
    return [program_from_file(path) for path in serving.mappings] or shipped_programs()


@contextmanager
def api_parts(serving: Serving) -> Iterator[ApiParts]:
    """Open a home for answering requests."""
    with (
        open_home(serving.root) as opened,
        GroupCommit(opened.database) as writes,
        SqlLedger(opened.database) as ledger,
        redis_client(read_settings()) as redis,
    ):
        database = opened.database
        approved = approved_at(opened, seconds=COUNTED_SECONDS)
        schemes = Schemes(_programs(serving), approved)
        versions = Versions(serving.mappings, approved=approved.look_again)
        platforms, operations = LatelyPlatforms(database), SqlOperations(database, writes)
        link_limits = platform_limits(opened, redis, per_minute=LINKS_PER_MINUTE, what=":links")
        spools = SpoolFolder(opened.home.spool)
        quorum, cosigned = quorum_of(opened), cosigned_of(opened)
        submitting = _submitting(schemes, operations, quorum=quorum, clock=opened.clock)
        yield ApiParts(
            issuer=opened.facts.issuer,
            origin=opened.facts.origin,
            clock=opened.clock,
            gatekeeper=gatekeeper(opened, platforms, writes=writes, redis=redis),
            submitting=submitting,
            desk=desk(opened, submitting, link_limits=link_limits),
            index=opened.index,
            platforms=platforms,
            operations=operations,
            webhooks=_desk(opened, writes),
            journal=opened.journal,
            records=opened.records,
            log=lambda: opened.log,
            log_folder=opened.home.log,
            web_folder=web_folder(),
            agreeing=agreeing(opened, versions, platforms=platforms),
            transferring=transferring(opened, ledger, versions=versions),
            answering=answering(opened, ledger),
            replayer=lambda: journal_replayer(opened.journal),
            trying=trying(schemes.programs, publication_reader(opened)),
            judging=judging(opened, versions),
            reasons=_reasons(opened),
            rejections=lambda submission: rejections_of(opened.home.lines(submission)),
            uploading=spools.uploading,
            drop_upload=spools.drop,
            ready=partial(_missing, opened),
            quorum=quorum,
            checkpoint=lambda: cosigned.published(opened.log.checkpoint),
            witnessed=partial(_is_witnessed, opened),
            operator_gate=operator_gate(opened),
            new_code=lambda: secrets.token_urlsafe(24),
            day_of_records=lambda platform, day, reader: disclosed(
                opened, DayScope(platform, day), auditor=reader
            ),
            measures=_measures(serving, opened, operations=operations),
            limits=_limits(serving.settings),
        )


def _submitting(schemes: Schemes, operations: SqlOperations, *, quorum: Quorum, clock: Clock) -> Submitting:
    waiting = Lately[None, int](lambda _: operations.waiting(), seconds=COUNTED_SECONDS)
    stopped = Lately[None, list[str]](lambda _: quorum.stopped(), seconds=COUNTED_SECONDS)
    return Submitting(
        operations=operations,
        scheme=schemes.scheme,
        waiting=lambda: waiting(None),
        clock=clock,
        random_bytes=os.urandom,
        require_open=lambda: require_witnessed(stopped(None)),
        trace=traceparent,
    )


def _reasons(opened: OpenHome) -> Callable[[str], dict[int, str]]:
    """Read the quarantine at most once in a while for the many requests of one submission."""

    def read(submission: str) -> dict[int, str]:
        return reasons_of(opened.home.lines(submission)) if submission else {}

    return Lately[str, dict[int, str]](read, seconds=REASONS_SECONDS, most=REASONS_MAX)


def _measures(serving: Serving, opened: OpenHome, *, operations: SqlOperations) -> Measures:
    def now() -> dict[str, float]:
        oldest = operations.oldest_waiting()
        lag = 0.0 if oldest is None else (opened.clock.now() - datetime.fromisoformat(oldest)).total_seconds()
        return {
            "tanqiao_waiting_operations": operations.waiting(),
            "tanqiao_sequencer_lag_seconds": max(lag, 0.0),
            "tanqiao_log_entries": opened.log.size,
        }

    return Figures(now) if serving.settings.metrics else NoFigures()


def service_settings() -> ServiceSettings:
    """Read the settings of the service.

    Raises:
        LocalFileError: names the variable and what it should be.
    """
    return read_settings().service


def _limits(settings: ServiceSettings) -> Limits:
    return Limits(
        document_bytes=settings.document_mib * MEBIBYTE,
        file_bytes=settings.file_mib * MEBIBYTE,
        held_bytes=settings.held_mib * MEBIBYTE,
        idle_seconds=settings.idle_seconds,
        body_seconds=settings.body_seconds,
        requests=settings.requests,
    )


def _desk(opened: OpenHome, writes: GroupCommit) -> WebhookDesk:
    private = read_settings().private_webhooks

    def require_callable(url: str) -> None:
        addresses(read_target(url, private=private), private=private)

    return WebhookDesk(
        webhooks=SqlWebhooks(opened.database, writes),
        require_callable=require_callable,
        public_key=webhook_public_key(opened.http_signer()),
        clock=opened.clock,
        random_bytes=os.urandom,
    )


def _missing(opened: OpenHome) -> list[str]:
    """Return what keeps the service from its work, one line each."""
    missing = []
    if not (opened.home.log / "checkpoint").is_file():
        missing.append("the log has no checkpoint")
    try:
        opened.journal.length()
    except GatewayError as error:
        missing.append(f"the database cannot be read: {error.code}")
    return missing


def _is_witnessed(opened: OpenHome, note: bytes) -> bool:
    return is_witnessed(read_policy(opened.trust.policy()), note)


def sequence(serving: Serving, *, stop: Callable[[], bool], worked: Worked = untraced) -> None:
    """Convert what is submitted until told to stop; the home is held only while there is work."""
    with open_home(serving.root) as waiting, GroupCommit(waiting.database) as writes:
        approved = approved_at(waiting)
        schemes = Schemes(_programs(serving), approved)
        versions = Versions(serving.mappings, approved=approved)
        publications = SqlPublications(waiting.database)
        operations = SqlOperations(waiting.database, writes)
        _sweep(waiting, operations)
        make_first_epoch(serving.root, stop=stop)
        duty, corridors = DecisionDuty(waiting), waiting.journal.corridors
        signed = Lately[None, bool](
            lambda _: bool(corridors.waiting() or publications.due()), seconds=COUNTED_SECONDS
        )
        while not stop():
            if not operations.waiting() and not signed(None) and not duty.is_due():
                time.sleep(POLL_SECONDS)
                continue
            try:
                with open_home(serving.root, writing=True) as opened:
                    announce = _announcing(opened, versions, duty=duty)
                    _sequence_while_busy(opened, schemes, announce=announce, stop=stop, worked=worked)
                _sweep(waiting, operations)
            except HomeBusy:
                time.sleep(RESTART_SECONDS)  # a command line works on the home, or another sequencer does


def _sweep(opened: OpenHome, operations: SqlOperations) -> None:
    before = opened.clock.now() - ORPHANED
    SpoolFolder(opened.home.spool).sweep(operations.spools_in_use, before=before.timestamp())


def _announcing(opened: OpenHome, versions: Versions, *, duty: DecisionDuty) -> Callable[[], int]:
    """Return what publishes decisions that are due and what others have signed; it counts the latter."""
    documents, decisions = announcing(opened, versions), logging_decisions(opened)
    publications = maintaining(opened, versions)

    def announce() -> int:
        duty.publish(decisions)
        return publish_due(publications) + announce_documents(documents)

    return announce


def _sequence_while_busy(
    opened: OpenHome,
    schemes: Schemes,
    *,
    announce: Callable[[], int],
    stop: Callable[[], bool],
    worked: Worked,
) -> None:
    with GroupCommit(opened.database) as writes:
        sequencer = sequencer_of(opened, schemes, operations=SqlOperations(opened.database, writes))
        sequencer.resume()
        busy_until = time.monotonic() + IDLE_SECONDS
        while not stop() and time.monotonic() < busy_until:
            begun = time.monotonic()
            announced = announce()
            taken = [] if announced else sequencer.step()
            done = announced or len(taken)
            if done:
                busy_until = time.monotonic() + IDLE_SECONDS
                brought = [one.trace for one in taken if one.trace]
                seconds = time.monotonic() - begun
                worked("sequence", seconds=seconds, facts={"operations": done}, requests=brought)
            time.sleep(_pause(done, time.monotonic() - begun))


def _pause(taken: int, seconds: float) -> float:
    """Tell how long to wait after a step that took so many operations and seconds.

    A step costs much the same for one operation as for a hundred. So while many come, as many again may
    gather for twice as long as the step took, which leaves most of a core to those who answer; one who comes
    alone does not wait, nor does a backlog.
    """
    if not taken:
        return POLL_SECONDS
    return PAUSED_STEPS * seconds if taken >= MANY and seconds < GATHERING_SECONDS else 0.0


def sequencer_of(opened: OpenHome, schemes: Schemes, *, operations: SqlOperations) -> Sequencer:
    """Return a sequencer of a home that is held for writing."""
    converting = replace(opened.converting(opened.home.scratch()), make_converter=_Converters())

    def parts(size: int) -> Converting:
        return replace(converting, crew=crew_for(size))

    return Sequencer(
        operations=operations,
        orders=orders(opened),
        spools=_HomeSpools(SpoolFolder(opened.home.spool)),
        set_aside=opened.home,
        scheme=schemes.scheme,
        adapter=cache(find_adapter),
        parts=parts,
        require_unchanged=lambda scheme: require_unchanged(scheme, opened.journal.mappings()),
        new_name=lambda: secrets.token_hex(16),
        log_size=lambda: opened.log.size,
        clock=opened.clock,
    )
