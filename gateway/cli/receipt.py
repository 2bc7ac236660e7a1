"""``receipt show | verify``."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.output import (
    DiscloseOption,
    Format,
    FormatOption,
    HomeOption,
    MappingOption,
    emit,
    hint,
    progress,
    require_committed,
)

if TYPE_CHECKING:
    from gateway.service.receipts.proving import ReceiptVerifier

__all__ = ["app"]

app = typer.Typer()


@app.command("show")
def show(
    record_id: Annotated[str, typer.Argument(help="The record's id.")],
    home: HomeOption,
    disclose: DiscloseOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Write the receipt of a record as one line of JSON.

    Examples:

        tanqiao receipt show 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home > receipt.json

        tanqiao receipt show 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home --disclose event
    """
    from gateway.app.records.check import receipt_of
    from gateway.app.records.claims import word

    require_committed(disclose)
    sys.stdout.write(receipt_of(Path(home), record_id, disclose=disclose).decode() + "\n")
    state = word(Path(home), record_id)
    if state in ("already-claimed", "withdrawn"):
        hint(f"this record does not count ({state}); a receipt proves the record and not that it counts")


@app.command("verify")
def verify(
    receipts: Annotated[
        list[Path], typer.Argument(metavar="RECEIPT...", help="Files, folders, or .ndjson: one a line.")
    ],
    trust: Annotated[Path, typer.Option(help="Your folder with `policy` and `keys.json`.")],
    format_: FormatOption,
    mapping: MappingOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Verify receipts offline, under your own trust files. Leaves with 0, or says what does not hold.

    Of several receipts all are looked at and counted, and the first that do not hold are named.

    Examples:

        tanqiao receipt verify receipt.json --trust ./trust

        tanqiao receipt verify receipt.json --trust ./trust --mapping travel.v2.yaml

        tanqiao receipt verify ./receipts more.ndjson --trust ./trust
    """
    from gateway.app.records.check import trusting, verify_receipt
    from gateway.app.records.receipts import is_one_receipt

    checks = trusting(trust, mappings=mapping)
    if len(receipts) == 1 and is_one_receipt(receipts[0]):
        record = verify_receipt(receipts[0], checks)
        emit({"verified": True, "recomputed": bool(mapping), "record": record}, format_)
    else:
        _verify_many(receipts, checks, recomputed=bool(mapping), form=format_)
    if not mapping:
        hint("the quantity was not recomputed: give the mapping with --mapping")


def _verify_many(
    receipts: Sequence[Path], checks: "ReceiptVerifier", *, recomputed: bool, form: Format
) -> None:
    from gateway.app.records.receipts import verify_receipts
    from gateway.errors import IntegrityBroken
    from gateway.transparency import QuorumPending

    with progress("verifying") as watch:
        found = verify_receipts(receipts, checks, watch=watch)
    counts = {"verified": found.verified, "pending": found.pending, "failed": found.failed}
    data: dict[str, object] = {**counts, "recomputed": recomputed}
    if form is not Format.TABLE:  # on a terminal the lines below say it better
        data["failures"] = [failure._asdict() for failure in found.named]
    emit(data, form)
    for failure in found.named:
        hint(f"{failure.where}: {failure.code}: {failure.message}")
    everything = sum(counts.values())
    if found.failed:
        raise IntegrityBroken(
            f"{found.failed} of {everything} receipts do not hold",
            remedy="do not rely on them; ask their issuer again, and keep them: they are evidence",
        )
    if found.pending:
        raise QuorumPending(f"{found.pending} of {everything} receipts wait for more cosignatures")
