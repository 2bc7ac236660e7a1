"""Find the scheme that a submission is converted by: from the shipped documents, or from a file."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from gateway.contract import PlatformAdapter
from gateway.convert import Program, check_scheme
from gateway.errors import Refused, UsageError
from gateway.ports import PublishedMapping
from gateway.service.acts.scheme import Scheme

__all__ = ["MappingChanged", "choose_scheme", "require_unchanged", "scheme_of"]


class MappingChanged(Refused):
    """A version that this home has published comes again with other content."""

    code = "mapping-changed"
    remedy = "a published version never changes: write the change as a new version that supersedes it"


def choose_scheme(
    programs: Iterable[Program], adapter: PlatformAdapter, *, mapping: str = "", platform: str = ""
) -> Scheme:
    """Choose by mapping id (``cn-420100/wuhan/travel``), else the platform's scheme for that adapter.

    Raises:
        UsageError: nothing fits, or several schemes do; the message names what there is.
    """
    known = list(programs)
    if mapping:
        return _by_id(known, mapping)
    wanted = platform or adapter.platform
    if not wanted:
        raise UsageError(
            f"adapter {adapter.name} reads files of any platform",
            remedy="say whose they are: --mapping ID or --platform REGION/NAME",
        )
    ids = sorted({p.id for p in known if p.platform == wanted and p.source.adapter == adapter.name})
    if len(ids) == 1:
        return _by_id(known, ids[0])
    found = ", ".join(ids) if ids else "none"
    raise UsageError(
        f"platform {wanted} has {len(ids)} schemes for adapter {adapter.name}: {found}",
        remedy="name one with --mapping; `tanqiao mapping list` shows all",
    )


def scheme_of(programs: Sequence[Program]) -> Scheme:
    """Return the scheme that these versions make, after checking that they fit together."""
    scheme = Scheme(programs[0].id, tuple(sorted(programs, key=lambda program: program.version)))
    findings = check_scheme(scheme.programs)
    if findings:
        raise Refused(
            f"the versions of {scheme.id} do not fit together: {findings[0].message}",
            remedy="run `tanqiao mapping check` on all versions",
        )
    return scheme


def require_unchanged(scheme: Scheme, published: Iterable[PublishedMapping]) -> None:
    """Refuse a version whose content differs from what this home has published under its number."""
    digests = {(mapping.id, mapping.version): mapping.digest for mapping in published}
    for program in scheme.programs:
        if digests.get((program.id, program.version), program.digest) != program.digest:
            raise MappingChanged(
                f"mapping {program.id} version {program.version} differs from the published one"
            )


def _by_id(programs: list[Program], wanted: str) -> Scheme:
    versions = [program for program in programs if program.id == wanted]
    if not versions:
        ids = sorted({program.id for program in programs})
        near = get_close_matches(wanted, ids, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(ids)}"
        raise UsageError(f"there is no mapping {wanted}", remedy=f"{hint} A path to a YAML file works too.")
    return scheme_of(versions)
