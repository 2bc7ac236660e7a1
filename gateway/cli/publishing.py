"""``mapping sign | publish | waiting | withdraw``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows, hint

__all__ = ["register"]

PublicationOption = Annotated[Path, typer.Option(help="The file that gathers the signatures.")]
AtOption = Annotated[str, typer.Option("--to", help="The address of a gateway.")]
KeyOption = Annotated[
    Path | None, typer.Option(help="The private key of the mapping's platform; else a token is read.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to those of ``mapping``."""
    app.command("sign")(sign)
    app.command("publish")(publish)
    app.command("waiting")(waiting)
    app.command("withdraw")(withdraw)


def sign(
    file: Annotated[Path, typer.Argument(help="The mapping document (YAML) that the maintainer has read.")],
    key: Annotated[
        Path, typer.Option(help="The maintainer's private key: `tanqiao keys new --purpose maintainer`.")
    ],
    publication: PublicationOption,
    format_: FormatOption,
) -> None:
    """Sign a mapping version as a maintainer; what `mapping check` refuses is not signed.

    The first signature makes the publication, every other one is added to it.

    Examples:

        tanqiao mapping sign travel.v3.yaml --key li.key --publication travel.v3.json
    """
    from gateway.app.reviewing.publications import sign_mapping

    emit(sign_mapping(file, key=key, publication=publication), format_)


def publish(
    publication: PublicationOption,
    format_: FormatOption,
    home: HomeOption = "",
    to: Annotated[str, typer.Option(help="The address of a gateway, instead of a home.")] = "",
    key: Annotated[
        Path | None,
        typer.Option(help="With --to: the private key of the mapping's platform; else a token is read."),
    ] = None,
) -> None:
    """Publish a mapping in the log, once as many maintainers have signed as trust/maintainers.json says.

    With --to it is handed in at a gateway, by the mapping's platform or by a coordinator, whose token is read
    from standard input. There it waits until enough have signed; more signatures are handed in the same way.

    Examples:

        tanqiao mapping publish --publication travel.v3.json --home ./home

        tanqiao mapping publish --publication travel.v3.json --to https://gw.example --key wuhan.key

        tanqiao mapping publish --publication travel.v3.json --to https://gw.example < token.txt
    """
    from gateway.errors import UsageError

    if not to and not home:
        raise UsageError("expected --home or --to", remedy="name the home, or the address of a gateway")
    if not to:
        from gateway.app.reviewing.publications import publish_mapping

        emit(publish_mapping(Path(home), publication), format_)
        return
    from gateway.app.serving.remote import publish_at

    told = publish_at(to, publication, key=key, token=_token(key))
    emit(told, format_)
    if told["state"] == "waiting":
        missing = ", ".join(told["missing"])
        hint(f"{len(told['signatures'])} of {told['required']} have signed; missing: {missing}")


def waiting(to: AtOption, format_: FormatOption, key: KeyOption = None) -> None:
    """List the mapping versions that wait for signatures at a gateway: who has signed, and who has not.

    A platform sees those of its mappings, a coordinator all; the coordinator's token is read from standard
    input. The text of each is at /v1/mappings/DIGEST. None of them has a deadline.

    Examples:

        tanqiao mapping waiting --to https://gw.example --key wuhan.key

        tanqiao mapping waiting --to https://gw.example < token.txt
    """
    from gateway.app.serving.remote import waiting_at

    emit_rows(
        [
            {
                "id": one["id"],
                "version": one["version"],
                "digest": one["digest"],
                "state": one["state"],
                "proposer": one["proposer"] or "a coordinator",
                "received": one["received"],
                "required": one["required"],
                "signatures": one["signatures"],
                "missing": one["missing"],
            }
            for one in waiting_at(to, key=key, token=_token(key))
        ],
        format_,
    )


def withdraw(
    digest: Annotated[str, typer.Argument(help="The digest of its text: sha256:…")],
    to: AtOption,
    format_: FormatOption,
    key: KeyOption = None,
) -> None:
    """Take back a mapping version that not enough maintainers have signed, for good.

    Who has handed it in may do so: a platform by its key, a coordinator by a token from standard input.

    Examples:

        tanqiao mapping withdraw sha256:9f86… --to https://gw.example --key wuhan.key

        tanqiao mapping withdraw sha256:9f86… --to https://gw.example < token.txt
    """
    from gateway.app.serving.remote import withdraw_at

    emit(withdraw_at(to, digest, key=key, token=_token(key)), format_)


def _token(key: Path | None) -> str:
    return "" if key else typer.get_text_stream("stdin").readline().strip()
