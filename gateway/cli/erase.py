"""``erase``: forget a person on request."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, hint, progress
from gateway.cli.private_text import private_text

__all__ = ["register"]


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("erase")(erase)


def erase(
    home: HomeOption,
    format_: FormatOption,
    platform: Annotated[str, typer.Option(help="REGION/NAME: whose account it is.")],
    person: Annotated[
        str,
        typer.Argument(
            help="The platform's own account id; `-` reads it from stdin. Asked for unseen if left out."
        ),
    ] = "",
    person_file: Annotated[
        Path | None, typer.Option(help="A file that has the account id and nothing else.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count and change nothing.")] = False,
) -> None:
    """Forget a person: what names them is emptied, and every record, root and receipt stays valid.

    It cannot be undone. What is written on the command line can be seen by others and stays in the
    shell's history, so hand the account over by stdin or by a file. Only counts are printed.

    Examples:

        tanqiao erase --home ./home --platform cn-420100/wuhan --dry-run

        tanqiao erase --home ./home --platform cn-420100/wuhan - < account.txt

        tanqiao erase --home ./home --platform cn-420100/wuhan --person-file account.txt
    """
    from gateway.app.records.erase import erase as run_erase

    account = private_text(person, person_file, what="account")
    with progress("erasing") as watch:
        erased = run_erase(Path(home), account, platform=platform, dry_run=dry_run, watch=watch)
    emit(
        {
            "records": erased.records,
            "record_files": erased.record_files,
            "rows_set_aside": erased.rows_set_aside,
            "files_set_aside": erased.files_set_aside,
            "file_names": erased.file_names,
            "findings": erased.findings,
            "links": erased.links,
            "orders": erased.orders,
            "log_entry": erased.log_entry,
            "dry_run": dry_run,
        },
        format_,
    )
    if not dry_run:
        hint("backups and the platform's own files are out of reach: docs/howto/forget-a-person.md")
