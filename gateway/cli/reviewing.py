"""``mapping diff``: what a coordinator reviews a mapping with."""

from typing import Annotated

import typer

from gateway.cli.output import Format, FormatOption, LangOption, emit, emit_rows, hint

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of reviewing."""
    app.command("diff")(diff)


def diff(
    old: Annotated[str, typer.Argument(help="The old version: a YAML file, or a shipped one as ID@VERSION.")],
    new: Annotated[str, typer.Argument(help="The new version.")],
    format_: FormatOption,
    lang: LangOption,
    as_of: Annotated[
        str, typer.Option(help="The day on which the new version is published; today if left out.")
    ] = "",
) -> None:
    """Say what a new version changes by meaning: each change editorial, forward-only or retroactive.

    Retroactive is what changes acts of days before the publication that the old version counts. Leaves with 1
    if there is such a change.

    Examples:

        tanqiao mapping diff cn-420100/wuhan/travel@1 cn-420100/wuhan/travel@2

        tanqiao mapping diff mappings/cn-420100-wuhan/travel.v2.yaml travel.v3.yaml --as-of 2026-12-01
    """
    from gateway.app.differing import day_of, diff_mappings, program_named
    from gateway.errors import ChecksFailed

    result = diff_mappings(program_named(old), program_named(new), as_of=day_of(as_of))
    if format_ is Format.TABLE:
        told = [(change["effect"], change[lang]) for change in result["changes"]]  # type: ignore[attr-defined]  # a list
        emit_rows([{"effect": effect, "change": text} for effect, text in told], format_)
        emit({name: value for name, value in result.items() if name != "changes"}, format_)
    else:
        emit(result, format_)
    if result["same_version"]:
        hint("both have the same version number: a published version never changes")
    if result["retroactive"]:
        raise ChecksFailed(
            f"{result['retroactive']} changes are retroactive as of {result['as_of']}",
            remedy="let the version begin on a later day, or say with --as-of when it was published",
        )
