"""``transfer``: points that move from one platform to another."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, LangOption, emit, emit_rows, hint

__all__ = ["app"]

app = typer.Typer()
SourceOption = Annotated[str, typer.Option("--from", help="REGION/NAME: the platform that burns points.")]
DestinationOption = Annotated[str, typer.Option("--to", help="REGION/NAME: the platform that issues points.")]
MappingsOption = Annotated[
    list[Path], typer.Option("--mapping", help="A mapping's YAML file that is not shipped; repeat for more.")
]
PlatformOption = Annotated[str, typer.Option("--platform", help="Of this platform only: REGION/NAME.")]


@app.command("quote")
def quote(
    home: HomeOption,
    format_: FormatOption,
    lang: LangOption,
    source: SourceOption,
    destination: DestinationOption,
    account: Annotated[str, typer.Option(help="The person's account at the source.")],
    out: Annotated[Path, typer.Option(help="Where to write the signed quote.")],
    points: Annotated[int | None, typer.Option(help="How many points are to move.")] = None,
    record: Annotated[list[str], typer.Option(help="A record that is to move; repeat for more.")] = [],  # noqa: B006 - typer reads the default, nothing changes it
    mapping: MappingsOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Say how many points would arrive, and why, one sentence for each rule. Nothing is reserved.

    Examples:

        tanqiao transfer quote --from cn-420100/wuhan --to cn-440300/shenzhen --account u-1 --points 9 --out q
    """
    from gateway.app.transfers.operating import Corridor, Wish, quote

    wish = Wish(Corridor(source, destination), account, points, record)
    emit(quote(Path(home), wish, out=out, lang=lang.value, mappings=mapping), format_)
    hint("the quote holds for five minutes: tanqiao transfer start")


@app.command("start")
def start(
    file: Annotated[Path, typer.Argument(help="The quote, as `transfer quote` wrote it.")],
    home: HomeOption,
    format_: FormatOption,
    source_account: Annotated[str, typer.Option(help="The person's account at the source.")],
    destination_account: Annotated[str, typer.Option(help="The person's account at the destination.")],
    id_: Annotated[str, typer.Option("--id", help="The transfer's id; a new one if left out.")] = "",
    mapping: MappingsOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Move what was quoted; the same id gets the same answer. `tanqiao serve` carries it out.

    Examples:

        tanqiao transfer start quote.json --source-account u-1 --destination-account v-7
    """
    from gateway.app.transfers.operating import new_id, require_accepted, start

    name = id_ or new_id()
    hint(f"transfer {name}: keep the id, and repeat with --id if no answer comes")
    accounts = (source_account, destination_account)
    answer = start(Path(home), file, name=name, accounts=accounts, mappings=mapping)
    emit(answer, format_)
    require_accepted(answer)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="tr_ and 26 characters.")],
    home: HomeOption,
    format_: FormatOption,
) -> None:
    """Say how a transfer stands.

    Examples:

        tanqiao transfer show tr_0000000000000000000000000A
    """
    from gateway.app.transfers.operating import show

    emit(show(Path(home), name), format_)


@app.command("list")
def list_(
    home: HomeOption,
    format_: FormatOption,
    platform: PlatformOption = "",
    after: Annotated[str, typer.Option(help="Those behind this id.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many at most.")] = 100,
) -> None:
    """List transfers by their ids.

    Examples:

        tanqiao transfer list --platform cn-420100/wuhan
    """
    from gateway.app.transfers.operating import listed

    emit_rows(listed(Path(home), platform, after=after, limit=limit), format_)


@app.command("publish")
def publish(home: HomeOption, format_: FormatOption) -> None:
    """Put every decision into the public log that is not there yet; `tanqiao serve` does so by itself.

    Examples:

        tanqiao transfer publish
    """
    from gateway.app.log.decision_log import publish_decisions

    emit(publish_decisions(Path(home)), format_)


@app.command("receipt")
def receipt(name: Annotated[str, typer.Argument(metavar="ID", help="tr_…")], home: HomeOption) -> None:
    """Write what proves the decision on a transfer, as one line of JSON.

    Examples:

        tanqiao transfer receipt tr_0000000000000000000000000A > decision.json
    """
    from gateway.app.log.decision_log import decision_receipt

    sys.stdout.write(decision_receipt(Path(home), name).decode() + "\n")


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="What `transfer receipt` wrote.")],
    trust: Annotated[Path, typer.Option(help="Your folder with `policy` and `keys.json`.")],
    format_: FormatOption,
) -> None:
    """Verify what proves a decision, offline, under your own trust files.

    Examples:

        tanqiao transfer verify decision.json --trust ./trust
    """
    from gateway.app.log.decision_log import verify_decision

    emit({"verified": True, "decision": verify_decision(file, trust)}, format_)


@app.command("positions")
def positions(home: HomeOption, format_: FormatOption, platform: PlatformOption = "") -> None:
    """List what platforms owe each other, in mg of recognised CO2e, and up to what.

    Examples:

        tanqiao transfer positions
    """
    from gateway.app.transfers.operating import positions

    emit_rows(positions(Path(home), platform), format_)
