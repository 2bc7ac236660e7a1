"""``statements close``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit

__all__ = ["app"]

app = typer.Typer()


@app.callback()
def statements() -> None:
    """Close days."""


@app.command("close")
def close(
    day: Annotated[str, typer.Argument(help="YYYY-MM-DD, or `unreadable` for rejected rows without a day.")],
    home: HomeOption,
    format_: FormatOption,
    platform: Annotated[
        str, typer.Option(help="REGION/NAME; all platforms with acts that day if left out.")
    ] = "",
) -> None:
    """Publish what a platform's day adds up to; cells of fewer than ten persons are merged or withheld.

    Possible from three days after the day on. What comes later goes into a numbered supplement.

    Examples:

        tanqiao statements close 2025-03-16 --home ./home

        tanqiao statements close unreadable --home ./home --platform cn-420100/wuhan
    """
    from gateway.app.records.days import close_day_of

    emit(close_day_of(Path(home), day, platform=platform), format_)
