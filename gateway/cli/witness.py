"""``witness new | add-log | logs | serve``: witness the logs of others."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, emit, emit_rows, hint

__all__ = ["app"]

app = typer.Typer()
WitnessOption = Annotated[
    str, typer.Option("--home", envvar="TANQIAO_WITNESS_HOME", help="The witness's folder; no gateway's.")
]


@app.command("new")
def new(
    home: WitnessOption,
    format_: FormatOption,
    name: Annotated[str, typer.Option(help="The name under which it signs, such as witness.example.cn.")],
) -> None:
    """Make a witness: a key, and an empty memory of logs. Prints the public key for those who trust it.

    Examples:

        tanqiao witness new --home ./witness --name witness.example.cn
    """
    from gateway.app.log.witness import new_witness

    emit(new_witness(Path(home), name=name), format_)
    hint("never put an older copy of state.db back: a witness that forgets may cosign a fork")


@app.command("add-log")
def add_log(
    vkey: Annotated[str, typer.Argument(help="The log's verifier key: the `log` line of its trust/policy.")],
    home: WitnessOption,
    format_: FormatOption,
) -> None:
    """Follow a log, whose key you have from a source that you trust.

    Examples:

        tanqiao witness add-log "$VKEY" --home ./witness
    """
    from gateway.app.log.witness import add_log

    emit(add_log(Path(home), vkey), format_)


@app.command("logs")
def logs(home: WitnessOption, format_: FormatOption) -> None:
    """List the logs that are followed, with the size that was cosigned last.

    Examples:

        tanqiao witness logs --home ./witness
    """
    from gateway.app.log.witness import logs

    emit_rows(logs(Path(home)), format_)


@app.command("serve")
def serve(
    home: WitnessOption,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8430,
) -> None:
    """Cosign over HTTP (C2SP tlog-witness) what continues the logs that are followed.

    Examples:

        tanqiao witness serve --home ./witness --port 8430
    """
    from gateway.app.log.witness import serve_witness

    hint(f"witnessing at http://{host}:{port}; stop with Ctrl-C")
    serve_witness(Path(home), host=host, port=port)
