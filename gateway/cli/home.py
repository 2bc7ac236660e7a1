"""``init``, ``doctor`` and ``demo``."""

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows, hint

__all__ = ["register"]

_PROFILES: Final[dict[str, Literal["default", "test", "production"]]] = {
    "default": "default",
    "production": "production",
    "test": "test",
}
_STILL_TO_DO: Final = (
    "keep a copy of {home}/keys where the backups are not; without keys/index repetitions are not recognised",
    "back up {home}, and never TANQIAO_STATE with it",
    "before others rely on the log: tanqiao witness trust, then tanqiao witness quorum, --home {home}",
    "put a web server with TLS in front of `tanqiao serve`; it passes Host on and hides /v1/metrics",
    "tanqiao keys publish --home {home} --out FOLDER: what your domain publishes",
    "tanqiao doctor --home {home}: now, and after each change of the machine",
)


def register(root: typer.Typer) -> None:
    """Add the commands to the root."""
    root.command("init")(init)
    root.command("doctor")(doctor)
    root.command("demo")(demo)


def init(
    home: HomeOption,
    format_: FormatOption,
    origin: Annotated[
        str, typer.Option(help="The log's name, such as your host name; random if left out.")
    ] = "",
    profile: Annotated[
        str,
        typer.Option(
            help="default; production: TANQIAO_STATE must be set; or test: admits illustrative mappings."
        ),
    ] = "default",
    database: Annotated[
        str, typer.Option(help="Address of an empty PostgreSQL database; without it a file in the home.")
    ] = "",
) -> None:
    """Make a home: keys, trust files, database and an empty log.

    Examples:

        tanqiao init --home ./home

        tanqiao init --home ./try --profile test

        tanqiao init --home /srv/tanqiao --origin gateway.example.cn --profile production

        tanqiao init --home /srv/tanqiao --database postgresql://tanqiao@db.example.cn/tanqiao
    """
    from gateway.app.base.home import create_home
    from gateway.errors import UsageError

    chosen = _PROFILES.get(profile)
    if chosen is None:
        raise UsageError(f"there is no profile {profile}", remedy=f"use {', '.join(_PROFILES)}")
    facts = create_home(Path(home), origin=origin, profile=chosen, database=database)
    emit({"home": home, "origin": facts.origin, "profile": facts.profile, "created": facts.created}, format_)
    if chosen != "production":
        hint(f"next: tanqiao convert --home {home} --adapter common --mapping ID FILE")
        return
    hint("still to do:")
    for step in _STILL_TO_DO:
        hint("  - " + step.format(home=home))


def doctor(home: HomeOption, format_: FormatOption) -> None:
    """Look a home over: keys, checkpoint store, clock, disk, database, log, pins, spool, versions.

    Exit code 1 if something is wrong; each such line says what to do.

    Examples:

        tanqiao doctor --home ./home

        tanqiao doctor --home ./home --format ndjson
    """
    from gateway.app.doctor import doctor
    from gateway.errors import ChecksFailed

    findings = doctor(Path(home))
    emit_rows([finding._asdict() for finding in findings], format_)
    wrong = [finding.check for finding in findings if finding.state == "wrong"]
    if wrong:
        raise ChecksFailed(f"wrong: {', '.join(wrong)}", remedy="each line above says what to do")


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
