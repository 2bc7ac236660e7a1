"""``witness trust | quorum | policy | collect | status``: have the own log witnessed."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows, hint

__all__ = ["register"]


def register(group: typer.Typer) -> None:
    """Add the commands to the group of witnesses."""
    group.command("trust")(trust)
    group.command("quorum")(quorum)
    group.command("policy")(policy)
    group.command("collect")(collect)
    group.command("status")(status)


def trust(
    name: Annotated[str, typer.Argument(help="The witness's name inside the policy.")],
    vkey: Annotated[str, typer.Argument(help="Its verifier key, from a source that you trust.")],
    home: HomeOption,
    format_: FormatOption,
    url: Annotated[str, typer.Option(help="Where it is asked; without one it is never asked.")] = "",
) -> None:
    """List a witness in trust/policy. It counts once the quorum names it: see `witness quorum`.

    Examples:

        tanqiao witness trust shanghai "$VKEY" --url https://witness.example.cn --home ./home
    """
    from gateway.app.log.policy import trust_witness

    emit(trust_witness(Path(home), name, vkey=vkey, url=url), format_)
    hint("give trust/policy to those who verify receipts; say how many count: tanqiao witness quorum")


def quorum(
    rule: Annotated[str, typer.Argument(help="all, any, none, or a number of witnesses.")],
    home: HomeOption,
    format_: FormatOption,
    names: Annotated[list[str] | None, typer.Argument(help="Of these witnesses; of all if left out.")] = None,
) -> None:
    """Say how many witnesses must have cosigned a checkpoint; replaces the groups of trust/policy.

    Examples:

        tanqiao witness quorum 2 shanghai shenzhen coordinator --home ./home

        tanqiao witness quorum none --home ./home
    """
    from gateway.app.log.policy import set_quorum

    emit(set_quorum(Path(home), rule, names=names or []), format_)


def policy(
    file: Annotated[Path, typer.Argument(help="A policy (C2SP tlog-policy) that lists this home's log.")],
    home: HomeOption,
    format_: FormatOption,
) -> None:
    """Put a whole policy in place: for groups of groups, or to take a witness out.

    Examples:

        tanqiao witness policy ./policy --home ./home
    """
    from gateway.app.log.policy import replace_policy

    emit(replace_policy(Path(home), file), format_)


def collect(
    home: HomeOption,
    format_: FormatOption,
    seconds: Annotated[int, typer.Option(min=1, help="How long to wait for the quorum.")] = 30,
) -> None:
    """Have the newest checkpoint witnessed, for homes that are not served; `serve` does it by itself.

    Leaves with 1 while the quorum is not reached.

    Examples:

        tanqiao witness collect --home ./home --seconds 60
    """
    from gateway.app.log.cosigning import collect

    emit(collect(Path(home), seconds=seconds), format_)


def status(home: HomeOption, format_: FormatOption) -> None:
    """List the witnesses of the policy: the size that each cosigned last, and what is wrong with it.

    Examples:

        tanqiao witness status --home ./home
    """
    from gateway.app.log.policy import policy_status

    emit_rows(policy_status(Path(home)), format_)
