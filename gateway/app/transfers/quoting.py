"""Join the parts of quoting."""

import os

from gateway.app.base.home import OpenHome
from gateway.app.base.kinds import shipped
from gateway.app.base.mappings import Versions, journal_replayer
from gateway.app.log.cosigning import cosigned_of
from gateway.ports import Clock, LotBook
from gateway.service.agreements.book import AgreementBook
from gateway.service.transfers.lots import Lots
from gateway.service.transfers.quoting import Quoting
from gateway.service.transfers.worth import Rulebook
from gateway.service.witnesses.quorum import is_witnessed
from gateway.store.journal.person_rows import PersonRows
from gateway.transparency import read_checkpoint, read_note, read_policy

__all__ = ["quoting", "witnessed_entries"]


def quoting(opened: OpenHome, *, book: LotBook, versions: Versions, clock: Clock | None = None) -> Quoting:
    """Return the parts of quoting; ``book`` knows what has become of lots."""
    replayer = journal_replayer(opened.journal)
    return Quoting(
        issuer=opened.facts.issuer,
        lots=Lots(
            issuer=opened.facts.issuer,
            journal=opened.journal,
            records=PersonRows(opened.database, opened.journal, files=opened.records),
            kinds=shipped(),
            replayer=replayer,
            rules=Rulebook(opened.journal.mappings, replayer.program, versions),
            book=book,
        ),
        agreements=AgreementBook(opened.journal.corridors),
        witnessed=lambda: witnessed_entries(opened),
        signers=opened.record_signers(),
        clock=clock or opened.clock,
        random_bytes=os.urandom,
    )


def witnessed_entries(opened: OpenHome) -> int:
    """Return how many entries of the log stand under a checkpoint that has the policy's quorum."""
    policy, cosigned = read_policy(opened.trust.policy()), cosigned_of(opened)
    for note in (cosigned.published(opened.log.checkpoint), cosigned.witnessed()):
        if note and is_witnessed(policy, note):
            return read_checkpoint(read_note(note).text).tree_size
    return 0
