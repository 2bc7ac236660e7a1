"""``receipt show | verify``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, hint

__all__ = ["app"]

app = typer.Typer()


@app.command("show")
def show(
    record_id: Annotated[str, typer.Argument(help="The record's id.")],
    home: HomeOption,
    disclose: Annotated[
        list[str], typer.Option(help="Open a commitment: event or subject; repeat for both.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Write the receipt of a record as one line of JSON.

    Examples:

        tanqiao receipt show 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home > receipt.json

        tanqiao receipt show 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home --disclose event
    """
    from gateway.app.check import receipt_of
    from gateway.errors import UsageError

    if unknown := set(disclose) - {"event", "subject"}:
        raise UsageError(
            f"a record does not commit to {', '.join(sorted(unknown))}", remedy="use event or subject"
        )
    sys.stdout.write(receipt_of(Path(home), record_id, disclose=disclose).decode() + "\n")


@app.command("verify")
def verify(
    receipt: Annotated[Path, typer.Argument(help="The receipt's file.")],
    trust: Annotated[Path, typer.Option(help="Your folder with `policy` and `keys.json`.")],
    format_: FormatOption,
    mapping: Annotated[
        list[Path], typer.Option(help="The mapping's YAML file: recomputes the quantity; repeat for more.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Verify a receipt offline, under your own trust files. Leaves with 0, or says what does not hold.

    Examples:

        tanqiao receipt verify receipt.json --trust ./trust

        tanqiao receipt verify receipt.json --trust ./trust --mapping travel.v2.yaml
    """
    from gateway.app.check import verify_receipt

    record = verify_receipt(receipt, trust, mappings=mapping)
    emit({"verified": True, "recomputed": bool(mapping), "record": record}, format_)
    if not mapping:
        hint("the quantity was not recomputed: give the mapping with --mapping")
