"""``mapping diff | compare | backtest | docs``: what a coordinator reviews mappings with."""

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import (
    Format,
    FormatOption,
    HomeOption,
    LangOption,
    emit,
    emit_rows,
    hint,
    progress,
    say,
)
from gateway.model.visible import visible

__all__ = ["register"]


class TableFormat(StrEnum):
    """How a table is written: as other data, or for a spreadsheet."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


def _default_format() -> TableFormat:
    return TableFormat.TABLE if sys.stdout.isatty() else TableFormat.JSON


TableFormatOption = Annotated[
    TableFormat,
    typer.Option("--format", default_factory=_default_format, help="How to write data; JSON when piped."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of reviewing."""
    app.command("diff")(diff)
    app.command("compare")(compare)
    app.command("backtest")(backtest)
    app.command("docs")(docs)


def diff(
    old: Annotated[str, typer.Argument(help="The old version: a YAML file, or a shipped one as ID@VERSION.")],
    new: Annotated[str, typer.Argument(help="The new version.")],
    format_: FormatOption,
    lang: LangOption,
    as_of: Annotated[
        str, typer.Option(help="The day on which the new version is published; today if left out.")
    ] = "",
) -> None:
    """Say what a new version changes by meaning: each change editorial, forward-only or retroactive.

    Retroactive is what changes acts of days before the publication that the old version counts. Leaves with 1
    if there is such a change.

    Examples:

        tanqiao mapping diff cn-420100/wuhan/travel@1 cn-420100/wuhan/travel@2

        tanqiao mapping diff mappings/cn-420100-wuhan/travel.v2.yaml travel.v3.yaml --as-of 2026-12-01
    """
    from gateway.app.reviewing.differing import day_of, diff_mappings, program_named
    from gateway.errors import ChecksFailed

    result = diff_mappings(program_named(old), program_named(new), as_of=day_of(as_of))
    if format_ is Format.TABLE:
        told = [(change["effect"], change[lang]) for change in result["changes"]]  # type: ignore[attr-defined]  # a list
        emit_rows([{"effect": effect, "change": text} for effect, text in told], format_)
        emit({name: value for name, value in result.items() if name != "changes"}, format_)
    else:
        emit(result, format_)
    if result["same_version"]:
        hint("both have the same version number: a published version never changes")
    if result["retroactive"]:
        raise ChecksFailed(
            f"{result['retroactive']} changes are retroactive as of {result['as_of']}",
            remedy="let the version begin on a later day, or say with --as-of when it was published",
        )


def compare(
    format_: TableFormatOption,
    lang: LangOption,
    mapping: Annotated[
        list[Path],
        typer.Option("--mapping", help="A document to compare with the shipped ones; repeat for more."),
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    basket: Annotated[
        Path | None, typer.Option(help="Standard acts (YAML); the shipped basket if left out.")
    ] = None,
    on: Annotated[str, typer.Option(help="The day whose versions are asked; today if left out.")] = "",
    every_version: Annotated[
        bool, typer.Option("--every-version", help="Also versions that are not in force on that day.")
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="Also draw bars into this file (SVG).")] = None,
) -> None:
    """Ask every mapping for the same standard acts: grams and points before caps, or why there are none.

    The figures are those that mappings declare, most of them from the press: not official.

    Examples:

        tanqiao mapping compare

        tanqiao mapping compare --every-version --format csv --plot disparity.svg
    """
    from gateway.app.reviewing.comparing import cells_of, told_cells, write_plot
    from gateway.app.reviewing.differing import day_of

    cells = cells_of(mapping, basket=basket, on=day_of(on), which="all" if every_version else "in force")
    rows = told_cells(cells, lang.value)
    if format_ is TableFormat.CSV:
        say(_csv(rows))
    elif format_ is TableFormat.TABLE:
        emit_rows(map(_narrow, rows), Format.TABLE)
    else:
        emit_rows(rows, Format(format_.value))
    if plot is not None:
        write_plot(plot, cells, lang=lang.value)


def _narrow(row: Mapping[str, str]) -> dict[str, str]:
    """Put a row into five columns, for a terminal."""
    mapping = f"{row['mapping']} v{row['version']}" if row["mapping"] else row["platform"]
    return {
        "act": row["act"],
        "mapping": mapping,
        "g": row["grams"],
        "points": row["points"],
        "as": row["why"] or row["taken_as"],
    }


def _csv(rows: Sequence[Mapping[str, str]]) -> str:
    """Write rows for a spreadsheet; no text of theirs begins a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0].keys() if rows else [])
    writer.writerows([_cell(text) for text in row.values()] for row in rows)
    return out.getvalue().rstrip("\n")


def _cell(text: str) -> str:
    return visible(f"'{text}" if text[:1] in set("=@+-") else text)


def backtest(
    home: HomeOption,
    format_: FormatOption,
    old: Annotated[str, typer.Option(help="The version in force: a YAML file, or ID@VERSION.")],
    new: Annotated[str, typer.Option(help="The version that would follow it.")],
) -> None:
    """Hold two versions against a home's records: what each act would count under either, added up.

    Both are applied as if they were in force on the day of each act. Groups of fewer than ten people are told
    of together or not at all.

    Examples:

        tanqiao mapping backtest --home ./home --old cn-420100/wuhan/travel@1 --new cn-420100/wuhan/travel@2
    """
    from gateway.app.records.backtesting import backtest_home
    from gateway.app.reviewing.differing import program_named

    with progress("backtest") as watch:
        result = backtest_home(Path(home), program_named(old), new=program_named(new), watch=watch)
    if format_ is not Format.TABLE:
        emit(result, format_)
        return
    grouped = {name: rows for name, rows in result.items() if isinstance(rows, list) and name != "movers"}
    emit({name: value for name, value in result.items() if name not in grouped}, format_)
    for name, rows in grouped.items():
        if rows:
            say(f"\n{name}")
            emit_rows(rows, format_)


def docs(
    into: Annotated[Path, typer.Option(help="The folder to write the site into; made if it is not there.")],
    format_: FormatOption,
    mapping: Annotated[
        list[Path], typer.Option("--mapping", help="A document beside the shipped ones; repeat for more.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    on: Annotated[str, typer.Option(help="The day of the site; today if left out.")] = "",
) -> None:
    """Write a site on which people read mappings: rules, figures with sources, tests, lineage, disparity.

    The pages are plain HTML in Chinese and English; they need no server and ask for nothing outside.

    Examples:

        tanqiao mapping docs --into ./site
    """
    from gateway.app.reviewing.differing import day_of
    from gateway.app.reviewing.site import write_site

    emit(write_site(into, mapping, on=day_of(on)), format_)
