"""``adapter list | explain``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, LangOption, emit_rows, say

__all__ = ["app"]

app = typer.Typer()


@app.command("list")
def list_(format_: FormatOption) -> None:
    """List the installed adapters; one that cannot be used is listed with its fault.

    Examples:

        tanqiao adapter list
    """
    from gateway.app.review import adapters

    emit_rows(adapters(), format_)


@app.command("explain")
def explain(
    file: Annotated[Path, typer.Argument(help="The platform's file.")],
    row: Annotated[int, typer.Option(help="The row's number; rows count from 1, the header is none.")],
    lang: LangOption,
    adapter: Annotated[str, typer.Option(help="`tanqiao adapter list` shows them.")] = "common",
    mapping: Annotated[
        list[str], typer.Option(help="Mapping id, or the path of a YAML file; repeat for several versions.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    platform: Annotated[str, typer.Option(help="REGION/NAME, to choose its mapping.")] = "",
) -> None:
    """Explain one row: every number from the source to the result, with the figure's source.

    Examples:

        tanqiao adapter explain trips.ndjson --row 1 --mapping cn-420100/wuhan/travel

        tanqiao adapter explain trips.ndjson --row 1 --mapping cn-420100/wuhan/travel --lang zh
    """
    from gateway.app.mappings import Reading
    from gateway.app.review import explain_row

    for line in explain_row(
        file, row, reading=Reading(adapter, mapping, platform), lang="zh" if lang == "zh" else "en"
    ):
        say(line)
