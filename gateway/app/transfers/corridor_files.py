"""Join the parts that carry files to platforms and back."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import orjson

from gateway.app.base.home import OpenHome, open_home
from gateway.app.transfers.moving import answering
from gateway.contract import CommonForm, CorridorForm, RenderingAdapter
from gateway.errors import LocalFileError, UsageError
from gateway.model.shape import Shape
from gateway.plugins import find_adapter
from gateway.ports import COMMON_FORM, Clock, Heading
from gateway.resources import schema
from gateway.service.transfers.carrying_files import Carrying, RowRefused, Taken
from gateway.store.files.durable import durable_file, write_durably
from gateway.store.files.inputs import read_small
from gateway.store.ledger.books import SqlLedger
from gateway.store.ledger.carried_files import SqlCarriedFiles
from gateway.store.serving.platforms import SqlPlatforms

__all__ = [
    "FILE_BYTES_MAX",
    "MANIFEST",
    "carrying",
    "corridor_form",
    "export_file",
    "import_file",
    "listed",
    "read_manifest",
    "write_pair",
]

FILE_BYTES_MAX: Final = 256 << 20  # twice what the longest file for a city has
MANIFEST: Final = ".manifest.json"
"""What a manifest's name has behind that of its file."""


def corridor_form(name: str) -> CorridorForm:
    """Return how files are written: as they are here, or as an installed adapter does.

    Raises:
        UsageError: there is no such adapter, or none that writes files.
    """
    if name == COMMON_FORM:
        return CommonForm()
    adapter = find_adapter(name)
    if not isinstance(adapter, RenderingAdapter):
        raise UsageError(f"adapter {name} reads files and writes none: it has no `render`", field="dialect")
    return adapter


def carrying(opened: OpenHome, ledger: SqlLedger, *, clock: Clock | None = None) -> Carrying:
    """Return what writes and takes files."""
    return Carrying(
        issuer=opened.facts.issuer,
        answering=answering(opened, ledger, clock=clock),
        files=SqlCarriedFiles(opened.database),
        platforms=SqlPlatforms(opened.database),
        form=corridor_form,
        shape=Shape(schema("corridor-file")),
        signers=opened.record_signers(),
        clock=clock or opened.clock,
    )


def export_file(root: Path, platform: str, *, folder: Path, clock: Clock | None = None) -> dict[str, object]:
    """Write what a platform has to do into a folder: a file and its manifest, or nothing."""
    with _opened(root, clock) as parts:
        written = parts.write(platform)
    if written is None:
        return {"platform": platform, "messages": 0}
    name = platform.replace("/", "-")
    _remove_halves(folder, name)
    path = folder / f"{name}-{written.sequence:06d}.csv"
    write_pair(path, written.content, manifest=written.manifest)
    return {
        "platform": platform,
        "messages": written.messages,
        "sequence": written.sequence,
        "file": str(path),
        "manifest": f"{path}{MANIFEST}",
    }


def import_file(root: Path, path: Path, *, report: Path | None = None, clock: Clock | None = None) -> Taken:
    """Take what a platform did, by its file and the manifest beside it; ``report`` gets refused rows."""
    content = read_small(path, bytes_max=FILE_BYTES_MAX)
    manifest = read_manifest(path)
    writing = nullcontext() if report is None else durable_file(report, mode=0o600)
    with _opened(root, clock) as parts, writing as lines:

        def refused(row: RowRefused) -> None:
            if lines is not None:
                lines.write(orjson.dumps(row._asdict()) + b"\n")

        return parts.take(content, manifest, refused=refused)


def listed(root: Path, platform: str) -> list[dict[str, object]]:
    """Return the files that were written for platforms and taken from them."""
    with _opened(root, None) as parts:
        return [
            {
                "platform": one.platform,
                "heading": str(one.heading),
                "sequence": one.sequence,
                "moment": one.moment,
                "digest": one.digest,
            }
            for heading in Heading
            for one in parts.files.of(platform, heading)
        ]


def read_manifest(path: Path) -> bytes:
    """Return the manifest that stands beside a file.

    Raises:
        LocalFileError: there is none, or it cannot be read.
    """
    manifest = path.with_name(path.name + MANIFEST)
    if not manifest.exists():
        raise LocalFileError(
            f"{manifest} is not there: a file is taken by the manifest beside it",
            remedy="put both into one folder under the names that their writer gave them, and name the file",
        )
    return read_small(manifest)


def write_pair(path: Path, content: bytes, *, manifest: bytes) -> None:
    """Write a file, and then its manifest: where that stands, the file is whole."""
    write_durably(path, content, mode=0o600)
    write_durably(path.with_name(path.name + MANIFEST), manifest + b"\n")


def _remove_halves(folder: Path, name: str) -> None:
    """Remove what killed runs have left of files for a platform: it names accounts."""
    for half in folder.glob(f"{name}-*.half"):
        if half.name.removeprefix(f"{name}-").partition(".")[0].isdigit():
            half.unlink(missing_ok=True)


@contextmanager
def _opened(root: Path, clock: Clock | None) -> Iterator[Carrying]:
    with open_home(root) as opened, SqlLedger(opened.database) as ledger:
        yield carrying(opened, ledger, clock=clock)
