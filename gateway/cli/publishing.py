"""``mapping sign | publish``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit

__all__ = ["register"]

PublicationOption = Annotated[Path, typer.Option(help="The file that gathers the signatures.")]


def register(app: typer.Typer) -> None:
    """Add the commands to those of ``mapping``."""
    app.command("sign")(sign)
    app.command("publish")(publish)


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
    from gateway.app.publications import sign_mapping

    emit(sign_mapping(file, key=key, publication=publication), format_)


def publish(publication: PublicationOption, home: HomeOption, format_: FormatOption) -> None:
    """Publish a mapping in the log, once as many maintainers have signed as trust/maintainers.json says.

    Examples:

        tanqiao mapping publish --publication travel.v3.json --home ./home
    """
    from gateway.app.publications import publish_mapping

    emit(publish_mapping(Path(home), publication), format_)
