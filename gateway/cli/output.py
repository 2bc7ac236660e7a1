"""How the command line speaks: one shape of error, data as table, JSON or NDJSON, a quiet progress."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import chain, repeat
from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import (
    ChecksFailed,
    GatewayError,
    IntegrityBroken,
    LocalFileError,
    Refused,
    Unreachable,
    UsageError,
)
from gateway.model.visible import visible

__all__ = [
    "DiscloseOption",
    "DomainOption",
    "Format",
    "FormatOption",
    "HomeOption",
    "LangOption",
    "Language",
    "MappingOption",
    "emit",
    "emit_rows",
    "exit_code",
    "hint",
    "progress",
    "report",
    "require_committed",
    "say",
]

EXIT_CODES: dict[type[GatewayError], int] = {
    ChecksFailed: 1,
    UsageError: 2,
    LocalFileError: 3,
    Refused: 4,
    Unreachable: 5,
    IntegrityBroken: 6,
}
PROGRESS_SECONDS = 10.0


class Format(StrEnum):
    """How data are written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"


class Language(StrEnum):
    """The language of explanations."""

    ZH = "zh"
    EN = "en"


def _default_format() -> Format:
    return Format.TABLE if sys.stdout.isatty() else Format.JSON


def _default_language() -> Language:
    return Language.ZH if os.environ.get("LANG", "").startswith("zh") else Language.EN


FormatOption = Annotated[
    Format,
    typer.Option("--format", default_factory=_default_format, help="How to write data; JSON when piped."),
]
LangOption = Annotated[Language, typer.Option("--lang", default_factory=_default_language, help="zh or en.")]
HomeOption = Annotated[str, typer.Option("--home", envvar="TANQIAO_HOME", help="The home folder.")]

DomainOption = Annotated[
    str,
    typer.Option(
        "--domain", envvar="TANQIAO_DOMAIN", help="Your domain name; the home's issuer if left out."
    ),
]
DiscloseOption = Annotated[
    list[str], typer.Option("--disclose", help="Open a commitment: event or subject; repeat for both.")
]
MappingOption = Annotated[
    list[Path],
    typer.Option("--mapping", help="The mapping's YAML file: recomputes the quantity; repeat for more."),
]


def require_committed(fields: Sequence[str]) -> None:
    """Check that a record commits to each of these fields."""
    if unknown := set(fields) - {"event", "subject"}:
        raise UsageError(
            f"a record does not commit to {', '.join(sorted(unknown))}", remedy="use event or subject"
        )


def hint(text: str) -> None:
    """Say something that is not data."""
    typer.echo(visible(text), err=True)


def say(text: str) -> None:
    """Write a line of data that is meant to be read."""
    typer.echo(visible(text))


def emit(data: Mapping[str, object], form: Format) -> None:
    """Write one object."""
    if form is Format.TABLE:
        width = max((len(key) for key in data), default=0)
        for key, value in data.items():
            for name, line in zip(chain([key], repeat("")), _lines(value), strict=False):
                say(f"{name:<{width}}  {line}")
    else:
        say(json.dumps(data, ensure_ascii=False, indent=2 if form is Format.JSON else None))


def emit_rows(rows: Iterable[Mapping[str, object]], form: Format) -> None:
    """Write a list of objects with the same members."""
    listed = list(rows)
    if form is Format.JSON:
        say(json.dumps(listed, ensure_ascii=False, indent=2))
    elif form is Format.NDJSON:
        for row in listed:
            say(json.dumps(row, ensure_ascii=False))
    else:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table()
        for name in listed[0] if listed else ["nothing to show"]:
            table.add_column(name, overflow="fold")  # an id that was cut off could not be copied
        for row in listed:
            table.add_row(*(Text(visible(_cell(value))) for value in row.values()))  # no text is markup
        Console().print(table)


def _lines(value: object) -> list[str]:
    if (
        isinstance(value, list | tuple)
        and value
        and all(isinstance(one, str) and " " in one for one in value)
    ):
        return [_cell(one) for one in value]  # sentences, such as the reasons of a quote
    return [_cell(value)]


def _cell(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_within(item)}" for key, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(_within, value)) or "-"
    return "-" if value is None else str(value)


def _within(value: object) -> str:
    return f"({_cell(value)})" if isinstance(value, Mapping | list | tuple) and value else _cell(value)


def exit_code(error: GatewayError) -> int:
    """Return the exit code of an error (docs/reference/cli.md)."""
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


def report(error: GatewayError) -> None:
    """Print an error: what, where, what to do, where to read on."""
    hint(f"error: {error}")
    if error.field:
        hint(f"  where:  {error.field}")
    if error.remedy:
        hint(f"  remedy: {error.remedy}")
    hint(f"  code:   {error.code} (docs/reference/errors.md#{type(error).code})")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """Give a function that takes the number of rows done: a live line on a terminal, else one every 10 s."""
    started = time.monotonic()
    last = started
    live = sys.stderr.isatty()

    def show(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < (0.2 if live else PROGRESS_SECONDS):
            return
        last = now
        rate = int(done / max(now - started, 0.001))
        typer.echo(
            f"\r{what}: {done:,} rows, {rate:,}/s " if live else f"{what}: {done:,} rows",
            err=True,
            nl=not live,
        )

    yield show
    if live and last != started:
        typer.echo("\r\x1b[K", err=True, nl=False)
