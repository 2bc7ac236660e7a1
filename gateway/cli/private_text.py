"""Take a text that must not stand on the command line: from stdin, from a file, or asked for unseen."""

import sys
from pathlib import Path

from gateway.cli.output import hint

__all__ = ["private_text"]

CHARACTERS_MAX = 4096  # no platform's account is longer; a file that is another file is refused


def private_text(given: str, file: Path | None, *, what: str) -> str:
    """Return one line of text from wherever it is given; errors never repeat it.

    Args:
        given: from the command line; `-` reads stdin, nothing asks for it.
        file: a file that has it and nothing else.
        what: what it is, for prompts and errors.

    Raises:
        UsageError: it was given twice, or is not one line of text.
    """
    from gateway.app.records.erase import read_account
    from gateway.errors import UsageError

    if given and file is not None:
        raise UsageError(f"the {what} was given twice", remedy="give a file, or `-`, or nothing to be asked")
    if file is not None:
        read = read_account(file)
    elif given == "-":
        read = sys.stdin.buffer.read(CHARACTERS_MAX + 2)
    elif given:
        hint(f"the {what} stands in the shell's history and was visible to others: use - or a file")
        read = given.encode("utf-8", "surrogateescape")
    else:
        import typer

        read = typer.prompt(what, hide_input=True, err=True).encode("utf-8", "surrogateescape")
    try:
        text = read.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > CHARACTERS_MAX or not text.isprintable():
        raise UsageError(
            f"the {what} should be one line of text in UTF-8, and is not",
            remedy="write it exactly as the platform does, and nothing else",
        )
    return text
