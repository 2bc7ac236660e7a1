"""``corridor export | import | files``: files for platforms that are called by nobody."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows, hint
from gateway.errors import ChecksFailed

__all__ = ["app"]

app = typer.Typer()


@app.command("export")
def export(
    home: HomeOption,
    format_: FormatOption,
    platform: Annotated[str, typer.Option(help="REGION/NAME, whose dialect is `file`.")],
    out: Annotated[Path, typer.Option(help="The folder to write into.")],
) -> None:
    """Write what a platform has to do: a CSV file and its signed manifest. What is not answered comes again.

    Examples:

        tanqiao corridor export --platform cn-440300/shenzhen --out ./outgoing
    """
    from gateway.app.transfers.corridor_files import export_file

    emit(export_file(Path(home), platform, folder=out), format_)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The platform's file; its manifest stands beside it.")],
    home: HomeOption,
    format_: FormatOption,
    report: Annotated[
        Path | None, typer.Option(help="Where to write all refused rows, as lines of JSON.")
    ] = None,
) -> None:
    """Take what a platform did. Rows that cannot be taken are named and keep no other; again changes nothing.

    Examples:

        tanqiao corridor import ./incoming/cn-440300-shenzhen-answer-000001.csv
    """
    from gateway.app.transfers.corridor_files import import_file

    taken = import_file(Path(home), file, report=report)
    summary: dict[str, object] = {
        "platform": taken.platform,
        "sequence": taken.sequence,
        "repeated": taken.repeated,
        "news": taken.news,
        "known": taken.known,
        "refused": taken.refused,
        "missing": [f"{first}-{last}" if first < last else str(first) for first, last in taken.missing],
    }
    emit(summary, format_)
    for one in taken.named:
        hint(f"row {one.row}: {one.code}: {one.detail}; {one.remedy}")
    if taken.refused:
        raise ChecksFailed(
            f"{taken.refused} rows were refused, all others taken",
            remedy="see the rows; with --report FILE all of them are written down",
        )


@app.command("files")
def files(
    home: HomeOption,
    format_: FormatOption,
    platform: Annotated[str, typer.Option(help="Of this platform only: REGION/NAME.")] = "",
) -> None:
    """List the files that were written for platforms and taken from them.

    Examples:

        tanqiao corridor files --platform cn-440300/shenzhen
    """
    from gateway.app.transfers.corridor_files import listed

    emit_rows(listed(Path(home), platform), format_)
