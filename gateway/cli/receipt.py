"""``receipt show | verify``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import (
    DiscloseOption,
    FormatOption,
    HomeOption,
    MappingOption,
    emit,
    hint,
    require_committed,
)

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
    from gateway.app.check import receipt_of

    require_committed(disclose)
    sys.stdout.write(receipt_of(Path(home), record_id, disclose=disclose).decode() + "\n")


@app.command("verify")
def verify(
    receipt: Annotated[Path, typer.Argument(help="The receipt's file.")],
    trust: Annotated[Path, typer.Option(help="Your folder with `policy` and `keys.json`.")],
    format_: FormatOption,
    mapping: MappingOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Verify a receipt offline, under your own trust files. Leaves with 0, or says what does not hold.

    Examples:

        tanqiao receipt verify receipt.json --trust ./trust

        tanqiao receipt verify receipt.json --trust ./trust --mapping travel.v2.yaml
    """
    from gateway.app.check import read_file, verifier

    checks = verifier(read_file(trust / "policy"), read_file(trust / "keys.json"), mappings=mapping)
    record = checks.verify(read_file(receipt).rstrip(b"\n"))
    emit({"verified": True, "recomputed": bool(mapping), "record": record}, format_)
    if not mapping:
        hint("the quantity was not recomputed: give the mapping with --mapping")
