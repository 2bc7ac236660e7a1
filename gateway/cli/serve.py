"""``serve``: the gateway as a service; ``platform``: who may speak to it."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows, hint

__all__ = ["app", "register"]

app = typer.Typer()


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("serve")(serve)


def serve(
    home: HomeOption,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8420,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer requests.")] = 1,
    mapping: Annotated[
        list[Path], typer.Option(help="A mapping document to serve instead of the shipped ones; repeat.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Serve a home over HTTP: platforms submit acts, fetch receipts; everybody reads the log.

    TLS is for the server in front of it. Beside the workers one process converts what was submitted; it
    holds the home only while there is work, so commands such as `audit` can be used in between.

    Examples:

        tanqiao serve --home ./home

        tanqiao serve --home ./home --host 0.0.0.0 --port 8420 --workers 2
    """
    from gateway.app.serving.processes import serve
    from gateway.app.serving.serve import Serving, service_settings

    hint(f"serving {home} at http://{host}:{port} with {workers} workers; stop with Ctrl-C")
    serve(
        Serving(
            root=Path(home),
            host=host,
            port=port,
            workers=workers,
            mappings=tuple(mapping),
            settings=service_settings(),
        )
    )


@app.command("address")
def address(
    platform: Annotated[str, typer.Argument(help="REGION/NAME, such as cn-420100/wuhan.")],
    url: Annotated[str, typer.Argument(help="Where its API (openapi/platform.yaml) answers.")],
    home: HomeOption,
    format_: FormatOption,
) -> None:
    """Have a platform called at an address when points move; the keys that it signs with are its own.

    Examples:

        tanqiao platform address cn-420100/wuhan https://carbon.wuhan.example --home ./home
    """
    from gateway.app.serving.platforms import call_at

    emit(call_at(Path(home), platform, url=url), format_)


@app.command("dialect")
def dialect(
    platform: Annotated[str, typer.Argument(help="REGION/NAME, such as cn-420100/wuhan.")],
    spoken: Annotated[str, typer.Argument(metavar="DIALECT", help="json, callback, file or file:FORM.")],
    home: HomeOption,
    format_: FormatOption,
) -> None:
    """Record what is spoken with a platform: common JSON, call-backs, or files; JSON if nothing was recorded.

    Examples:

        tanqiao platform dialect cn-420100/wuhan callback --home ./home

        tanqiao platform dialect cn-440300/shenzhen file --home ./home
    """
    from gateway.app.serving.platforms import speak

    emit(speak(Path(home), platform, dialect=spoken), format_)


@app.command("invite")
def invite(
    platform: Annotated[str, typer.Argument(help="REGION/NAME, such as cn-420100/wuhan.")],
    home: HomeOption,
    format_: FormatOption,
) -> None:
    """Admit a platform: print a code with which it hands in its first key within a day.

    The code is shown once. Give it to the platform's engineers and nobody else.

    Examples:

        tanqiao platform invite cn-420100/wuhan --home ./home
    """
    from gateway.app.serving.platforms import invite

    emit(invite(Path(home), platform), format_)


@app.command("list")
def list_platforms(home: HomeOption, format_: FormatOption) -> None:
    """List the platforms with their keys.

    Examples:

        tanqiao platform list --home ./home --format ndjson
    """
    from gateway.app.serving.platforms import platforms

    emit_rows(platforms(Path(home)), format_)


@app.command("suspend")
def suspend(
    platform: Annotated[str, typer.Argument(help="REGION/NAME.")],
    home: HomeOption,
    reason: Annotated[str, typer.Option(help="Why; the platform reads it. Empty lets it in again.")],
) -> None:
    """Keep a platform out, for a reason that it is told; what it submitted stays.

    Examples:

        tanqiao platform suspend cn-420100/wuhan --home ./home --reason "keys lost"

        tanqiao platform suspend cn-420100/wuhan --home ./home --reason ""
    """
    from gateway.app.serving.platforms import suspend

    suspend(Path(home), platform, reason=reason)
