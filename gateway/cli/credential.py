"""``credential export | verify``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.output import (
    DiscloseOption,
    DomainOption,
    FormatOption,
    HomeOption,
    MappingOption,
    emit,
    hint,
    require_committed,
)

__all__ = ["app"]

app = typer.Typer()


@app.command("export")
def export(
    record_id: Annotated[str, typer.Argument(help="The record's id.")],
    home: HomeOption,
    domain: DomainOption = "",
    disclose: DiscloseOption = [],  # noqa: B006 - typer reads the default, nothing changes it
    receipt: Annotated[
        bool, typer.Option("--receipt", help="Let the record's receipt ride along as evidence.")
    ] = False,
) -> None:
    """Write a record as a W3C Verifiable Credential 2.0, signed by a record key, as one line of JSON.

    It is not an official certificate. Publish the keys first: `tanqiao keys publish`.

    Examples:

        tanqiao credential export 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home > credential.json

        tanqiao credential export 3f0c9a7be1d24f5c8a6b7c8d9e0f1a2b --home ./home --disclose event --receipt
    """
    from gateway.app.records.credential import credential_of

    require_committed(disclose)
    made = credential_of(Path(home), record_id, domain=domain, disclose=disclose, receipt=receipt)
    sys.stdout.write(made.decode() + "\n")


@app.command("verify")
def verify(
    credential: Annotated[Path, typer.Argument(help="The credential's file.")],
    did: Annotated[Path, typer.Option(help="The issuer's DID document (did.json), fetched from its domain.")],
    format_: FormatOption,
    trust: Annotated[
        Path | None,
        typer.Option(help="Your folder with `policy` and `keys.json`: verifies the receipt in it."),
    ] = None,
    mapping: MappingOption = [],  # noqa: B006 - typer reads the default, nothing changes it
) -> None:
    """Verify a credential offline. Leaves with 0, or says what does not hold.

    Examples:

        tanqiao credential verify credential.json --did did.json

        tanqiao credential verify credential.json --did did.json --trust ./trust --mapping travel.v2.yaml
    """
    from gateway.app.records.credential import verify_credential

    found = verify_credential(credential, did, trust=trust, mappings=mapping)
    logged = trust is not None and "evidence" in found
    subject = found["credentialSubject"]
    emit(
        {
            "verified": True,
            "issuer": found["issuer"],
            "in_log": logged,
            "recomputed": bool(mapping),
            "subject": subject,
        },
        format_,
    )
    if not logged:
        hint("that the record is in the log was not checked: export with --receipt, verify with --trust")
