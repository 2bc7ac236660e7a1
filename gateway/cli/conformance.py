"""``conformance keys | run``: what every platform passes, run against one's own."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import Format, FormatOption, emit, emit_rows
from gateway.errors import ChecksFailed

__all__ = ["app"]

app = typer.Typer()


@app.command("keys")
def keys(
    format_: FormatOption,
    out: Annotated[Path, typer.Option(help="A new folder for them.")],
) -> None:
    """Make the keys of a gateway that exists for conformance runs only.

    Have your platform's test system, never the one in use, trust the `keys.json` in that folder.

    Examples:

        tanqiao conformance keys --out ./run-keys
    """
    from gateway.app.sandbox.conforming_platform import conformance_keys

    emit(conformance_keys(out), format_)


@app.command("run")
def run(
    format_: FormatOption,
    url: Annotated[str, typer.Option(help="The address of your platform's test system, without /v1.")],
    keys: Annotated[Path, typer.Option(help="The folder of `tanqiao conformance keys`.")],
    samples: Annotated[Path, typer.Option(help="JSON: an account, its unit, and acts with points.")],
    platform_key: Annotated[str, typer.Option(help="The platform's public key, in base64.")],
    case: Annotated[list[str], typer.Option(help="Only this case; repeat for several.")] = [],  # noqa: B006 - typer reads the default, nothing changes it
    report: Annotated[
        Path | None, typer.Option(help="Write every case with its requests and answers, as JSON.")
    ] = None,
) -> None:
    """Run the cases that every platform passes against your own; exit code 1 if one fails.

    It holds, captures and credits points of the sample account, so give it a test system. A case that fails
    can be run again by itself with --case.

    Examples:

        tanqiao conformance run --url "$URL" --keys ./run-keys --samples samples.json --platform-key "$KEY"
    """
    from gateway.app.sandbox.conforming_platform import ConformancePlan, run_cases, write_report

    plan = ConformancePlan(url=url, keys=keys, samples=samples, platform_key=platform_key, only=tuple(case))
    results = list(run_cases(plan))
    if report is not None:
        write_report(report, results)
    left_out = {"exchanges"} if format_ is Format.TABLE else {"exchanges", "expects"}
    emit_rows(
        [{name: value for name, value in one.items() if name not in left_out} for one in results], format_
    )
    failed = [one["case"] for one in results if one["outcome"] == "failed"]
    if failed:
        raise ChecksFailed(
            f"{len(failed)} of {len(results)} cases failed: {', '.join(failed)}",
            remedy="--report FILE has all requests and answers; clauses: docs/reference/platform-api.md",
        )
