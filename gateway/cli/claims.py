"""``claims list | show | close`` and ``withdraw``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows

__all__ = ["app", "register"]

app = typer.Typer()
RecordArgument = Annotated[str, typer.Argument(help="The record's id: 32 hexadecimal digits.")]


def register(root: typer.Typer) -> None:
    """Add what is no subcommand to the root."""
    root.command("withdraw")(withdraw)


@app.command("list")
def list_(
    home: HomeOption,
    format_: FormatOption,
    platform: Annotated[str, typer.Option(help="REGION/NAME on either side; all if left out.")] = "",
) -> None:
    """List the records that do not count, why, and which record counts instead.

    Both sides of a pair are shown, so this is for the coordinator and not for a platform.

    Examples:

        tanqiao claims list --home ./home

        tanqiao claims list --home ./home --platform cn-420100/wuhan --format json
    """
    from gateway.app.records.claims import listed

    emit_rows(listed(Path(home), platform=platform), format_)


@app.command("show")
def show(record_id: RecordArgument, home: HomeOption, format_: FormatOption) -> None:
    """Show whether a record counts, and, while its day is open, what it is compared with.

    Examples:

        tanqiao claims show 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home
    """
    from gateway.app.records.claims import show as run_show

    emit(run_show(Path(home), record_id), format_)


@app.command("close")
def close(
    day: Annotated[str, typer.Argument(help="YYYY-MM-DD: the last day to close.")],
    home: HomeOption,
    format_: FormatOption,
) -> None:
    """Close the claims of all days up to one: what counts stays, and the times of acts are deleted.

    Possible from three days after the day on. Every conversion does the same as time passes.

    Examples:

        tanqiao claims close 2025-03-16 --home ./home
    """
    from gateway.app.records.claims import close as run_close

    emit({"closed_through": run_close(Path(home), day)}, format_)


def withdraw(record_id: RecordArgument, home: HomeOption, format_: FormatOption) -> None:
    """Withdraw a record by a logged reversal; another record of the same act counts in its place.

    Possible until the claims of its day close, three days after the act. It cannot be undone.

    Examples:

        tanqiao withdraw 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home
    """
    from gateway.app.records.claims import withdraw as run_withdraw

    withdrawn = run_withdraw(Path(home), record_id)
    emit({"record": record_id, "restored": withdrawn.restored, "log_entries": withdrawn.log_entries}, format_)
