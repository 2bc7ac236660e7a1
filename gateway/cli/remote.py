"""``submit``, ``platform enrol`` and ``receipt fetch``: a platform speaks to a gateway."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import Format, FormatOption, emit, emit_rows, hint

__all__ = ["enrol", "fetch", "register"]

ToOption = Annotated[str, typer.Option(help="The gateway's address, such as https://gw.example.")]
KeyOption = Annotated[Path, typer.Option(help="The platform's private key: `tanqiao keys new`.")]


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("submit")(submit)


def submit(
    files: Annotated[list[Path], typer.Argument(help="Files as the mapping reads them.")],
    to: ToOption,
    key: KeyOption,
    mapping: Annotated[str, typer.Option(help="The mapping's id at the gateway.")],
    format_: FormatOption,
    rejected: Annotated[
        Path | None, typer.Option(help="Write here which rows were refused, and why: one JSON object a line.")
    ] = None,
) -> None:
    """Submit files to a gateway and wait for what became of them.

    The same command again gets the same answer: nothing is counted twice.

    Examples:

        tanqiao submit trips.ndjson --to https://gw.example --key wuhan.key --mapping cn-420100/wuhan/travel
        tanqiao submit a.csv b.csv --to https://gw.example --key city.key --mapping ID --rejected bad.ndjson
    """
    from gateway.app.serving.remote import submit_files

    ended = submit_files(to, key, mapping=mapping, files=files, say=hint, rejected=rejected)
    if format_ is Format.TABLE:
        for one in ended:  # as `convert` shows it: a summary does not fit into a column
            summary = one.pop("summary", {})
            emit({**one, **summary}, format_)
    else:
        emit_rows(ended, format_)


def enrol(
    platform: Annotated[str, typer.Argument(help="REGION/NAME, such as cn-420100/wuhan.")],
    to: ToOption,
    key: KeyOption,
    format_: FormatOption,
) -> None:
    """Hand in a platform's key at a gateway; the code of the invitation is read from standard input.

    Examples:

        tanqiao platform enrol cn-420100/wuhan --to https://gw.example --key wuhan.key < code.txt
    """
    from gateway.app.serving.remote import enrol

    code = typer.get_text_stream("stdin").readline().strip()
    emit(enrol(to, key, platform=platform, code=code), format_)


def fetch(
    record: Annotated[str, typer.Argument(help="The record's id.")],
    to: ToOption,
    key: KeyOption,
    out: Annotated[Path, typer.Option(help="Where to write the receipt.")],
    batch: Annotated[int | None, typer.Option(help="The batch that the outcome named: quicker.")] = None,
) -> None:
    """Fetch the receipt of a record from a gateway.

    Examples:

        tanqiao receipt fetch RECORD --to https://gw.example --key wuhan.key --out receipt.json
    """
    from gateway.app.serving.remote import fetch_receipt

    fetch_receipt(to, key, record=record, batch=batch, out=out)
