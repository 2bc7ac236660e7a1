"""``keys new | rotate | epoch | retire | revoke | publish | list``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import DomainOption, FormatOption, HomeOption, emit, emit_rows, hint

__all__ = ["app"]

app = typer.Typer()


@app.command("new")
def new(
    out: Annotated[Path, typer.Option(help="Where to keep the private key; never replaces a file.")],
    format_: FormatOption,
    purpose: Annotated[
        str, typer.Option(help="record, http, recovery, maintainer, log or witness.")
    ] = "http",
    name: Annotated[str, typer.Option(help="For log and witness: the name in signed notes.")] = "",
) -> None:
    """Make a key pair outside of any home and print its public half.

    Examples:

        tanqiao keys new --purpose http --out platform.key

        tanqiao keys new --purpose witness --name witness.example.cn --out witness.key
    """
    from gateway.app.base.keys import new_key

    emit(new_key(out, purpose, name=name), format_)


@app.command("rotate")
def rotate(home: HomeOption, format_: FormatOption) -> None:
    """Add a new record key. Old and new sign side by side until the old one is retired.

    Examples:

        tanqiao keys rotate --home ./home
    """
    from gateway.app.base.keys import rotate_record_key

    emit(rotate_record_key(Path(home)), format_)
    hint("both keys sign from now on; when verifiers have the new trust file: tanqiao keys retire OLD")


@app.command("epoch")
def epoch(home: HomeOption, format_: FormatOption) -> None:
    """Begin a new epoch of the key that makes pseudonyms of verified identities.

    Who is linked already stays known by the old key, which must be kept; others get the new one's.

    Examples:

        tanqiao keys epoch --home ./home
    """
    from gateway.app.records.links import begin_epoch

    emit({"key_epoch": begin_epoch(Path(home))}, format_)


@app.command("retire")
def retire(
    key: Annotated[str, typer.Argument(help="The key's id.")], home: HomeOption, format_: FormatOption
) -> None:
    """End a record key: what it signed stays good, it signs nothing after this entry.

    Examples:

        tanqiao keys retire record-0123456789abcdef0123456789abcdef --home ./home
    """
    from gateway.app.base.keys import end_key

    emit(end_key(Path(home), key, action="retired"), format_)


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id.")],
    home: HomeOption,
    format_: FormatOption,
) -> None:
    """Revoke a key that has leaked: whatever it signs past this entry of the log counts for nothing.

    Examples:

        tanqiao keys revoke record-0123456789abcdef0123456789abcdef --home ./home
    """
    from gateway.app.base.keys import end_key

    emit(end_key(Path(home), key, action="revoked"), format_)


@app.command("publish")
def publish(
    home: HomeOption,
    format_: FormatOption,
    out: Annotated[Path, typer.Option(help="The folder to write to; put what is in it on your web server.")],
    domain: DomainOption = "",
) -> None:
    """Write the record keys for the web: did.json and jwks.json, with context and schema of credentials.

    Files of an earlier run are replaced: run it again after each change of keys.

    Examples:

        tanqiao keys publish --home ./home --domain gateway.example --out ./public
    """
    from gateway.app.records.credential import publish_keys

    emit(publish_keys(Path(home), out, domain=domain), format_)
    hint(f"publish what is in {out} at the root of your web server, over HTTPS")


@app.command("list")
def list_(home: HomeOption, format_: FormatOption) -> None:
    """List the keys of a home's trust file, each with the log entries from and until which it signs.

    Examples:

        tanqiao keys list --home ./home
    """
    from gateway.app.base.keys import list_keys

    emit_rows(list_keys(Path(home)), format_)
