"""``behaviours``."""

import typer

from gateway.cli.output import FormatOption, emit_rows

__all__ = ["register"]


def register(root: typer.Typer) -> None:
    """Add the command to the tree."""
    root.command("behaviours")(behaviours)


def behaviours(format_: FormatOption) -> None:
    """List the kinds of low-carbon act that mappings name, in Chinese and English.

    Examples:

        tanqiao behaviours

        tanqiao behaviours --format json
    """
    from gateway.app.base.mappings import known_behaviours
    from gateway.model.behaviour import BEHAVIOUR_CLASSES

    emit_rows(
        [
            {
                "code": one.code,
                "zh": one.zh,
                "en": one.en,
                "class": one.of_class,
                "class_zh": BEHAVIOUR_CLASSES[one.of_class],
                "kind": one.kind,
                "parent": one.parent,
                "units": ", ".join(one.units),
                "bears_reduction": one.bears_reduction,
            }
            for one in known_behaviours().values()
        ],
        format_,
    )
