"""``log verify | bundle``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, hint

__all__ = ["app"]

app = typer.Typer()


@app.command("verify")
def verify(
    folder: Annotated[
        Path, typer.Argument(help="A folder with `checkpoint` and `tile/`: HOME/log, or a copy.")
    ],
    policy: Annotated[Path, typer.Option(help="Your policy file (C2SP tlog-policy).")],
    format_: FormatOption,
    older: Annotated[
        Path | None, typer.Option(help="A checkpoint seen earlier: the log must be a continuation of it.")
    ] = None,
) -> None:
    """Recompute a log from its files up to its signed checkpoint; needs no home.

    Examples:

        tanqiao log verify ./home/log --policy ./trust/policy

        tanqiao log verify ./copy/log --policy ./trust/policy --older last-week.checkpoint
    """
    from gateway.app.log import verify_log

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
    from gateway.app.log import bundle_log

    names = bundle_log(Path(home), out)
    hint(f"{out}: {names} files; verify with: tar xzf {out} && tanqiao log verify log --policy trust/policy")
