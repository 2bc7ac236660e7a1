"""Join the parts of erasing a person."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.mappings import journal_replayer
from gateway.errors import HomeBusy, UsageError
from gateway.service.erasing import Erased, Erasing, erase_person
from gateway.store.files.durable import remove_folder
from gateway.store.files.inputs import read_small
from gateway.store.files.set_aside import SetAsideFiles
from gateway.store.journal.decisions import SqlJournal
from gateway.store.serving.operations import SqlOperations
from gateway.store.serving.platforms import SqlPlatforms
from gateway.store.sql.database import Database
from gateway.store.sql.group_commit import GroupCommit

__all__ = ["SubmissionsWaiting", "erase", "read_account"]


class SubmissionsWaiting(HomeBusy):
    """The platform has sent acts that are no records yet: the person may be among them."""

    code = "submissions-waiting"
    remedy = "let `tanqiao serve` convert them, then run the command again"


def erase(
    root: Path,
    person: str,
    *,
    platform: str,
    dry_run: bool = False,
    watch: Callable[[int], None] = lambda _rows: None,
) -> Erased:
    """Erase a person from a home; see :func:`gateway.service.erasing.erase_person`.

    Raises:
        UsageError: the home has nothing of that platform.
        SubmissionsWaiting: acts that it sent wait to be converted, and would become records afterwards.
    """
    with (
        open_home(root, writing=not dry_run) as opened,
        TemporaryDirectory(prefix="tanqiao-erase-") as folder,
    ):
        _require_platform(opened, platform)
        _require_nothing_waiting(opened, platform)
        if not dry_run:
            remove_folder(opened.home.scratch())
        books = Database(Path(folder) / "caps.db")
        try:
            return erase_person(person, platform, parts=_erasing(opened, books), dry_run=dry_run, watch=watch)
        finally:
            books.close()


def read_account(file: Path) -> bytes:
    """Read a file that has an account and nothing else."""
    return read_small(file)


def _erasing(opened: OpenHome, books: Database) -> Erasing:
    return Erasing(
        issuer=opened.facts.issuer,
        journal=opened.journal,
        records=opened.records,
        set_aside=SetAsideFiles(opened.home.set_aside_folders),
        findings=opened.findings,
        store=opened.erasures,
        log=opened.log,
        index=opened.index(),
        replayer=journal_replayer(opened.journal),
        caps=SqlJournal(books),
        signers=opened.record_signers(),
        rings=opened.publishing_rings,
        clock=opened.clock,
        random_bytes=os.urandom,
    )


def _require_nothing_waiting(opened: OpenHome, platform: str) -> None:
    with GroupCommit(opened.database) as writes:
        waiting = SqlOperations(opened.database, writes).waiting(platform)
    if waiting:
        raise SubmissionsWaiting(f"{waiting} submissions of {platform} wait to be converted")


def _require_platform(opened: OpenHome, platform: str) -> None:
    described = opened.erasures.descriptions().values()
    known = {str(said["scheme"]).rpartition("/")[0] for said in described}
    known |= opened.journal.claims.linked_platforms()
    known |= {one.id for one in SqlPlatforms(opened.database).platforms()}
    if platform not in known:
        raise UsageError(
            f"this home has nothing of a platform {platform}",
            remedy=f"it has something of: {', '.join(sorted(known)) or 'none'}",
        )
