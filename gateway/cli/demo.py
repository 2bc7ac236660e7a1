"""What ``tanqiao demo`` prints around the run."""

import os
import tempfile
import time
from pathlib import Path

import typer

from gateway.app.demo import Demo
from gateway.app.demo_moves import DemoMoves
from gateway.errors import LocalFileError

__all__ = ["run_demo"]


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
    typer.echo(f"""
Try next (everything is in {target}):
   export TANQIAO_STATE={os.environ["TANQIAO_STATE"]} TANQIAO_HOME={demo.home}
   tanqiao receipt verify {target}/receipt.json --trust {demo.home}/trust
   tanqiao receipt verify {target}/forged.json --trust {demo.home}/trust
   tanqiao adapter explain {target}/yunxi-出行.csv --row 1 --mapping {target}/yunxi.yaml --lang zh
   tanqiao statements close 2024-09-10
   head -3 {demo.home}/quarantine/*/part-000000.ndjson
   tanqiao audit""")
