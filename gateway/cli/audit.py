"""``audit``: check everything a home keeps against everything else."""

from pathlib import Path

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, progress

__all__ = ["register"]


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("audit")(audit)


def audit(home: HomeOption, format_: FormatOption) -> None:
    """Recompute a home: rows, bytes, roots, statements, log, signatures, every quantity and cap.

    Leaves with 6 and names what differs when anything does; changes nothing.

    Examples:

        tanqiao audit --home ./home

        tanqiao audit --home ./home --format json
    """
    from gateway.app.records.check import audit as run_audit
    from gateway.errors import IntegrityBroken

    with progress("auditing") as watch:
        report = run_audit(Path(home), watch)
    emit(report.document(), format_)
    if report.differences:
        raise IntegrityBroken(f"{len(report.differences)} differences, the first: {report.differences[0]}")
