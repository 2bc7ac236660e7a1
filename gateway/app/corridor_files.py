"""Join the parts that carry files to platforms and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import orjson

from gateway.app.home import OpenHome, open_home
from gateway.app.moving import answering
from gateway.contract import CommonForm, CorridorForm, RenderingAdapter
from gateway.errors import UsageError
from gateway.model.shape import Shape
from gateway.plugins import find_adapter
from gateway.ports import COMMON_FORM, Clock, Heading
from gateway.resources import schema
from gateway.service.carrying_files import Carrying, Taken
from gateway.store.carried_files import SqlCarriedFiles
from gateway.store.durable import write_durably
from gateway.store.input_files import read_small
from gateway.store.ledger import SqlLedger
from gateway.store.platforms import SqlPlatforms

__all__ = ["MANIFEST", "carrying", "corridor_form", "export_file", "import_file", "listed", "write_pair"]

FILE_BYTES_MAX: Final = 256 << 20  # 50,000 messages with ten lots each
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
    path = folder / f"{platform.replace('/', '-')}-{written.sequence:06d}.csv"
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
    manifest = read_small(path.with_name(path.name + MANIFEST))
    with _opened(root, clock) as parts:
        taken = parts.take(content, manifest)
    if report is not None:
        lines = [orjson.dumps(one._asdict()) + b"\n" for one in taken.refused]
        write_durably(report, b"".join(lines), mode=0o600)
    return taken


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


def write_pair(path: Path, content: bytes, *, manifest: bytes) -> None:
    """Write a file, and then its manifest: where that stands, the file is whole."""
    write_durably(path, content, mode=0o600)
    write_durably(path.with_name(path.name + MANIFEST), manifest + b"\n")


@contextmanager
def _opened(root: Path, clock: Clock | None) -> Iterator[Carrying]:
    with open_home(root) as opened, SqlLedger(opened.database) as ledger:
        yield carrying(opened, ledger, clock=clock)
