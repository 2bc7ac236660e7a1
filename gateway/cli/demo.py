"""What ``tanqiao demo`` prints around the run."""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from shlex import quote

import typer

from gateway.app.sandbox.demo import Demo
from gateway.app.sandbox.demo_moves import DemoMoves
from gateway.errors import LocalFileError

__all__ = ["next_steps", "run_demo"]


def run_demo(folder: str, seed: int) -> None:
    """Run the demo in a folder and say what to try next."""
    target = Path(folder) if folder else Path(tempfile.mkdtemp(prefix="tanqiao-demo-"))
    if folder and target.exists() and any(target.iterdir()):
        raise LocalFileError(f"{target} is not empty", remedy="name an empty or a new folder")
    target.mkdir(parents=True, exist_ok=True)
    target = target.resolve()
    os.environ.setdefault(
        "TANQIAO_STATE", str(target / "state")
    )  # the demo leaves nothing outside of its folder
    started = time.monotonic()
    demo = Demo(target, seed, typer.echo)
    demo.run()
    DemoMoves(target, typer.echo).run()
    typer.echo(
        f"\nDone in {time.monotonic() - started:.1f} s. Figures are not official, wire formats are assumed."
    )
    typer.echo(next_steps(target, demo.home))


def next_steps(target: Path, home: Path) -> str:
    """Return what to try in a shell after the demo; `make demo` leaves the program outside of the path."""
    folder = quote(str(Path(sys.argv[0]).absolute().parent))
    path = "" if shutil.which("tanqiao") else f' PATH={folder}:"$PATH"'
    at, there = quote(str(target)), quote(str(home))
    return f"""
Try next (everything is in {target}):
   export TANQIAO_STATE={quote(os.environ["TANQIAO_STATE"])} TANQIAO_HOME={there}{path}
   tanqiao receipt verify {at}/receipt.json --trust {there}/trust
   tanqiao receipt verify {at}/forged.json --trust {there}/trust
   tanqiao adapter explain {at}/yunxi-出行.csv --row 1 --mapping {at}/yunxi.yaml --lang zh
   tanqiao statements close 2024-09-10
   head -n 3 {there}/quarantine/*/part-000000.ndjson
   tanqiao audit"""
