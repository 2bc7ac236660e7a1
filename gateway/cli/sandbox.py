"""``sandbox list | serve | key | fault | clock | answer | gateway | show``: cities to try transfers with."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, emit, emit_rows, hint, say

__all__ = ["app"]

app = typer.Typer()
CityOption = Annotated[
    Path, typer.Option("--home", envvar="TANQIAO_CITY", help="The city's own folder; no gateway's home.")
]


@app.command("list")
def list_(format_: FormatOption) -> None:
    """List the sandbox cities and what sets them apart; all of them, and their figures, are invented.

    Examples:

        tanqiao sandbox list
    """
    from gateway.app.sandbox.city import cities

    emit_rows(cities(), format_)


@app.command("serve")
def serve(
    home: CityOption,
    city: Annotated[str, typer.Option(help="Its name: `tanqiao sandbox list`.")],
    trust: Annotated[Path, typer.Option(help="The folder `trust` of the gateway whose signatures it takes.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 9001,
    residents: Annotated[int, typer.Option(min=1, max=100_000, help="How many live there.")] = 20,
    rides: Annotated[int, typer.Option(min=0, max=600, help="How many rides each of them has made.")] = 10,
    seed: Annotated[int, typer.Option(help="Another one gives other residents and rides.")] = 1,
    fault: Annotated[
        list[str], typer.Option(help="A fault to begin with: NAME, or NAME:TIMES; repeat.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Serve the platform of an invented city: a complete openapi/platform.yaml with a database of its own.

    Examples:

        tanqiao sandbox serve --city yunxi --home ./yunxi --trust ./home/trust --port 9001

        tanqiao sandbox serve --city bailu --home ./bailu --trust ./home/trust --port 9002 --fault lost:1
    """
    from gateway.app.sandbox.city import SandboxPlan, serve_city

    plan = SandboxPlan(
        folder=home,
        trust=trust,
        host=host,
        port=port,
        residents=residents,
        rides=rides,
        seed=seed,
        faults=tuple(fault),
    )
    hint(f"{city} at http://{host}:{port}; stop with Ctrl-C")
    serve_city(city, plan)


@app.command("key")
def key(home: CityOption, format_: FormatOption) -> None:
    """Print the public key of a city, which its gateway needs; makes it where there is none.

    Examples:

        tanqiao sandbox key --home ./yunxi
    """
    from gateway.app.sandbox.city import city_key

    emit(city_key(home), format_)


@app.command("fault")
def fault(
    home: CityOption,
    format_: FormatOption,
    name: Annotated[str, typer.Argument(help="What is to go wrong; `none` switches all faults off.")],
    times: Annotated[int, typer.Option(min=0, help="For so many requests; 0: until it is switched off.")] = 0,
    seconds: Annotated[str, typer.Option(help="How long, where the fault is to wait.")] = "2",
    only: Annotated[str, typer.Option(help="Only requests whose path has this in it, such as holds.")] = "",
) -> None:
    """Have something go wrong in a running city: docs/howto/sandbox.md lists the faults.

    Examples:

        tanqiao sandbox fault lost --home ./yunxi --times 1 --only holds

        tanqiao sandbox fault none --home ./yunxi
    """
    from gateway.app.sandbox.city import tell_city

    if name == "none":
        emit(tell_city(home, "DELETE", what="faults"), format_)
        return
    body = {"fault": name, "times": times, "seconds": seconds, "only": only}
    emit(tell_city(home, "POST", what="faults", body=body), format_)


@app.command("clock")
def clock(
    home: CityOption,
    format_: FormatOption,
    seconds: Annotated[int, typer.Option("--by", help="Seconds, back if negative; 0 puts it right.")],
) -> None:
    """Move the clock of a running city; it stays moved when the city is served again.

    Examples:

        tanqiao sandbox clock --by 86400 --home ./yunxi

        tanqiao sandbox clock --by 0 --home ./yunxi
    """
    from gateway.app.sandbox.city import tell_city

    emit(tell_city(home, "POST", what="clock", body={"seconds": seconds}), format_)


@app.command("answer")
def answer(
    file: Annotated[Path, typer.Argument(help="What `corridor export` wrote; its manifest beside it.")],
    home: CityOption,
    format_: FormatOption,
    out: Annotated[Path, typer.Option(help="The folder to write the city's own file into.")],
) -> None:
    """Have a running city do what a file says, and write what it did, for `tanqiao corridor import`.

    Examples:

        tanqiao sandbox answer outgoing/cn-000000-yunxi-000001.csv --home ./yunxi --out ./incoming
    """
    from gateway.app.sandbox.city import answer_file

    emit(answer_file(home, file, out=out), format_)


@app.command("gateway")
def gateway(
    home: CityOption,
    format_: FormatOption,
    url: Annotated[str, typer.Argument(help="Where the gateway answers, such as http://127.0.0.1:8420.")],
) -> None:
    """Say to a running city where its gateway answers: it posts there what the fault `callback` puts off.

    Examples:

        tanqiao sandbox gateway http://127.0.0.1:8420 --home ./yunxi
    """
    from gateway.app.sandbox.city import tell_city

    emit(tell_city(home, "POST", what="gateway", body={"url": url}), format_)


@app.command("show")
def show(
    home: CityOption,
    format_: FormatOption,
    what: Annotated[
        str, typer.Argument(help="residents, state, samples, rides (its file) or mapping (its YAML).")
    ],
) -> None:
    """Look into a running city: its residents and points, clock and faults, or what it would send a gateway.

    Examples:

        tanqiao sandbox show residents --home ./yunxi

        tanqiao sandbox show rides --home ./qinglan > rides.ndjson
    """
    from gateway.app.sandbox.city import look_at

    found = look_at(home, what)
    if isinstance(found, str):
        say(found.rstrip("\n"))
    elif isinstance(found, list):
        emit_rows(found, format_)
    else:
        emit(found, format_)
