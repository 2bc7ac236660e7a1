"""``init`` and ``demo``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, hint

__all__ = ["register"]


def register(root: typer.Typer) -> None:
    """Add the commands to the root."""
    root.command("init")(init)
    root.command("demo")(demo)


def init(
    home: HomeOption,
    format_: FormatOption,
    origin: Annotated[
        str, typer.Option(help="The log's name, such as your host name; random if left out.")
    ] = "",
    profile: Annotated[str, typer.Option(help="default, or test: admits illustrative mappings.")] = "default",
    database: Annotated[
        str, typer.Option(help="Address of an empty PostgreSQL database; without it a file in the home.")
    ] = "",
) -> None:
    """Make a home: keys, trust files, database and an empty log.

    Examples:

        tanqiao init --home ./home

        tanqiao init --home ./try --profile test

        tanqiao init --home /srv/tanqiao --origin gateway.example.cn

        tanqiao init --home /srv/tanqiao --database postgresql://tanqiao@db.example.cn/tanqiao
    """
    from gateway.app.home import create_home
    from gateway.errors import UsageError

    if profile not in ("default", "test"):
        raise UsageError(f"there is no profile {profile}", remedy="use default or test")
    chosen: Literal["test", "default"] = "test" if profile == "test" else "default"
    facts = create_home(Path(home), origin=origin, profile=chosen, database=database)
    emit({"home": home, "origin": facts.origin, "profile": facts.profile, "created": facts.created}, format_)
    hint(f"next: tanqiao convert --home {home} --adapter common --mapping ID FILE")


def demo(
    home: Annotated[
        str, typer.Option(help="Where to put the demo's home; a new temporary folder if left out.")
    ] = "",
    seed: Annotated[int, typer.Option(help="The seed of the sandbox cities' files.")] = 1,
) -> None:
    """Run the main job on sandbox cities: convert, audit, explain, verify, tamper.

    Examples:

        tanqiao demo

        tanqiao demo --home ./demo --seed 7
    """
    from gateway.cli.demo import run_demo

    run_demo(home, seed)
