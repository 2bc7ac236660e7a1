"""Make and open a home: its stores, its keys, its log, its clock."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.app.clock import SystemClock
from gateway.app.crews import here
from gateway.app.kinds import shipped
from gateway.app.mappings import make_converter
from gateway.bulk.assembly import sort_rows
from gateway.bulk.sorting import external_sort
from gateway.contract import Assembly
from gateway.errors import IntegrityBroken, LocalFileError
from gateway.model.source import Outcome, RefusedRow, SourceRow
from gateway.service.founding import founding_entries, founding_ring
from gateway.service.moments import instant_text
from gateway.service.parts import Converting
from gateway.service.publishing import PublishingRings, publish_queue
from gateway.service.reversing import Reversing
from gateway.settings import Settings, read_settings
from gateway.signing import KeyedIndex, Signer
from gateway.store.checkpoints import CheckpointStore
from gateway.store.cosigned import CosignedFiles
from gateway.store.database import Database, refuse_network_disk
from gateway.store.erasure import HomeErasures
from gateway.store.finding_files import NdjsonFindings
from gateway.store.home import Home, HomeFacts
from gateway.store.journal import SqlJournal
from gateway.store.key_files import FileSigner, create_index_key, create_signing_key, read_index_key
from gateway.store.log_files import LogFolder
from gateway.store.record_files import ParquetRecordFiles, encode_rows
from gateway.store.set_aside import SetAsideFiles
from gateway.store.trust_files import TrustFiles
from gateway.transparency import SignatureType, VerifierKey, sign_note

__all__ = ["DiskSorting", "OpenHome", "SystemClock", "create_home", "log_key", "open_home"]

SORT_BYTES = 128 * 1024 * 1024  # rows held while sorting; more goes to the home's disk


@dataclass(frozen=True, slots=True)
class DiskSorting:
    """Sorts on disk, in temporary files below ``folder`` (:class:`gateway.service.parts.Sorting`)."""

    folder: Path

    def assemble(self, rows: Iterator[SourceRow | RefusedRow], assembly: Assembly) -> Iterator[Outcome]:
        """Sort rows and put them together as the adapter declares."""
        return sort_rows(rows, assembly, folder=self.folder, memory=SORT_BYTES)

    def order(self, keyed: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
        """Sort payloads by their keys."""
        return external_sort(keyed, self.folder, memory=SORT_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHome:
    """The opened stores of one home."""

    home: Home
    facts: HomeFacts
    database: Database
    journal: SqlJournal
    records: ParquetRecordFiles
    erasures: HomeErasures
    findings: NdjsonFindings
    reversals: NdjsonFindings
    log: LogFolder
    trust: TrustFiles
    clock: SystemClock

    def index(self) -> KeyedIndex:
        """Return the keyed names of this home."""
        return KeyedIndex(read_index_key(self.home.keys / "index"))

    def record_signers(self) -> list[Signer]:
        """Return the signers of statements: each record key that is neither retired nor revoked.

        Raises:
            LocalFileError: none is here.
        """
        keys = self.trust.ring().keys
        signing = {key.id for key in keys if key.retired is None and key.revoked is None}
        signers = [FileSigner(path, "record") for path in self.home.record_keys()]
        found: list[Signer] = [signer for signer in signers if signer.key_id in signing]
        if not found:
            raise LocalFileError(
                f"expected in {self.home.keys} a record key that trust/keys.json lets sign, found none",
                remedy="put the key's file back from where its copy is kept",
            )
        return found

    def publishing_rings(self) -> PublishingRings:
        """Return the pinned key ring and, where the queue announces a change, the changed one.

        Raises:
            TrustAltered: a trust file is not the one that was pinned.
        """
        self.trust.require_pinned()
        in_force = self.trust.ring()
        return PublishingRings(in_force, self.trust.announced(self.journal.announces) or in_force)

    def reversing(self) -> Reversing:
        """Return what writes reversals."""
        return Reversing(
            issuer=self.facts.issuer,
            claims=self.journal.claims,
            files=self.reversals,
            signers=self.record_signers(),
            random_bytes=os.urandom,
        )

    def converting(self, scratch: Path) -> Converting:
        """Return the parts of converting; temporary files go to ``scratch``."""
        return Converting(
            issuer=self.facts.issuer,
            profile=self.facts.profile,
            journal=self.journal,
            memory=self.journal,
            records=self.records,
            log=self.log,
            quarantine=self.home,
            findings=self.findings,
            kinds=shipped(),
            reversing=self.reversing(),
            sorting=DiskSorting(scratch),
            clock=self.clock,
            random_bytes=os.urandom,
            index=self.index(),
            signers=self.record_signers(),
            rings=self.publishing_rings,
            make_converter=make_converter,
            encode=encode_rows,
            crew=here,
        )


def create_home(
    root: Path, *, origin: str = "", profile: Literal["default", "test"] = "default"
) -> HomeFacts:
    """Make a new home: keys, trust files, database, and a log that announces the keys.

    Raises:
        LocalFileError: there is something at that place already.
    """
    home, clock = Home(root), SystemClock()
    root.mkdir(parents=True, exist_ok=True)
    refuse_network_disk(root)
    with home.writing():
        home.begin_making()
        name = (origin or f"tanqiao-{secrets.token_hex(4)}") + ("-test" if profile == "test" else "")
        facts = HomeFacts(origin=name, issuer=name, profile=profile, created=instant_text(clock.now()))
        store = checkpoint_store(facts, read_settings())
        if store.latest(name) is not None:
            raise LocalFileError(
                f"the checkpoint store knows a log named {name} already", remedy="choose another --origin"
            )
        _found(home, facts, store=store)
    with open_home(root, writing=True):
        pass
    return facts


def _found(home: Home, facts: HomeFacts, *, store: CheckpointStore) -> None:
    log_signer = create_signing_key(home.keys / "log", "log")
    signers = [(purpose, create_signing_key(home.keys / purpose, purpose)) for purpose in ("record", "http")]
    create_index_key(home.keys / "index")
    ring = founding_ring(facts.issuer, signers)
    policy = f"log {log_key(facts.origin, log_signer)}\nquorum none\n"
    trust_files(home, facts, store=store).create(policy.encode(), ring)
    database = Database(home.database)
    for entry in founding_entries(ring, signers[0][1], issued=facts.created):
        SqlJournal(database).queue(entry)
    database.close()
    home.write_facts(facts)


@contextmanager
def open_home(root: Path, *, writing: bool = False) -> Iterator[OpenHome]:
    """Open a home; for writing, take its lock and finish what a killed run has left.

    Raises:
        LocalFileError: there is no home here.
        HomeBusy: another process writes to it.
        IntegrityBroken: the home contradicts its checkpoint store, its log or its pins.
    """
    home = Home(root)
    facts = home.facts()
    store = checkpoint_store(facts, read_settings())
    log_signer = FileSigner(home.keys / "log", "log")
    key = log_key(facts.origin, log_signer)
    database = Database(home.database)
    journal, records = SqlJournal(database), ParquetRecordFiles(home.records)
    findings = NdjsonFindings(home.findings)
    opened = OpenHome(
        home=home,
        facts=facts,
        database=database,
        journal=journal,
        records=records,
        erasures=HomeErasures(
            database,
            home.erasing,
            journal=journal,
            records=records,
            set_aside=SetAsideFiles(home.set_aside_folders),
            findings=findings,
        ),
        findings=findings,
        reversals=NdjsonFindings(home.reversals),
        log=LogFolder(
            home.log,
            origin=facts.origin,
            staging=home.staging,
            store=store,
            sign_checkpoint=lambda text: bytes(sign_note(text, key=key, sign=log_signer.sign)),
        ).proving_under(CosignedFiles(home.witnesses).covering),
        trust=trust_files(home, facts, store=store),
        clock=SystemClock(),
    )
    try:
        if writing:
            with home.writing():
                _bring_up(opened)
                yield opened
        else:
            yield opened
    finally:
        database.close()


def _bring_up(opened: OpenHome) -> None:
    """Finish what a killed run has left, then check that nothing was put back or changed."""
    _require_own_log_key(opened)
    if not opened.log.size:
        opened.trust.pin_first()  # a home with a log was pinned when it was made
    opened.log.recover()
    opened.erasures.recover()
    opened.trust.settle_policy()
    publish_queue(opened.journal, opened.log, rings=opened.publishing_rings)
    opened.trust.settle(opened.journal.announces)
    opened.trust.require_pinned()
    _require_own_name(opened)


def _require_own_log_key(opened: OpenHome) -> None:
    """Check that the home's log key is the one of its policy: what another key signs cannot be taken back."""
    own = log_key(opened.facts.origin, FileSigner(opened.home.keys / "log", "log"))
    if f"log {own}".encode() not in opened.trust.policy().splitlines():
        raise IntegrityBroken(
            f"keys/log is not the key that trust/policy lists for {opened.facts.origin}", field="keys/log"
        )


def _require_own_name(opened: OpenHome) -> None:
    issuer = opened.trust.ring().issuer
    if issuer != opened.facts.issuer:
        raise IntegrityBroken(
            f"home.json names the issuer {opened.facts.issuer}, trust/keys.json {issuer}", field="home.json"
        )


def checkpoint_store(facts: HomeFacts, settings: Settings) -> CheckpointStore:
    """Return the checkpoint store of a home; test homes have their own."""
    name = "checkpoints-test.db" if facts.profile == "test" else "checkpoints.db"
    return CheckpointStore(settings.state / name)


def trust_files(home: Home, facts: HomeFacts, *, store: CheckpointStore) -> TrustFiles:
    """Return the trust files of a home."""
    return TrustFiles(home.policy, home.key_ring, origin=facts.origin, store=store)


def log_key(origin: str, signer: FileSigner) -> VerifierKey:
    """Return the log's public key under the log's name."""
    return VerifierKey(origin, SignatureType.ED25519, signer.public)
