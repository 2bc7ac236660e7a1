"""``log verify | bundle | monitor``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, hint

__all__ = ["app"]

app = typer.Typer()


@app.command("verify")
def verify(
    policy: Annotated[Path, typer.Option(help="Your policy file (C2SP tlog-policy).")],
    format_: FormatOption,
    folder: Annotated[
        Path | None, typer.Argument(help="A folder with `checkpoint` and `tile/`: HOME/log, or a copy.")
    ] = None,
    older: Annotated[
        Path | None, typer.Option(help="A checkpoint seen earlier: the log must be a continuation of it.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="A file that is to prove a fork; instead of the folder.")
    ] = None,
) -> None:
    """Recompute a log from its files up to its signed checkpoint; needs no home.

    With `--evidence` instead: check that a file proves that the log was forked; leaves with 0 if it does.

    Examples:

        tanqiao log verify ./home/log --policy ./trust/policy

        tanqiao log verify ./copy/log --policy ./trust/policy --older last-week.checkpoint

        tanqiao log verify --evidence fork.json --policy ./trust/policy
    """
    from gateway.app.log.verifying import verify_evidence, verify_log
    from gateway.errors import UsageError

    if evidence is not None:
        emit(verify_evidence(evidence, policy), format_)
        return
    if folder is None:
        raise UsageError("there is nothing to verify", remedy="name a log's folder, or --evidence FILE")
    size, root = verify_log(folder, policy, older=older)
    emit({"verified": True, "entries": size, "root": root, "continues": older is not None}, format_)


@app.command("bundle")
def bundle(
    home: HomeOption,
    out: Annotated[Path, typer.Option(help="The archive to write (.tar.gz); never replaces a file.")],
) -> None:
    """Pack what an auditor needs offline: log, trust files, mappings. Nothing personal is in it.

    Examples:

        tanqiao log bundle --home ./home --out audit.tar.gz
    """
    from gateway.app.log.verifying import bundle_log

    names = bundle_log(Path(home), out)
    hint(f"{out}: {names} files; verify with: tar xzf {out} && tanqiao log verify log --policy trust/policy")


@app.command("monitor")
def monitor(
    urls: Annotated[
        list[str], typer.Argument(metavar="URL...", help="Where logs are served: https://gw.example/log")
    ],
    policy: Annotated[Path, typer.Option(help="Your policy file with the logs' keys (C2SP tlog-policy).")],
    state: Annotated[Path, typer.Option(help="The folder in which the monitor remembers.")],
    format_: FormatOption,
    witness: Annotated[
        list[str],
        typer.Option(help="A witness's address, to compare what it has seen; repeat for more."),
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    every: Annotated[int, typer.Option(min=0, help="Look again after so many seconds; 0: once.")] = 0,
    mirror: Annotated[bool, typer.Option(help="Keep a verified copy of each log.")] = False,
) -> None:
    """Follow logs of others: each must continue what was seen before, here and by witnesses.

    New entries are proven, read and held against each other. What proves a fork is kept in a file.

    Examples:

        tanqiao log monitor https://gw.example/log --policy ./policy --state ./monitor

        tanqiao log monitor https://gw.example/log --policy ./policy --state ./monitor --mirror --every 60
    """
    from gateway.app.log.monitor import follow, monitoring

    with monitoring(policy, state, witnesses=witness, mirror=mirror) as parts:
        follow(urls, parts, every=every, tell=lambda told: emit(told, format_))
