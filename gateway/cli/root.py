"""The tree of commands. Each command imports what it needs when it runs, so that --help stays quick."""

from collections.abc import Sequence

import typer

from gateway.cli import (
    adapter,
    agreement,
    audit,
    behaviours,
    claims,
    conformance,
    convert,
    corridor,
    credential,
    disclosure,
    erase,
    home,
    keys,
    link,
    log,
    mapping,
    operators,
    proxy,
    quorum,
    receipt,
    record,
    remote,
    sandbox,
    serve,
    statements,
    transfer,
    witness,
)
from gateway.cli.output import exit_code, report
from gateway.errors import GatewayError, LocalFileError, UsageError

__all__ = ["run"]

root = typer.Typer(
    name="tanqiao",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""Tanqiao (碳桥): turn acts that a city's carbon-inclusion platform recorded into signed records
that anybody can verify.

Begin with `tanqiao demo`, or make a home with `tanqiao init --home ./home`.""",
)
home.register(root)
convert.register(root)
audit.register(root)
erase.register(root)
link.register(root)
claims.register(root)
behaviours.register(root)
serve.register(root)
proxy.register(root)
remote.register(root)
serve.app.command("enrol")(remote.enrol)
receipt.app.command("fetch")(remote.fetch)
quorum.register(witness.app)
for name, group, words in (
    ("mapping", mapping.app, "Check, list and measure mapping documents: a city's rules as data."),
    ("adapter", adapter.app, "List adapters, and explain one row from source to result."),
    ("record", record.app, "Show conversion records."),
    ("receipt", receipt.app, "Make receipts, and verify them offline."),
    ("credential", credential.app, "Export records for wallets, and verify such credentials offline."),
    ("disclosure", disclosure.app, "Open chosen commitments of records for an auditor, and verify that."),
    ("log", log.app, "Verify the transparency log, and bundle it for an auditor."),
    ("platform", serve.app, "Admit the platforms that may speak to this gateway."),
    ("operator", operators.app, "Tokens for those who run or watch this gateway over HTTP."),
    ("keys", keys.app, "Make, rotate, retire, publish and list keys."),
    ("witness", witness.app, "Witness the logs of others, and have the own log witnessed."),
    ("agreement", agreement.app, "Draft, sign and publish what two platforms agree; pause corridors."),
    ("transfer", transfer.app, "Quote, start and follow points that move between platforms."),
    ("corridor", corridor.app, "Carry files to platforms that are called by nobody, and back."),
    ("sandbox", sandbox.app, "Serve the platforms of invented cities, to try transfers and faults with."),
    ("conformance", conformance.app, "Run what every platform passes against your own platform."),
    ("claims", claims.app, "See which records count of acts that several platforms saw; close days."),
    ("statements", statements.app, "Close days: publish what a platform's day adds up to."),
):
    root.add_typer(group, name=name, help=words, no_args_is_help=True)


def _from_the_disk(error: OSError) -> LocalFileError:
    where = "" if error.filename is None else f"{error.filename}: "
    return LocalFileError(
        f"{where}{error.strerror or error}",
        remedy="make room or mend the permissions, then run the command again; it goes on from there",
    )


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; usage errors leave with 2, an interrupt with 130."""
    try:
        root(args=list(arguments))
    except GatewayError as error:
        report(error)
        return exit_code(error)
    except OSError as error:
        refused = _from_the_disk(error)
        report(refused)
        return exit_code(refused)
    except UnicodeEncodeError:
        wrong = [argument for argument in arguments if not argument.isprintable()]
        if not wrong:
            raise
        misread = UsageError(f"not text in UTF-8: {', '.join(map(repr, wrong))}", remedy="write it in UTF-8")
        report(misread)
        return exit_code(misread)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0
