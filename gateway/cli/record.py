"""``record show | find``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, emit, emit_rows

__all__ = ["app"]

app = typer.Typer()


@app.command("show")
def show(
    record_id: Annotated[str, typer.Argument(help="The record's id: 32 hexadecimal digits.")],
    home: HomeOption,
    format_: FormatOption,
    private: Annotated[bool, typer.Option("--private", help="Also what only this home may see.")] = False,
) -> None:
    """Show one record: what was counted, by which rule, and where it stands in the log.

    Examples:

        tanqiao record show 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home
    """
    from gateway.app.records.check import findings_of, record_of
    from gateway.app.records.claims import word

    found = record_of(Path(home), record_id)
    shown: dict[str, object] = {
        "record": found.document,
        "batch": found.batch.number,
        "leaf_index": found.row.leaf_index,
        "log_entry": found.batch.position,
        "erased": found.row.person is None,
        "claim": word(Path(home), record_id),
        "points_valid_through": None if found.expires is None else found.expires.isoformat(),
        "findings": findings_of(Path(home), found),
    }
    if private:
        shown["private"] = {
            "event": found.row.event,
            "pseudonym": None if found.row.person is None else found.row.person.hex(),
        }
    emit(shown, format_)


@app.command("find")
def find(
    event: Annotated[str, typer.Argument(help="The platform's own id of the event.")],
    home: HomeOption,
    format_: FormatOption,
) -> None:
    """Find the record of an event by the platform's own id of it.

    An event that several columns make is written as a JSON list: '["A1", "2025-03-16 08:00:00"]'.

    Examples:

        tanqiao record find T1 --home ./home
    """
    from gateway.app.records.check import records_of_event
    from gateway.errors import LocalFileError

    found = records_of_event(Path(home), event)
    if not found:
        raise LocalFileError(
            "no record of this home is of that event", remedy="see its quarantine for the reason"
        )
    emit_rows(found, format_)
