"""``link`` and ``unlink``: which accounts of platforms are one person's."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, hint
from gateway.cli.private_text import private_text

__all__ = ["register"]

UserOption = Annotated[
    str,
    typer.Option(
        "--user", help="The platform's own account id; `-` reads it from stdin. Asked for unseen if left out."
    ),
]
UserFileOption = Annotated[
    Path | None, typer.Option("--user-file", help="A file that has the account id and nothing else.")
]
PlatformOption = Annotated[str, typer.Option(help="REGION/NAME: whose account it is.")]


def register(root: typer.Typer) -> None:
    """Add the commands to the root."""
    root.command("link")(link)
    root.command("unlink")(unlink)


def link(
    home: HomeOption,
    format_: FormatOption,
    platform: PlatformOption,
    consent: Annotated[str, typer.Option(help="Where the holder's consent at this platform is documented.")],
    user: UserOption = "",
    user_file: UserFileOption = None,
    identity_file: Annotated[
        Path | None,
        typer.Option(help="A file that has the verified identity and nothing else; else stdin, or asked."),
    ] = None,
) -> None:
    """Link an account to the person that was verified to hold it, so that one act counts once.

    Link each of a person's accounts with the same identity, each with consent at its own platform. The
    identity is never kept: a keyed function makes a pseudonym of it. It cannot be given on the command
    line, where others could see it; it is read from stdin unless a file has it.

    Examples:

        tanqiao link --home ./home --platform cn-420100/wuhan --consent form-7 --user-file user.txt < id.txt

        tanqiao link --home ./home --platform cn-420100/wuhan --consent form-7 --identity-file id.txt
    """
    from gateway.app.records.links import link as run_link

    identity = private_text("" if identity_file is not None else "-", identity_file, what="identity")
    account = private_text(user, user_file, what="account")
    linked = run_link(Path(home), account, platform=platform, identity=identity, consent=consent)
    emit({"platform": platform, **_document(linked.platforms, linked.epoch, changed=linked.changed)}, format_)
    if not linked.changed:
        hint("the account was linked to this person before; nothing was changed")


def unlink(
    home: HomeOption,
    format_: FormatOption,
    platform: PlatformOption,
    user: UserOption = "",
    user_file: UserFileOption = None,
) -> None:
    """Take a link away: acts that come from now on are compared within their platform only.

    What is known of acts of open days stays until their claims close, three days after the act.

    Examples:

        tanqiao unlink --home ./home --platform cn-420100/wuhan --user-file account.txt
    """
    from gateway.app.records.links import unlink as run_unlink

    account = private_text(user, user_file, what="account")
    run_unlink(Path(home), account, platform=platform)
    emit({"platform": platform, "linked": False}, format_)


def _document(platforms: int, epoch: int, *, changed: bool) -> dict[str, object]:
    return {"linked": True, "changed": changed, "platforms_of_person": platforms, "key_epoch": epoch}
