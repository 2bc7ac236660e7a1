"""``agreement``: what two platforms agree about points that move between them."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows, hint, say

__all__ = ["app"]

app = typer.Typer()
SourceOption = Annotated[str, typer.Option("--from", help="REGION/NAME: the platform that burns points.")]
DestinationOption = Annotated[str, typer.Option("--to", help="REGION/NAME: the platform that issues points.")]
KeyOption = Annotated[Path, typer.Option(help="The private key of the party that signs: `tanqiao keys new`.")]
FileArgument = Annotated[Path, typer.Argument(help="The document, as `draft` or `sign` wrote it.")]
MappingsOption = Annotated[
    list[Path], typer.Option("--mapping", help="A mapping's YAML file that is not shipped; repeat for more.")
]
DigestArgument = Annotated[str, typer.Argument(metavar="DIGEST", help="sha256:…, from `agreement list`.")]


@app.command("draft")
def draft(
    home: HomeOption,
    format_: FormatOption,
    source: SourceOption,
    destination: DestinationOption,
    out: Annotated[Path, typer.Option(help="Where to write the draft.")],
    mapping: MappingsOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Write a draft of the next version: what both platforms count, with careful figures to talk about.

    Every figure is a proposal. Edit the file, then have both platforms sign it.

    Examples:

        tanqiao agreement draft --from cn-420100/wuhan --to cn-440300/shenzhen --out draft.json --home ./home
    """
    from gateway.app.transfers.agreements import Corridor, draft

    emit(draft(Path(home), Corridor(source, destination), out=out, mappings=mapping), format_)
    hint("the figures are proposals: edit the file before anybody signs it")


@app.command("sign")
def sign(file: FileArgument, key: KeyOption, format_: FormatOption) -> None:
    """Sign a draft, or what the other party has signed already; the signature is added to the file.

    Examples:

        tanqiao agreement sign draft.json --key wuhan.key
    """
    from gateway.app.transfers.agreements import sign

    emit(sign(file, key=key), format_)


@app.command("publish")
def publish(
    file: FileArgument,
    home: HomeOption,
    format_: FormatOption,
    mapping: MappingsOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Check a document that its parties have signed, and announce it in the log.

    The rules that an agreement names are published before it. It ends its predecessor on its first day.

    Examples:

        tanqiao agreement publish agreement.json --home ./home
    """
    from gateway.app.transfers.agreements import publish

    emit(publish(Path(home), file, mappings=mapping), format_)


@app.command("list")
def list_(
    home: HomeOption,
    format_: FormatOption,
    source: SourceOption = "",
    destination: DestinationOption = "",
) -> None:
    """List agreements, pauses and ends of pauses, in the order in which they came, and what is in force.

    Examples:

        tanqiao agreement list --home ./home

        tanqiao agreement list --home ./home --from cn-420100/wuhan --format json
    """
    from gateway.app.transfers.agreements import Corridor, listed

    emit_rows(listed(Path(home), Corridor(source, destination)), format_)


@app.command("show")
def show(digest: DigestArgument, home: HomeOption) -> None:
    """Show a document with its signatures, as JSON.

    Examples:

        tanqiao agreement show sha256:6f1c…b2 --home ./home
    """
    import json

    from gateway.app.transfers.agreements import show

    say(json.dumps(show(Path(home), digest), ensure_ascii=False, indent=2))


@app.command("pause")
def pause(
    home: HomeOption,
    format_: FormatOption,
    source: SourceOption,
    destination: DestinationOption,
    key: KeyOption,
    by: Annotated[str, typer.Option(help="Who pauses: REGION/NAME of one of the two, or coordinator.")],
    reason: Annotated[str, typer.Option(help="Why; it is published.")],
    until: Annotated[str, typer.Option(help="Until when at the latest: 2026-12-01T00:00:00Z.")],
) -> None:
    """Pause a corridor at once: nothing more is quoted on it until the pause ends.

    Examples:

        tanqiao agreement pause --from cn-420100/wuhan --to cn-440300/shenzhen --by cn-440300/shenzhen
        --key shenzhen.key --reason "figures under review" --until 2026-12-01T00:00:00Z --home ./home
    """
    from gateway.app.transfers.agreements import Corridor, pause

    corridor = Corridor(source, destination)
    emit(pause(Path(home), corridor, by=by, key=key, reason=reason, until=until), format_)


@app.command("resume")
def resume(digest: DigestArgument, home: HomeOption, format_: FormatOption, key: KeyOption) -> None:
    """End a pause before its time; only who paused the corridor may.

    Examples:

        tanqiao agreement resume sha256:6f1c…b2 --key shenzhen.key --home ./home
    """
    from gateway.app.transfers.agreements import resume

    emit(resume(Path(home), digest, key=key), format_)
