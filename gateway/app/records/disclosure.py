"""Join the parts of disclosures to an auditor."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.mappings import journal_replayer
from gateway.app.records.check import trusting
from gateway.errors import LocalFileError
from gateway.model.shape import Shape
from gateway.resources import schema
from gateway.service.moments import instant_text
from gateway.service.receipts.disclosing import Disclosing, Scope, Verified, disclose, verify_disclosures
from gateway.service.receipts.proving import RECEIPT_BYTES_MAX
from gateway.store.files.durable import durable_file

__all__ = ["disclosed", "export_disclosure", "verify_disclosure"]


def export_disclosure(root: Path, out: Path, *, scope: Scope, fields: Sequence[str], auditor: str) -> int:
    """Write a disclosure to a file that its owner alone may read; returns the number of records.

    Raises:
        LocalFileError: the file exists, or there is no record in the scope.
    """
    if out.exists():
        raise LocalFileError(f"{out} exists already", remedy="name another file")
    with open_home(root) as opened:
        return _write_private(out, disclosed(opened, scope, fields=fields, auditor=auditor)) - 1


def disclosed(opened: OpenHome, scope: Scope, *, auditor: str, fields: Sequence[str] = ()) -> Iterator[bytes]:
    """Yield the lines of a disclosure to an auditor."""
    parts = Disclosing(
        issuer=opened.facts.issuer,
        journal=opened.journal,
        records=opened.records,
        log=opened.log,
        replayer=journal_replayer(opened.journal),
    )
    made = instant_text(opened.clock.now())
    return disclose(scope, fields, auditor=auditor, made=made, parts=parts)


def _write_private(out: Path, lines: Iterator[bytes]) -> int:
    number = 0
    with durable_file(out, mode=0o600) as file:
        for number, line in enumerate(lines, 1):  # noqa: B007 - the last number is the answer
            file.write(line + b"\n")
    return number


def verify_disclosure(path: Path, trust: Path, *, mappings: Sequence[Path] = ()) -> Verified:
    """Verify a disclosure under somebody's own trust files; needs no home."""
    with path.open("rb") as file:
        lines = iter(lambda: file.readline(RECEIPT_BYTES_MAX + 2), b"")
        checks = trusting(trust, mappings=mappings)
        return verify_disclosures(lines, checks, shape=Shape(schema("disclosure")))
