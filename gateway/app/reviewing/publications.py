"""Join the parts of publishing mappings that their maintainers have signed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.mappings import Approved, Versions, known_behaviours, program_from_file, with_approved
from gateway.app.reviewing.review import require_checked
from gateway.convert import Program, program_from_canonical
from gateway.errors import GatewayError, LocalFileError
from gateway.resources import schema
from gateway.service.mappings.approving import (
    MAINTAINER,
    Maintainers,
    QuorumMissing,
    approve,
    read_publication,
)
from gateway.service.mappings.maintaining import Judging, Maintaining, publish_approved
from gateway.store.files.durable import write_durably
from gateway.store.files.inputs import read_small
from gateway.store.files.keys import FileSigner
from gateway.store.journal.publications import SqlPublications
from gateway.store.serving.lately import Lately

__all__ = [
    "approved_at",
    "judging",
    "maintaining",
    "publication_reader",
    "publish_mapping",
    "sign_mapping",
]

READ_SECONDS: Final = 60.0  # a text never changes under its digest
READ_MAX: Final = 64  # versions that a worker holds while they are tried before they are signed


def sign_mapping(file: Path, *, key: Path, publication: Path) -> dict[str, object]:
    """Add a maintainer's signature over a mapping to its publication, which is made where there is none.

    Raises:
        MappingRefused: it is no mapping.
        ChecksFailed: its own tests fail.
        ApprovalRefused: others have signed something else there.
    """
    program, signer = program_from_file(file), FileSigner(key, MAINTAINER)
    require_checked(program, [])
    before = read_small(publication) if publication.exists() else b""
    identity = (program.id, program.version)
    made = approve(program.canonical, identity, signer=signer, before=before)
    write_durably(publication, made + b"\n")
    signed = read_publication(made).signatures
    return _named(program.id, program.version, digest=program.digest) | {
        "key": signer.key_id,
        "signatures": len(signed),
    }


def publish_mapping(root: Path, publication: Path) -> dict[str, object]:
    """Check what maintainers have signed, and publish the mapping in the log."""
    data = read_small(publication)
    with open_home(root, writing=True) as opened:
        versions = Versions(approved=approved_at(opened))
        published = publish_approved(data, maintaining(opened, versions))
    return _named(published.id, published.version, digest=published.digest) | {
        "log_entry": published.position
    }


def approved_at(opened: OpenHome, *, seconds: float = 0.0) -> Approved:
    """Return the versions that the maintainers of a home have approved."""
    return Approved(SqlPublications(opened.database), opened.journal, seconds=seconds)


def publication_reader(opened: OpenHome) -> Callable[[str], Program | None]:
    """Return what gives a version that was handed in, published or not, by its digest."""
    publications, shape = SqlPublications(opened.database), schema("mapping")

    def read(digest: str) -> Program | None:
        found = publications.publication(digest)
        return None if found is None else program_from_canonical(found.canonical, shape)

    return Lately[str, Program | None](read, seconds=READ_SECONDS, most=READ_MAX)


def judging(opened: OpenHome, versions: Versions) -> Judging:
    """Return what tells whether a version may be published beside those that there are."""
    shape, behaviours = schema("mapping"), known_behaviours()
    program = partial(program_from_canonical, schema=shape, behaviours=behaviours)

    def others(wanted: Program) -> list[Program]:
        kept = (program(one.canonical) for one in opened.journal.mappings() if one.id == wanted.id)
        return with_approved(versions(wanted.id), kept)

    return Judging(
        profile=opened.facts.profile,
        journal=opened.journal,
        publications=SqlPublications(opened.database),
        maintainers=lambda: _maintainers(opened.home.maintainers),
        program=program,
        require_checked=lambda one: require_checked(one, others(one)),
        clock=opened.clock,
    )


def maintaining(opened: OpenHome, versions: Versions) -> Maintaining:
    """Return what publishes versions; the home is open for writing."""
    return Maintaining(
        issuer=opened.facts.issuer,
        judging=judging(opened, versions),
        log=opened.log,
        signers=opened.record_signers(),
        rings=opened.publishing_rings,
    )


def _maintainers(file: Path) -> Maintainers:
    """Read who must sign; where the operator has named nobody, nobody can publish."""
    if not file.exists():
        raise QuorumMissing(
            "this gateway has no maintainers",
            field="trust/maintainers.json",
            remedy="have its operator write trust/maintainers.json: docs/howto/publish-a-mapping.md",
        )
    try:
        return Maintainers.parse(read_small(file))
    except GatewayError as error:
        raise LocalFileError(
            f"trust/maintainers.json: {error}",
            field=error.field,
            remedy="have its operator mend the file: docs/howto/publish-a-mapping.md",
        ) from error


def _named(mapping: str, version: int, *, digest: str) -> dict[str, object]:
    return {"id": mapping, "version": version, "digest": "sha256:" + digest}
