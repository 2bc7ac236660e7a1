"""``operator``: tokens for those who run or watch a gateway over HTTP."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows, hint

__all__ = ["app"]

app = typer.Typer()


@app.command("token")
def token(
    home: HomeOption,
    format_: FormatOption,
    role: Annotated[str, typer.Option(help="operator, coordinator or auditor.")] = "operator",
    days: Annotated[int, typer.Option(help="How long it holds, at most 366.")] = 7,
    platform: Annotated[str, typer.Option(help="Of an auditor's grant: REGION/NAME.")] = "",
    from_: Annotated[str, typer.Option("--from", help="Of an auditor's grant: the first day.")] = "",
    to: Annotated[str, typer.Option(help="Of an auditor's grant: the last day.")] = "",
) -> None:
    """Make a token for /v1/admin; it is shown once and kept as a hash.

    An operator admits platforms, a coordinator reads everything and hands in mappings that maintainers have
    signed, an auditor reads the records of its grant.

    Examples:

        tanqiao operator token --home ./home

        tanqiao operator token --home ./home --role auditor --platform cn-420100/wuhan
        --from 2026-11-01 --to 2026-11-30
    """
    from gateway.app.serving.operators import Grant, new_token

    grant = Grant(platform=platform, first_day=from_, last_day=to)
    emit(new_token(Path(home), role, grant=grant, days=days), format_)
    hint("keep the token in a file that only you can read: it is not shown again")


@app.command("list")
def list_tokens(home: HomeOption, format_: FormatOption) -> None:
    """List the tokens: ids, roles, grants, times; never the tokens.

    Examples:

        tanqiao operator list --home ./home
    """
    from gateway.app.serving.operators import tokens

    emit_rows(tokens(Path(home)), format_)


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(metavar="ID", help="The id of a token, from `operator list`.")],
    home: HomeOption,
) -> None:
    """End a token at once.

    Examples:

        tanqiao operator revoke 6f1c0a52b7d94e83 --home ./home
    """
    from gateway.app.serving.operators import revoke

    revoke(Path(home), name)
