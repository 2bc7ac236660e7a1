"""``disclosure export | verify``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import FormatOption, HomeOption, MappingOption, emit, hint, require_committed

__all__ = ["app"]

app = typer.Typer()


@app.command("export")
def export(
    home: HomeOption,
    auditor: Annotated[str, typer.Option(help="Who gets the file; stands in its first line.")],
    field: Annotated[list[str], typer.Option(help="What to open: event or subject; repeat for both.")],
    out: Annotated[Path, typer.Option(help="The file to write (mode 0600); never replaces one.")],
    record_id: Annotated[str, typer.Argument(help="One record's id; or name --platform and --day.")] = "",
    platform: Annotated[str, typer.Option(help="REGION/NAME: with --day, all records of that day.")] = "",
    day: Annotated[str, typer.Option(help="YYYY-MM-DD, the day of the acts.")] = "",
) -> None:
    """Open chosen commitments for an auditor: of one record, or of a platform's day. The rest stays closed.

    Examples:

        tanqiao disclosure export 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home --auditor "Audit Office" --field event --out one.ndjson

        tanqiao disclosure export --home ./home --platform cn-420100/wuhan --day 2025-03-16 --auditor "Audit Office" --field subject --out day.ndjson
    """  # noqa: E501 - a command of an example stands in one line
    from gateway.app.records.disclosure import export_disclosure
    from gateway.errors import UsageError
    from gateway.service.receipts.disclosing import DayScope, RecordScope

    require_committed(field)
    if bool(record_id) == bool(platform or day) or bool(platform) != bool(day):
        raise UsageError(
            "expected either a record's id, or a platform and a day",
            remedy="give RECORD_ID, or --platform and --day",
        )
    scope = RecordScope(record_id) if record_id else DayScope(platform, day)
    records = export_disclosure(Path(home), out, scope=scope, fields=field, auditor=auditor)
    hint(f"{out}: {records} records for {auditor}; hand it over on a way that only they can read")


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="The file that was handed over.")],
    trust: Annotated[Path, typer.Option(help="Your folder with `policy` and `keys.json`.")],
    format_: FormatOption,
    mapping: MappingOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Verify each line of a disclosure as a receipt, and add up what is in it.

    Examples:

        tanqiao disclosure verify day.ndjson --trust ./trust

        tanqiao disclosure verify day.ndjson --trust ./trust --mapping travel.v2.yaml
    """
    from gateway.app.records.disclosure import verify_disclosure

    found = verify_disclosure(file, trust, mappings=mapping)
    emit(
        {
            "verified": True,
            "recomputed": bool(mapping),
            "auditor": found.heading["auditor"],
            "scope": found.heading["scope"],
            "records": len(found.ids),
            "disclosed": found.disclosed,
            "co2e_mg": str(found.co2e_mg),
            "points": str(found.points),
        },
        format_,
    )
    if any(count < len(found.ids) for count in found.disclosed.values()):
        hint("some commitments stay closed: their salts were erased, or were left out")
