"""Make and open a home: its stores, its keys, its log, its clock."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway.app.base.clock import SystemClock
from gateway.app.base.crews import here
from gateway.app.base.kinds import shipped
from gateway.app.base.mappings import make_converter
from gateway.bulk.assembly import sort_rows
from gateway.bulk.sorting import external_sort
from gateway.contract import Assembly
from gateway.errors import IntegrityBroken, LocalFileError
from gateway.model.source import Outcome, RefusedRow, SourceRow
from gateway.service.claims.reversing import Reversing
from gateway.service.converting.parts import Converting
from gateway.service.founding import founding_entries, founding_ring
from gateway.service.moments import instant_text
from gateway.service.publishing import PublishingRings, publish_queue
from gateway.settings import Settings, read_settings
from gateway.signing import KeyedIndex, Signer
from gateway.store.files.findings import NdjsonFindings
from gateway.store.files.home import Home, HomeFacts, Profile
from gateway.store.files.keys import FileSigner, create_index_key, create_signing_key, read_index_key
from gateway.store.files.records import ParquetRecordFiles, encode_rows
from gateway.store.files.set_aside import SetAsideFiles
from gateway.store.journal.decisions import SqlJournal
from gateway.store.journal.erasure import HomeErasures
from gateway.store.log.checkpoints import CheckpointFile, CheckpointStore
from gateway.store.log.cosigned import CosignedFiles
from gateway.store.log.shared_checkpoints import SharedCheckpoints
from gateway.store.log.tiles import LogFolder
from gateway.store.log.trust import TrustFiles
from gateway.store.serving.lease import WriterLease
from gateway.store.sql.database import Database, refuse_network_disk
from gateway.store.sql.dialects import postgres_url
from gateway.transparency import SignatureType, VerifierKey, sign_note

__all__ = ["DiskSorting", "OpenHome", "SystemClock", "create_home", "lies_inside", "log_key", "open_home"]

SORT_BYTES = 128 * 1024 * 1024  # rows held while sorting; more goes to the home's disk


@dataclass(frozen=True, slots=True)
class DiskSorting:
    """Sorts on disk, in temporary files below ``folder``."""

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
    lease: WriterLease | None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one that writes: by a lock of the home, and by a lease where several hosts may come.

        Raises:
            HomeBusy: another process writes to this home.
        """
        with self.home.writing(), self.lease.held() if self.lease else nullcontext():
            yield

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

    def http_signer(self) -> Signer:
        """Return the signer of what this home sends to others."""
        return FileSigner(self.home.keys / "http", "http")

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
    root: Path, *, origin: str = "", profile: Profile = "default", database: str = ""
) -> HomeFacts:
    """Make a new home: keys, trust files, database, and a log that announces the keys.

    Args:
        root: the folder, empty or not there yet.
        origin: the log's name; random if empty.
        profile: ``test`` admits illustrative mappings.
        database: the address of an empty PostgreSQL database; TANQIAO_DATABASE if empty, else a file.

    Raises:
        LocalFileError: there is something at that place already, or that database is in use.
    """
    home, clock, settings = Home(root), SystemClock(), read_settings()
    if profile == "production":
        _require_state_apart(settings, root)
    root.mkdir(parents=True, exist_ok=True)
    address = kept_address(database, settings)
    if not address:
        refuse_network_disk(root)
    with home.writing():
        home.begin_making()
        name = (origin or f"tanqiao-{secrets.token_hex(4)}") + ("-test" if profile == "test" else "")
        facts = HomeFacts(
            origin=name, issuer=name, profile=profile, created=instant_text(clock.now()), database=address
        )
        with closing(checkpoint_store(facts, settings)) as store:
            if store.latest(name) is not None:
                raise LocalFileError(
                    f"the checkpoint store knows a log named {name} already", remedy="choose another --origin"
                )
            _found(home, facts, store=store)
    with open_home(root, writing=True):
        pass
    return facts


def _require_state_apart(settings: Settings, root: Path) -> None:
    if not settings.state_named:
        raise LocalFileError(
            "expected TANQIAO_STATE to name the folder of the checkpoint store, it is not set",
            field="TANQIAO_STATE",
            remedy="set it for this and all later commands, to a folder outside of the home and its backups",
        )
    if lies_inside(settings.state, root):
        raise LocalFileError(
            f"the checkpoint store {settings.state} would lie inside of the home {root}",
            field="TANQIAO_STATE",
            remedy="choose a folder outside: a backup of the home must not put it back",
        )


