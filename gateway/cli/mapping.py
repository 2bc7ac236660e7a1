"""``mapping check | coverage | list``; others are in ``reviewing.py`` and ``publishing.py``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import publishing, reviewing
from gateway.cli.output import FormatOption, emit, emit_rows, hint

__all__ = ["app"]

app = typer.Typer()
reviewing.register(app)
publishing.register(app)


@app.command("check")
def check(
    files: Annotated[
        list[Path], typer.Argument(help="Mapping documents (YAML); versions of one scheme together.")
    ],
    format_: FormatOption,
) -> None:
    """Check documents: schema, meaning, and their own tests. Leaves with 4 or 1 if something is wrong.

    Examples:

        tanqiao mapping check mappings/cn-420100-wuhan/travel.v2.yaml

        tanqiao mapping check mappings/cn-420100-wuhan/travel.v1.yaml mappings/cn-420100-wuhan/travel.v2.yaml
    """
    from gateway.app.reviewing.review import check_mappings
    from gateway.errors import ChecksFailed

    checked = check_mappings(files)
    emit_rows([{name: value for name, value in row.items() if name != "faults"} for row in checked], format_)
    faults = [fault for row in checked for fault in row["faults"]]  # type: ignore[attr-defined]  # a list
    for fault in faults:
        hint(f"failed: {fault}")
    if faults:
        raise ChecksFailed(
            f"{len(faults)} tests failed", remedy="mend the document or the test that is wrong"
        )


@app.command("coverage")
def coverage(
    file: Annotated[Path, typer.Argument(help="A mapping document (YAML).")],
    format_: FormatOption,
    mutate: Annotated[
        bool,
        typer.Option("--mutate", help="Also change each figure, rounding and comparison by the least bit."),
    ] = False,
) -> None:
    """Show which rules no test touches; factors and rejections must be complete.

    Examples:

        tanqiao mapping coverage mappings/cn-420100-wuhan/travel.v2.yaml

        tanqiao mapping coverage mappings/cn-420100-wuhan/travel.v2.yaml --mutate
    """
    from gateway.app.reviewing.review import coverage_of
    from gateway.errors import ChecksFailed

    result = coverage_of(file, mutate=mutate)
    emit(result, format_)
    if result["missing"] or result.get("survived"):
        raise ChecksFailed(f"{file}: rules without a test", remedy="add a test for each rule that is listed")


@app.command("list")
def list_(format_: FormatOption) -> None:
    """List the mappings that are shipped, with their status: none of them is official.

    Examples:

        tanqiao mapping list
    """
    from gateway.app.base.mappings import shipped_programs

    emit_rows(
        [
            {
                "id": program.id,
                "version": program.version,
                "status": program.status,
                "from": program.effective_from.isoformat(),
                "closed": "" if program.closed is None else program.closed.on.isoformat(),
                "title": program.title_zh,
                "digest": program.digest[:12],
            }
            for program in shipped_programs()
        ],
        format_,
    )
