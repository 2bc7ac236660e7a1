"""``convert``: files become signed, logged records."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, hint, progress

if TYPE_CHECKING:
    from gateway.service.acts.submission import Summary

__all__ = ["register"]


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("convert")(convert)


def convert(
    files: Annotated[list[Path], typer.Argument(help="CSV, NDJSON, Parquet or JSON; plain, .gz or .zst.")],
    home: HomeOption,
    format_: FormatOption,
    adapter: Annotated[str, typer.Option(help="`tanqiao adapter list` shows them.")] = "common",
    mapping: Annotated[
        list[str], typer.Option(help="Mapping id, or the path of a YAML file; repeat for several versions.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    platform: Annotated[str, typer.Option(help="REGION/NAME, to choose its mapping.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count and write nothing.")] = False,
) -> None:
    """Convert a platform's activity files into signed records; what cannot be counted is set aside.

    The same event is counted once, however often and in whatever file it comes. A run that was
    killed goes on where it was when the same command is given again.

    Examples:

        tanqiao convert --home ./home --mapping cn-420100/wuhan/travel trips.ndjson

        tanqiao convert --home ./home --adapter shenzhen_transit *.csv.gz --format json

        tanqiao convert --home ./home --mapping cn-420100/wuhan/travel trips.ndjson --dry-run
    """
    from gateway.app.base.mappings import Reading
    from gateway.app.records.convert import convert_files
    from gateway.service.acts.submission import summary_document

    with progress("converting") as watch:
        summary = convert_files(
            Path(home),
            files,
            reading=Reading(adapter, mapping, platform),
            dry_run=dry_run,
            watch=watch,
        )
    emit(summary_document(summary), format_)
    _explain_rejections(Path(home), summary, say=hint)


def _explain_rejections(home: Path, summary: "Summary", *, say: Callable[[str], None]) -> None:
    rejected = sum(summary.counts.rejected.values())
    if rejected and not summary.dry_run:
        say(f"{rejected:,} set aside, each with its reason: {home / 'quarantine' / summary.submission}")
        say("what a reason means and how to mend it: docs/reference/rejections.md")
    findings = sum(summary.counts.findings.values())
    if findings and not summary.dry_run:
        say(f"{findings:,} findings about accepted acts, to be looked at by people: {home / 'findings'}")
