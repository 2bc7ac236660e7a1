"""Join the parts of publishing mappings that their maintainers have signed."""

from functools import partial
from pathlib import Path

from gateway.app.home import OpenHome, open_home
from gateway.app.mappings import Versions, known_behaviours, program_from_file
from gateway.app.review import require_checked
from gateway.convert import Program, program_from_canonical
from gateway.errors import GatewayError, LocalFileError
from gateway.resources import schema
from gateway.service.approving import MAINTAINER, Maintainers, QuorumMissing, approve, read_publication
from gateway.service.maintaining import Maintaining, publish_approved
from gateway.store.durable import write_durably
from gateway.store.input_files import read_small
from gateway.store.key_files import FileSigner

__all__ = ["publish_mapping", "sign_mapping"]


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
        published = publish_approved(data, _maintaining(opened))
    return _named(published.id, published.version, digest=published.digest) | {
        "log_entry": published.position
    }


def _maintaining(opened: OpenHome) -> Maintaining:
    shape, behaviours = schema("mapping"), known_behaviours()
    program = partial(program_from_canonical, schema=shape, behaviours=behaviours)

    def others(wanted: Program) -> list[Program]:
        kept = [one for one in opened.journal.mappings() if one.id == wanted.id]
        found = {one.version: one for one in Versions()(wanted.id)}
        return list((found | {one.version: program(one.canonical) for one in kept}).values())

    return Maintaining(
        issuer=opened.facts.issuer,
        profile=opened.facts.profile,
        journal=opened.journal,
        log=opened.log,
        maintainers=lambda: _maintainers(opened.home.maintainers),
        program=program,
        require_checked=lambda one: require_checked(one, others(one)),
        signers=opened.record_signers(),
        rings=opened.publishing_rings,
        clock=opened.clock,
    )


def _maintainers(file: Path) -> Maintainers:
    """Read who must sign; where the operator has named nobody, nobody can publish."""
    if not file.exists():
        raise QuorumMissing(
            "this gateway has no maintainers", field="trust/maintainers.json", remedy=f"write {file} first"
        )
    try:
        return Maintainers.parse(read_small(file))
    except GatewayError as error:
        raise LocalFileError(
            f"{file}: {error}", field=error.field, remedy="mend the file: docs/howto/publish-a-mapping.md"
        ) from error


def _named(mapping: str, version: int, *, digest: str) -> dict[str, object]:
    return {"id": mapping, "version": version, "digest": "sha256:" + digest}