def lies_inside(path: Path, folder: Path) -> bool:
    """Tell whether a path is a folder or lies below it, wherever links lead."""
    return path.resolve().is_relative_to(folder.resolve())


def _found(home: Home, facts: HomeFacts, *, store: CheckpointStore) -> None:
    log_signer = create_signing_key(home.keys / "log", "log")
    signers = [(purpose, create_signing_key(home.keys / purpose, purpose)) for purpose in ("record", "http")]
    create_index_key(home.keys / "index")
    ring = founding_ring(facts.issuer, signers)
    policy = f"log {log_key(facts.origin, log_signer)}\nquorum none\n"
    trust_files(home, facts, store=store).create(policy.encode(), ring)
    with closing(open_database(home, facts, settings=read_settings())) as database:
        if facts.database:
            WriterLease(database, origin=facts.origin, holder=home.writer()).found()
        for entry in founding_entries(ring, signers[0][1], issued=facts.created):
            SqlJournal(database).queue(entry)
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
    facts, settings = home.facts(), read_settings()
    with (
        closing(checkpoint_store(facts, settings)) as store,
        closing(open_database(home, facts, settings=settings)) as database,
    ):
        opened = _opened(home, facts, store=store, database=database)
        if not writing:
            yield opened
            return
        with opened.writing():
            _bring_up(opened)
            yield opened


def _opened(home: Home, facts: HomeFacts, *, store: CheckpointStore, database: Database) -> OpenHome:
    log_signer = FileSigner(home.keys / "log", "log")
    key = log_key(facts.origin, log_signer)
    lease = WriterLease(database, origin=facts.origin, holder=home.writer()) if facts.database else None
    if lease is not None:
        lease.require_own()
    journal, records = SqlJournal(database), ParquetRecordFiles(home.records)
    findings = NdjsonFindings(home.findings)
    return OpenHome(
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
            after_step=partial(_require_lease, lease),
        ).proving_under(CosignedFiles(home.witnesses).covering),
        trust=trust_files(home, facts, store=store),
        clock=SystemClock(),
        lease=lease,
    )


def _require_lease(lease: WriterLease | None, step: str) -> None:
    """Check before the steps of an append that would overwrite what another host has published since."""
    if lease is not None and step in ("swapped", "tiles published"):
        lease.require()


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


def kept_address(database: str, settings: Settings) -> str:
    """Return the address of the database to note in a new home, without its password; empty: a file.

    Raises:
        LocalFileError: it is no address, or holds a password where everybody sees it.
    """
    if database and postgres_url(database, setting="--database").password:
        raise LocalFileError(
            "--database holds a password, which every process of this machine can see",
            remedy="set TANQIAO_DATABASE instead, or keep the password in PGPASSFILE",
        )
    address = database or settings.database
    if not address:
        return ""
    url = postgres_url(address, setting="TANQIAO_DATABASE")
    return url._replace(password=None).render_as_string(hide_password=False)


def open_database(home: Home, facts: HomeFacts, *, settings: Settings) -> Database:
    """Open a home's database; TANQIAO_DATABASE says how to reach it if it is not a file."""
    if not facts.database:
        return Database(home.database)
    address = settings.database or facts.database
    return Database(postgres_url(address, setting="TANQIAO_DATABASE"), folder=home.root)


def checkpoint_store(facts: HomeFacts, settings: Settings) -> CheckpointStore:
    """Return the checkpoint store of a home; test homes have their own file."""
    if settings.checkpoints:
        return SharedCheckpoints(postgres_url(settings.checkpoints, setting="TANQIAO_CHECKPOINTS"))
    name = "checkpoints-test.db" if facts.profile == "test" else "checkpoints.db"
    return CheckpointFile(settings.state / name)


def trust_files(home: Home, facts: HomeFacts, *, store: CheckpointStore) -> TrustFiles:
    """Return the trust files of a home."""
    return TrustFiles(home.policy, home.key_ring, origin=facts.origin, store=store)


def log_key(origin: str, signer: FileSigner) -> VerifierKey:
    """Return the log's public key under the log's name."""
    return VerifierKey(origin, SignatureType.ED25519, signer.public)
