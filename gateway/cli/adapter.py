"""``adapter list | explain | check | new``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.output import FormatOption, LangOption, emit_rows, hint, say
from gateway.errors import ChecksFailed

if TYPE_CHECKING:
    from gateway.conformance import Result

__all__ = ["app"]

app = typer.Typer()


@app.command("list")
def list_(format_: FormatOption) -> None:
    """List the installed adapters; one that cannot be used is listed with its fault.

    Examples:

        tanqiao adapter list
    """
    from gateway.app.reviewing.review import adapters

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
    from gateway.app.base.mappings import Reading
    from gateway.app.reviewing.review import explain_row

    for line in explain_row(
        file, row, reading=Reading(adapter, mapping, platform), lang="zh" if lang == "zh" else "en"
    ):
        say(line)


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="The adapter; `tanqiao adapter list` shows them.")],
    format_: FormatOption,
    files: Annotated[
        list[Path], typer.Argument(help="Samples that belong together, of at most 64 KiB each.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    mapping: Annotated[
        str, typer.Option(help="Mapping id or YAML file, whose source.format says how samples are written.")
    ] = "",
    variants: Annotated[int, typer.Option(help="How many damaged variants of each sample.", min=0)] = 120,
    seed: Annotated[int, typer.Option(help="Another one gives other damage.")] = 0,
) -> None:
    """Check that an adapter keeps its contract, on samples and on damaged variants of them.

    Examples:

        tanqiao adapter check common

        tanqiao adapter check common trips.ndjson --mapping cn-420100/wuhan/travel --variants 1000
    """
    from gateway.app.reviewing.conforming import check_adapter

    results = check_adapter(name, files, mapping=mapping, variants=variants, seed=seed)
    emit_rows(map(_told, results), format_)
    if not files:
        hint("no samples given: what needs rows was not tried")
    if failed := [result.check for result in results if result.failed]:
        raise ChecksFailed(
            f"adapter {name} failed {len(failed)} of {len(results)} checks: {', '.join(failed)}",
            remedy="the findings name documents; docs/reference/conformance.md says what each check asks",
        )


def _told(result: "Result") -> dict[str, object]:
    told = {name: value for name, value in result._asdict().items() if name != "check"}
    return {"check": result.check, "outcome": result.outcome, **told}


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="A word of small letters, digits and _, such as yunxi_bike.")],
    into: Annotated[Path, typer.Option(help="The folder to make; there must be nothing in it.")],
) -> None:
    """Write a new adapter distribution that works: code, sample, mapping and tests, to be changed.

    Examples:

        tanqiao adapter new yunxi_bike --into yunxi-bike-tanqiao
    """
    from gateway.app.scaffold import write_distribution

    for path in write_distribution(name, into):
        say(str(path))
